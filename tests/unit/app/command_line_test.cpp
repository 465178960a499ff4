// SPDX-License-Identifier: Apache-2.0
// golden/command_lines.txt holds command lines ("$ …  [exit N]") and, byte for byte, what each
// answers.
#include "app/check_command.h"
#include "app/cli/parse.h"
#include "app/cli/sources.h"
#include "app/config_command.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdlib.h>
#include <unistd.h>

namespace cli = pronghorn::app::cli;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = fs::path(__FILE__).parent_path() / "golden";

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A working directory with a site, a good file and a wrong one; its name reads /home/ann/web.
class Web {
 public:
  Web() {
    char name[] = "/tmp/pronghorn-web-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = fs::canonical(name);
    fs::create_directory(path_ + "/site");
    std::ofstream(path_ + "/good.toml") << "root = \"site\"\nworkers = 2\n";
    std::ofstream(path_ + "/wrong.toml") << "root = \"site\"\nwokers = 2\nbacklog = 0\n";
    std::ofstream(path_ + "/routes.toml")
        << "[[routes]]\npath = \"/a/:x\"\ntext = \"x\"\n\n[[routes]]\npath = \"/a/:y\"\ntext = "
           "\"y\"\n\n[[routes]]\npath = \"/b/*\"\ntext = \"z\"\n";
    std::ofstream(path_ + "/file.txt") << "x";
    std::ofstream(path_ + "/app.js") << "x";
    fs::create_directory(path_ + "/bin");
    std::ofstream(path_ + "/bin/node") << "x";
    fs::permissions(path_ + "/bin/node", fs::perms::owner_all);
    REQUIRE(::chdir(path_.c_str()) == 0);
  }
  ~Web() {
    if (::chdir("/") == 0) fs::remove_all(path_);
  }
  Web(const Web&) = delete;
  Web& operator=(const Web&) = delete;

  std::string neutral(std::string text) const {
    for (auto at = text.find(path_); at != std::string::npos; at = text.find(path_)) {
      text.replace(at, path_.size(), "/home/ann/web");
    }
    return text;
  }

 private:
  std::string path_;
};

const pronghorn::config::Environment kEnvironment = {{"NO_COLOR", "1"}};

/// As main() goes on, up to the point where a server would start.
cli::Output carry_out(const cli::Parsed& parsed) {
  if (const auto* output = std::get_if<cli::Output>(&parsed)) return *output;
  if (const auto* check = std::get_if<cli::Check>(&parsed))
    return pronghorn::app::check_command(*check, kEnvironment);
  if (const auto* show = std::get_if<cli::ShowConfig>(&parsed))
    return pronghorn::app::config_command(*show, kEnvironment);
  if (const auto* serve = std::get_if<cli::Serve>(&parsed)) {
    const auto loaded = cli::load_sources(serve->sources, kEnvironment, true);
    if (!loaded) return loaded.error();
    return {.out = "(would serve)\n", .err = loaded->warnings, .code = 0};
  }
  if (const auto* run = std::get_if<cli::Run>(&parsed)) {
    auto environment = kEnvironment;
    environment.emplace_back("PATH", "bin");
    const auto loaded = cli::load_sources(run->sources, environment, false);
    if (!loaded) return loaded.error();
    const auto& program = loaded->outcome.config.programs.front();
    std::string words;
    for (const std::string& word : program.args) words += " " + word;
    return {
        .out = "(would run " + program.file + words + ")\n", .err = loaded->warnings, .code = 0};
  }
  return {.out = "(would ask the server)\n", .err = {}, .code = 0};
}

std::vector<const char*> pointers(const std::vector<std::string>& words) {
  std::vector<const char*> result;
  for (const std::string& word : words) result.push_back(word.c_str());
  return result;
}

