// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include "config/schema.h"

#include <doctest/doctest.h>

using namespace pronghorn::config;

TEST_CASE("suggest: distance counts a transposition as one and ignores case, _ and -") {
  CHECK(word_distance("sevre", "serve") == 1);
  CHECK(word_distance("max-connections", "max_connections") == 0);
  CHECK(word_distance("WORKERS", "workers") == 0);
  CHECK(word_distance("wokers", "workers") == 1);
  CHECK(word_distance("", "abc") == 3);
  CHECK(word_distance("kitten", "sitting") == 3);
}

TEST_CASE("suggest: misspellings are found and strangers are not") {
  const std::vector<std::string_view> words = {"listen",    "root",          "workers", "backlog",
                                               "keepalive", "drain_timeout", "body"};
  CHECK(closest("lisen", words) == "listen");
  CHECK(closest("worker", words) == "workers");
  CHECK(closest("wrokers", words) == "workers");
  CHECK(closest("draintimeout", words) == "drain_timeout");
  CHECK(closest("rot", words) == "root");
  CHECK(closest("keepalive_timeout", words) == "keepalive");
  CHECK(closest("drain", words) == "drain_timeout");
  CHECK(closest("banana", words) == "");
  CHECK(closest("", words) == "");
  CHECK(closest("x", words) == "");
  CHECK(closest(std::string(100'000, 'w'), words) == "");
}

TEST_CASE("suggest: every alias leads to a key that exists, or says why there is none") {
  for (const char* word : {"port", "worker_processes", "document_root", "autoindex",
                           "worker-processes", "DocumentRoot"}) {
    CAPTURE(word);
    const Alias* alias = find_alias(word);
    REQUIRE(alias != nullptr);
    if (alias->key.empty()) {
      CHECK_FALSE(alias->note.empty());
    } else {
      CHECK(find_key(alias->key) != nullptr);
    }
  }
  CHECK(find_alias("workers") == nullptr);
}
