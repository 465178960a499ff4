// SPDX-License-Identifier: Apache-2.0
#include "config/program_command.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <unistd.h>

namespace config = pronghorn::config;
namespace fs = std::filesystem;
using config::Program;

namespace {

/// A working directory with a script, an executable and a folder `bin` that may stand on the PATH.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/pronghorn-program-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
    REQUIRE(::chdir(name) == 0);
    fs::create_directory("bin");
    for (const char* file : {"app.js", "text", "bin/node", "bin/tool", "tool2"}) {
      std::ofstream(file) << "x";
      const bool executable = std::string(file).find('.') == std::string::npos && file[1] != 'e';
      if (executable) fs::permissions(file, fs::perms::owner_all);
    }
    fs::permissions("text", fs::perms::owner_read);
  }
  ~Folder() {
    if (::chdir("/") == 0) fs::remove_all(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string bin() const { return path_ + "/bin"; }

 private:
  std::string path_;
};

Program named(std::string file, std::vector<std::string> args = {}, std::string node = {}) {
  Program program;
  program.file = std::move(file);
  program.args = std::move(args);
  program.node = std::move(node);
  return program;
}

}  // namespace

TEST_CASE("program: a script is run by node with its name as the first argument") {
  const Folder folder;
  const auto command = config::program_command(named("app.js", {"--port", "3"}), folder.bin());
  REQUIRE(command);
  CHECK(command->file == "node");
  CHECK(command->args == std::vector<std::string>{"app.js", "--port", "3"});
  const auto other = config::program_command(named("text", {}, "./bin/node"), "");
  REQUIRE(other);
  CHECK(other->file == "./bin/node");
  CHECK(other->args == std::vector<std::string>{"text"});
}

TEST_CASE("program: an executable is found here first, then on the PATH") {
  const Folder folder;
  CHECK(config::program_command(named("tool2", {"a"}), folder.bin())->file == "./tool2");
  CHECK(config::program_command(named("tool2", {"a"}), folder.bin())->args ==
        std::vector<std::string>{"a"});
  CHECK(config::program_command(named("tool"), "/nowhere:" + folder.bin())->file == "tool");
  CHECK(config::program_command(named("bin/tool"), "")->file == "bin/tool");
  CHECK_FALSE(config::program_command(named("tool"), "/nowhere"));
}

TEST_CASE("program: what cannot run is told with its reason") {
  const Folder folder;
  const auto why = [&](const Program& program, const std::string& path) {
    const auto command = config::program_command(program, path);
    REQUIRE_FALSE(command);
    return command.error();
  };
  CHECK(why(named("gone.js"), folder.bin()).text == "cannot run 'gone.js': no such file");
  CHECK(why(named("gone"), folder.bin()).error == ENOENT);
  CHECK(why(named("bin"), folder.bin()).text == "cannot run 'bin': it is a directory");
  CHECK(why(named("app.js"), "/nowhere").text ==
        "cannot run 'app.js': there is no 'node' on the PATH");
  CHECK(why(named("app.js", {}, "/nowhere/node"), folder.bin()).text ==
        "cannot run '/nowhere/node': no such file");
  const auto text = why(named("text"), folder.bin());
  CHECK(text.error == EACCES);
  CHECK(text.hint.find("--node") != std::string::npos);
}

TEST_CASE("program: its title is its name, or its file's") {
  CHECK(named("a/b/app.js").title() == "app.js");
  CHECK(named(".").title() == ".");
  auto program = named("app.js");
  program.name = "api";
  CHECK(program.title() == "api");
}