cli::Parsed parse(const std::vector<std::string>& words) {
  const auto argv = pointers(words);
  const int argc = static_cast<int>(argv.size());
  return words[0] == "pronghorn" ? cli::parse_program(argc, argv.data())
                                 : cli::parse_serve_only(argc, argv.data());
}

cli::Sources from(std::optional<std::string> directory, std::optional<std::string> file) {
  cli::Sources sources;
  sources.directory = std::move(directory);
  sources.config_file = std::move(file);
  return sources;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("command line: each is answered as its golden says, byte for byte") {
  ::setenv("NO_COLOR", "1", 1);
  const std::string golden = contents(kGolden / "command_lines.txt");
  const Web web;
  std::string answered;
  int lines = 0;
  std::istringstream stream(golden);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("$ ")) continue;
    const std::string command = line.substr(2, line.find("  [exit ") - 2);
    const cli::Output output = carry_out(parse(words_of(command)));
    answered += "$ " + command + "  [exit " + std::to_string(output.code) + "]\n" +
                web.neutral(output.err + output.out) + "\n";
    ++lines;
  }
  if (const char* path = ::getenv("PRONGHORN_TEST_ANSWERS")) std::ofstream(path) << answered;
  CHECK(answered == golden);
  CHECK(lines >= 24);
}

TEST_CASE("command line: what was asked is on standard output, mistakes on standard error") {
  const Web web;
  for (const char* command :
       {"pronghorn --help", "pronghorn --version", "pronghorn help check", "pronghorn serve -h",
        "pronghorn check good.toml", "pronghorn check wrong.toml", "pronghorn config --default",
        "hello --help"}) {
    CAPTURE(command);
    const cli::Output output = carry_out(parse(words_of(command)));
    CHECK_FALSE(output.out.empty());
    CHECK(output.err.empty());
  }
  for (const char* command : {"pronghorn", "pronghorn sevre", "pronghorn serve --x",
                              "pronghorn serve ./sit", "pronghorn check"}) {
    CAPTURE(command);
    const cli::Output output = carry_out(parse(words_of(command)));
    CHECK(output.out.empty());
    CHECK_FALSE(output.err.empty());
    CHECK(output.code == 2);
  }
}

TEST_CASE("serve: every option arrives") {
  const auto parsed =
      parse({"pronghorn", "serve", "./site", "-l", "127.0.0.1:0", "--listen=unix:x.sock", "-w4",
             "--log-level", "debug", "--access-log", "-", "-c", "good.toml", "--color=never"});
  const auto* serve = std::get_if<cli::Serve>(&parsed);
  REQUIRE(serve != nullptr);
  CHECK(serve->sources.directory == "./site");
  CHECK(serve->sources.listen == std::vector<std::string>{"127.0.0.1:0", "unix:x.sock"});
  CHECK(serve->sources.workers == "4");
  CHECK(serve->sources.log_level == "debug");
  CHECK(serve->sources.access_log == "-");
  CHECK(serve->sources.config_file == "good.toml");
  CHECK(serve->sources.colour == cli::Colour::never);
}

TEST_CASE("serve: an option after DIR does not swallow it, and -- ends the options") {
  const auto parsed = parse({"pronghorn", "serve", "--listen", "127.0.0.1:0", "./site"});
  REQUIRE(std::get_if<cli::Serve>(&parsed) != nullptr);
  CHECK(std::get<cli::Serve>(parsed).sources.directory == "./site");
  const auto dashed = parse({"pronghorn", "serve", "--", "-odd-name"});
  REQUIRE(std::get_if<cli::Serve>(&dashed) != nullptr);
  CHECK(std::get<cli::Serve>(dashed).sources.directory == "-odd-name");
}

TEST_CASE("status: every option arrives") {
  const auto parsed =
      parse({"pronghorn", "status", "--json", "--control", "/x.sock", "--pid", "12"});
  const auto* status = std::get_if<cli::Status>(&parsed);
  REQUIRE(status != nullptr);
  CHECK(status->ask.json);
  CHECK(status->ask.control == "/x.sock");
  CHECK(status->ask.pid == 12);
}

