// SPDX-License-Identifier: Apache-2.0
#include "server/file_cache.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <memory>
#include <string>

using namespace pronghorn;
using namespace pronghorn::server;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

FileEntry entry_of(std::string path, std::uint32_t site = 0) {
  FileEntry entry;
  entry.site = site;
  entry.path = std::move(path);
  entry.forms[0].emplace(FileForm{.identity = {},
                                  .validators = Validators(0, {}, {10, 0}),
                                  .head = {},
                                  .unmodified = {},
                                  .bytes = {},
                                  .file = {},
                                  .opened = {}});
  return entry;
}
void give_bytes(FileCache& cache, FileEntry& entry, std::size_t size) {
  entry.form(Encoding::identity).bytes = std::make_shared<const std::string>(size, 'x');
  cache.account(entry);
}
void give_file(FileCache& cache, FileEntry& entry) {
  entry.form(Encoding::identity).file = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  cache.account(entry);
}

}  // namespace

TEST_CASE("file cache: an entry is found under its site and path alone") {
  FileCache cache({});
  auto one = cache.add_site(), two = cache.add_site();
  CHECK(one != two);
  cache.put(entry_of("a", one), 0);
  CHECK(cache.find(one, "a", 0) != nullptr);
  CHECK(cache.find(two, "a", 0) == nullptr);
  CHECK(cache.find(one, "b", 0) == nullptr);
  cache.put(entry_of("a", one), 0);
  CHECK(cache.size() == 1);
  cache.erase(*cache.find(one, "a", 0));
  CHECK(cache.find(one, "a", 0) == nullptr);
  CHECK(cache.memory() == 0);
}

TEST_CASE("file cache: an entry is valid for the time that was set") {
  using namespace std::chrono_literals;
  FileCache cache({.valid = 1000ms});
  FileEntry entry = entry_of("a");
  entry.checked_ms = 5000;
  CHECK(cache.is_valid(entry, 5000));
  CHECK(cache.is_valid(entry, 5999));
  CHECK_FALSE(cache.is_valid(entry, 6000));
  FileCache never({.valid = 0ms});
  CHECK_FALSE(never.is_valid(entry, 5000));
}

TEST_CASE("file cache: what was used longest ago goes when there are too many") {
  FileCache cache({.entries = 2});
  cache.put(entry_of("a"), 0);
  cache.put(entry_of("b"), 0);
  CHECK(cache.find(0, "a", 0) != nullptr);
  cache.put(entry_of("c"), 0);
  CHECK(cache.size() == 2);
  CHECK(cache.find(0, "b", 0) == nullptr);
  CHECK(cache.find(0, "a", 0) != nullptr);
  CHECK(cache.find(0, "c", 0) != nullptr);
}

TEST_CASE("file cache: memory is bounded, and what does not fit alone is not kept") {
  FileCache cache({.memory = kMiB});
  for (int i = 0; i < 10; ++i) {
    give_bytes(cache, cache.put(entry_of(std::to_string(i)), 0), 300'000);
    CHECK(cache.memory() <= kMiB);
  }
  CHECK(cache.size() == 3);
  CHECK(cache.find(0, "9", 0) != nullptr);
  FileEntry& large = cache.put(entry_of("large"), 0);
  give_bytes(cache, large, 2 * kMiB);
  CHECK(cache.memory() <= kMiB);
  CHECK(large.form(Encoding::identity).bytes == nullptr);
  CHECK(cache.find(0, "large", 0) == &large);
  CHECK(cache.size() == 1);
}

TEST_CASE("file cache: descriptors are bounded, and closed without losing their entry") {
  FileCache cache({.descriptors = 2});
  for (auto name : {"a", "b", "c"}) give_file(cache, cache.put(entry_of(name), 0));
  CHECK(cache.descriptors() == 2);
  CHECK(cache.size() == 3);
  CHECK(cache.find(0, "a", 0)->form(Encoding::identity).file.fd() == -1);
  CHECK(cache.find(0, "c", 0)->form(Encoding::identity).file.fd() >= 0);
  CHECK(cache.close_descriptors());
  CHECK(cache.descriptors() == 0);
  CHECK_FALSE(cache.close_descriptors());
  CHECK(cache.size() == 3);
  FileCache none({.descriptors = 0});
  give_file(none, none.put(entry_of("a"), 0));
  CHECK(none.descriptors() == 0);
}

TEST_CASE("file cache: a descriptor that nobody asks for is closed after ten seconds") {
  FileCache cache({});
  give_file(cache, cache.put(entry_of("a"), 1000));
  give_file(cache, cache.put(entry_of("b"), 1000));
  cache.find(0, "b", 9000);
  CHECK(cache.descriptors() == 2);
  cache.find(0, "none", 11'000);
  CHECK(cache.descriptors() == 1);
  CHECK(cache.find(0, "b", 11'000)->form(Encoding::identity).file.fd() >= 0);
}
