// SPDX-License-Identifier: Apache-2.0
#include "server/hosts.h"

#include <doctest/doctest.h>

#include <string>

using pronghorn::server::HostTable;

TEST_CASE("hosts: a name is found in any case, with a port, with the root's dot") {
  HostTable hosts;
  hosts.add("example.org", 1);
  hosts.add("[::1]", 2);
  hosts.add("127.0.0.1", 3);
  for (const char* host : {"example.org", "EXAMPLE.Org", "example.org:8080",
                           "example.org:", "example.org.", "Example.org.:80"}) {
    CAPTURE(host);
    CHECK(hosts.find(host) == 1);
  }
  CHECK(hosts.find("[::1]") == 2);
  CHECK(hosts.find("[::1]:80") == 2);
  CHECK(hosts.find("127.0.0.1:1") == 3);
  for (const char* host : {"", ".", "example.org..", "www.example.org", "xample.org", "example.or",
                           "[::2]:80", "org", "example", ":80"}) {
    CAPTURE(host);
    CHECK_FALSE(hosts.find(host));
  }
}

TEST_CASE("hosts: a wildcard is for names below, the longest first, and a name itself before it") {
  HostTable hosts;
  hosts.add("*.example.org", 1);
  hosts.add("*.a.example.org", 2);
  hosts.add("b.a.example.org", 3);
  hosts.add("example.org", 4);
  CHECK(hosts.find("www.example.org") == 1);
  CHECK(hosts.find("x.y.example.org:80") == 1);
  CHECK(hosts.find("a.example.org") == 1);
  CHECK(hosts.find("c.a.EXAMPLE.org.") == 2);
  CHECK(hosts.find("b.a.example.org") == 3);
  CHECK(hosts.find("example.org") == 4);
  CHECK_FALSE(hosts.find(".example.org"));
  CHECK_FALSE(hosts.find("wwwexample.org"));
  CHECK_FALSE(hosts.find("org"));
}

TEST_CASE("hosts: the first of a name stays, and endless names are none") {
  HostTable hosts;
  hosts.add("a", 1);
  hosts.add("a", 2);
  CHECK(hosts.find("a") == 1);
  hosts.add("*." + std::string(300, 'x'), 3);
  CHECK_FALSE(hosts.find("a." + std::string(300, 'x')));
}