TEST_CASE("reopen: every option arrives") {
  const auto parsed = parse({"pronghorn", "reopen", "--json", "--pid", "12"});
  const auto* reopen = std::get_if<cli::Reopen>(&parsed);
  REQUIRE(reopen != nullptr);
  CHECK(reopen->ask.json);
  CHECK(reopen->ask.pid == 12);
}

TEST_CASE(
    "sources: DIR of the command line overrides the file's root, and without DIR ./pronghorn.toml "
    "is found") {
  const Web web;
  const auto both = cli::load_sources(from(".", "good.toml"), kEnvironment, true);
  REQUIRE(both);
  CHECK(both->outcome.config.root == ".");
  CHECK(both->outcome.config.workers == 2);
  fs::copy("good.toml", "pronghorn.toml");
  const auto found = cli::load_sources({}, kEnvironment, true);
  REQUIRE(found);
  CHECK(found->outcome.file == "pronghorn.toml");
  CHECK(found->outcome.config.root == "site");
  const auto with_directory = cli::load_sources(from("site", {}), kEnvironment, true);
  REQUIRE(with_directory);
  CHECK(with_directory->outcome.file.empty());
  const auto by_variable = cli::load_sources({}, {{"PRONGHORN_CONFIG", "good.toml"}}, true);
  REQUIRE(by_variable);
  CHECK(by_variable->outcome.file == "good.toml");
}

TEST_CASE(
    "sources: as root, a ./pronghorn.toml that others can write is refused, and an explicit one is "
    "not") {
  if (::geteuid() != 0) return;  // nobody else can be misled
  const Web web;
  fs::copy("good.toml", "pronghorn.toml");
  fs::permissions("pronghorn.toml", fs::perms::others_write, fs::perm_options::add);
  const auto refused = cli::load_sources({}, kEnvironment, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == 78);
  CHECK(refused.error().err.find("others can write that file") != std::string::npos);
  CHECK(cli::load_sources(from({}, "./pronghorn.toml"), kEnvironment, true));
  fs::permissions("pronghorn.toml", fs::perms::others_write, fs::perm_options::remove);
  CHECK(cli::load_sources({}, kEnvironment, true));
  REQUIRE(::chown("pronghorn.toml", 12345, 0) == 0);
  CHECK_FALSE(cli::load_sources({}, kEnvironment, true));
}

TEST_CASE("sources: the system's file is the last place, and without it all places are named") {
  const Web web;
  cli::Sources sources;
  sources.system_file = "good.toml";
  const auto found = cli::load_sources(sources, kEnvironment, true);
  REQUIRE(found);
  CHECK(found->outcome.file == "good.toml");
  sources.system_file = "/nonexistent/pronghorn.toml";
  const auto none = cli::load_sources(sources, kEnvironment, true);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == 2);
  CHECK(web.neutral(none.error().err) ==
        "pronghorn: error: nothing to serve: no DIR and no configuration file\n"
        "  looked for $PRONGHORN_CONFIG, ./pronghorn.toml in /home/ann/web, "
        "/nonexistent/pronghorn.toml\n"
        "  try: pronghorn serve DIR, or pronghorn serve --config FILE\n");
  CHECK(cli::load_sources(sources, kEnvironment, false));
}

TEST_CASE("sources: a program of a library user runs without DIR and file") {
  const Web web;
  const auto parsed = parse({"/usr/bin/hello", "--workers", "2"});
  const auto* serve = std::get_if<cli::Serve>(&parsed);
  REQUIRE(serve != nullptr);
  CHECK(serve->sources.program == "hello");
  const auto loaded = cli::load_sources(serve->sources, kEnvironment, true);
  REQUIRE(loaded);
  CHECK(loaded->outcome.config.workers == 2);
  CHECK(loaded->outcome.file.empty());
}
