// SPDX-License-Identifier: Apache-2.0
#include "server/open_beneath.h"

#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using pronghorn::server::OpenedFile;
using pronghorn::server::RootDirectory;

namespace {

int error_of(const RootDirectory& root, const std::string& name) {
  auto opened = root.open_file(name.c_str());
  return opened ? 0 : opened.error();
}

}  // namespace

TEST_CASE("open beneath: a root that is not there, or no directory, is said") {
  test::TemporaryTree tree;
  tree.file("file", "x");
  auto missing = RootDirectory::open(tree.path("missing"));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().errno_value() == ENOENT);
  CHECK(missing.error().message().find("missing': no such file") != std::string::npos);
  auto file = RootDirectory::open(tree.path("file"));
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().errno_value() == ENOTDIR);
}

TEST_CASE("open beneath: a root that is renamed is still the root") {
  test::TemporaryTree tree;
  tree.file("www/a", "x");
  auto root = RootDirectory::open(tree.path("www"));
  REQUIRE(root.has_value());
  std::filesystem::rename(tree.path("www"), tree.path("old"));
  tree.file("www/b", "x");
  CHECK(error_of(*root, "a") == 0);
  CHECK(error_of(*root, "b") == ENOENT);
}

TEST_CASE("open beneath: symbolic links are followed inside, and refused outside") {
  test::TemporaryTree tree;
  tree.file("www/dir/a", "x");
  tree.file("secret", "x");
  tree.link("www/inside", "dir/a");
  tree.link("www/dir/up", "../inside");
  tree.link("www/outside", "../secret");
  tree.link("www/outside-dir", "..");
  tree.link("www/absolute", tree.path("www/dir/a"));
  tree.link("www/absolute-out", "/etc/passwd");
  tree.link("www/loop1", "loop2");
  tree.link("www/loop2", "loop1");
  tree.link("www/magic", "/proc/self/root");
  tree.link("www/dangling", "nothing");
  auto root = RootDirectory::open(tree.path("www"));
  REQUIRE(root.has_value());
  CHECK(error_of(*root, "inside") == 0);
  CHECK(error_of(*root, "dir/up") == 0);
  CHECK(error_of(*root, "outside") == EXDEV);
  CHECK(error_of(*root, "outside-dir/secret") == EXDEV);
  CHECK(error_of(*root, "absolute") == EXDEV);
  CHECK(error_of(*root, "absolute-out") == EXDEV);
  CHECK(error_of(*root, "loop1") == ELOOP);
  CHECK(error_of(*root, "magic") != 0);
  CHECK(error_of(*root, "dangling") == ENOENT);
  CHECK(error_of(*root, "../secret") == EXDEV);
  CHECK(error_of(*root, "/etc/passwd") == EXDEV);
}

TEST_CASE("open beneath: a FIFO opens at once, without a writer") {
  test::TemporaryTree tree;
  REQUIRE(::mkfifo(tree.path("fifo").c_str(), 0600) == 0);
  auto root = RootDirectory::open(tree.path("."));
  REQUIRE(root.has_value());
  auto opened = root->open_file("fifo");
  REQUIRE(opened.has_value());
  CHECK(S_ISFIFO(opened->info.st_mode));
}

TEST_CASE("open beneath: directories moved meanwhile never lead outside") {
  test::TemporaryTree tree;
  tree.file("www/dir/name", "inside");
  tree.file("out/name", "TOP-SECRET outside");
  // "dir" is, by turns, a directory of the root and a link out of it; "sub" wanders out and back.
  tree.link("www/link", "../out");
  tree.file("www/deep/sub/file", "inside");
  tree.link("www/deep/sub/back", "../../dir/name");
  auto root = RootDirectory::open(tree.path("www"));
  REQUIRE(root.has_value());

  std::atomic<bool> stop = false;
  std::thread mover([&] {
    std::string dir = tree.path("www/dir"), link = tree.path("www/link");
    std::string sub = tree.path("www/deep/sub"), away = tree.path("away");
    while (!stop) {
      ::renameat2(AT_FDCWD, dir.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
      ::rename(sub.c_str(), away.c_str());
      ::rename(away.c_str(), sub.c_str());
    }
  });
  int opened_times = 0, refused = 0;
  bool leaked = false;
  for (int i = 0; i < 20'000; ++i) {
    auto opened = root->open_file(i % 2 == 0 ? "dir/name" : "deep/sub/back");
    if (!opened) {
      ++refused;
      continue;
    }
    ++opened_times;
    char text[32] = {};
    if (::read(opened->file.get(), text, sizeof text - 1) < 0 || std::string(text) != "inside")
      leaked = true;
  }
  stop = true;
  mover.join();
  CHECK_FALSE(leaked);
  CHECK(opened_times > 0);
  CHECK(refused > 0);
}
