// SPDX-License-Identifier: Apache-2.0
// A directory for one test, removed with everything in it.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace test {

class TemporaryTree {
 public:
  TemporaryTree() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "pronghorn-files-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    top_ = pattern;
  }
  ~TemporaryTree() {
    std::error_code ignored;
    std::filesystem::remove_all(top_, ignored);
  }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;

  std::string path(std::string_view name) const { return (top_ / name).string(); }
  void file(std::string_view name, std::string_view bytes) const {
    std::filesystem::create_directories((top_ / name).parent_path());
    std::ofstream(top_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void link(std::string_view name, const std::string& target) const {
    std::filesystem::create_symlink(target, top_ / name);
  }
  /// Sets the modification time.
  void touch(std::string_view name, std::time_t seconds, long ns = 0) const {
    timespec times[2] = {{seconds, ns}, {seconds, ns}};
    REQUIRE(::utimensat(AT_FDCWD, path(name).c_str(), times, 0) == 0);
  }

 private:
  std::filesystem::path top_;
};

}  // namespace test
