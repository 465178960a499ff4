// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/file_name.h>

#include <doctest/doctest.h>

#include <string>

using pronghorn::safe_file_name;

TEST_CASE("file name: what a client sends becomes a plain name") {
  CHECK(safe_file_name("a.txt") == "a.txt");
  CHECK(safe_file_name("../../etc/passwd") == "passwd");
  CHECK(safe_file_name("C:\\Users\\ann\\a b.txt") == "a b.txt");
  CHECK(safe_file_name("/etc/cron.d/") == "file");
  CHECK(safe_file_name("") == "file");
  CHECK(safe_file_name(".") == "_");
  CHECK(safe_file_name("..") == "_.");
  CHECK(safe_file_name(".htaccess") == "_htaccess");
  CHECK(safe_file_name("-rf") == "_rf");
  CHECK(safe_file_name("caf\xc3\xa9.txt") == "caf\xc3\xa9.txt");
  CHECK(safe_file_name("a\xff\xc3.txt") == "a__.txt");
  CHECK(safe_file_name(std::string("a\0b\r\n\x7f", 6)) == "a_b___");
  CHECK(safe_file_name("a\xc2\x9b"
                       "b") == "a_b");  // U+009B, a terminal's escape
}

TEST_CASE("file name: no longer than a file system takes, and no character cut") {
  CHECK(safe_file_name(std::string(300, 'a')).size() == 255);
  const std::string name = safe_file_name(std::string(254, 'a') + "\xc3\xa9");
  CHECK(name == std::string(254, 'a'));
}
