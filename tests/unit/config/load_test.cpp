// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include "config/account.h"
#include "config/print.h"
#include "config/schema.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <stdlib.h>

using namespace pronghorn;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/pronghorn-config-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& text) const {
    std::ofstream(path_ / "p.toml", std::ios::binary) << text;
    return path_ / "p.toml";
  }
  std::string path() const { return path_; }

 private:
  fs::path path_;
};

config::Outcome load(const std::string& file, config::Environment environment = {},
                     std::vector<config::Override> line = {}) {
  return config::load({.file = file,
                       .environment = std::move(environment),
                       .environment_sets_keys = true,
                       .command_line = std::move(line)});
}

}  // namespace

TEST_CASE("load: nothing given is the defaults") {
  const auto outcome = load({});
  CHECK(outcome.ok());
  CHECK(outcome.config == config::Config());
  CHECK(outcome.origin("workers").text() == "default");
}

TEST_CASE("load: defaults < file < environment < command line, each with its origin") {
  const Folder folder;
  const std::string file =
      folder.write("workers = 2\nbacklog = 7\n[limits]\nbody = \"2MiB\"\nuri = \"1KiB\"\n");
  const auto outcome = load(file,
                            {{"PRONGHORN_WORKERS", "3"},
                             {"PRONGHORN_LIMITS_BODY", "3MiB"},
                             {"PRONGHORN_CONFIG", "x"},
                             {"PRONGHORN_BOOT", "y"}},
                            {{"workers", {"4"}, "--workers"}});
  REQUIRE(outcome.problems.empty());
  CHECK(outcome.config.workers == 4);
  CHECK(outcome.config.limits.body == 3U * 1024 * 1024);
  CHECK(outcome.config.limits.uri == 1024);
  CHECK(outcome.config.backlog == 7);
  CHECK(outcome.origin("workers").text() == "command line");
  CHECK(outcome.origin("limits.body").text() == "environment PRONGHORN_LIMITS_BODY");
  CHECK(outcome.origin("limits.uri").text() == file + ":5");
  CHECK(outcome.origin("backlog").text() == file + ":2");
  CHECK(outcome.origin("limits.head").text() == "default");
}

TEST_CASE("load: every key can be set by its environment variable") {
  config::Config changed;
  for (const config::Key& key : config::schema()) {
    CAPTURE(key.name);
    std::string text(key.example);
    if (key.type == config::Type::addresses) text = "127.0.0.1:1,unix:a.sock";
    if (key.type == config::Type::file_names) text = "a.html,b.html";
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
    if (key.type == config::Type::media_types) text = "image/*,text/html";
    if (key.name == "root") text = "/";
    if (key.name == "fallback") text = "etc/passwd";
    if (key.name == "access_log") text = "off";
    config::Environment environment = {{key.environment_name(), text}};
    if (key.name == "sticky") environment.emplace_back("PRONGHORN_SCHEDULING", "round_robin");
    if (key.name == "fallback") environment.emplace_back("PRONGHORN_ROOT", "/");
    if (key.name == "user") environment.front().second = "daemon";
    if (key.name == "group") {
      environment = {{"PRONGHORN_USER", "daemon"}, {key.environment_name(), "daemon"}};
    }
    const auto outcome = load({}, environment);
    // Only a file has [[hosts]] that a host could be unknown to.
    CHECK((outcome.problems.empty() || key.name == "unknown_hosts"));
    CHECK(key.read(outcome.config) != key.read(config::Config()));
  }
}

TEST_CASE("load: listeners of the command line replace the file's") {
  const Folder folder;
  const auto outcome = load(folder.write("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n"), {},
                            {{"listen", {"127.0.0.1:3", "unix:a,b"}, "--listen"}});
  REQUIRE(outcome.ok());
  REQUIRE(outcome.config.listen.size() == 2);
  CHECK(outcome.config.listen[0].text() == "127.0.0.1:3");
  CHECK(outcome.config.listen[1].text() == "unix:a,b");
}

TEST_CASE(
    "load: an unknown PRONGHORN_ variable is a warning, an empty one is unset, a wrong one is an "
    "error") {
  const auto unknown = load({}, {{"PRONGHORN_WOKERS", "3"}, {"PRONGHORN_WORKERS", ""}});
  CHECK(unknown.ok());
  REQUIRE(unknown.problems.size() == 1);
  CHECK(config::render(unknown.problems[0], "pronghorn", false) ==
        "pronghorn: warning: unknown environment variable 'PRONGHORN_WOKERS'\n  did you mean "
        "'PRONGHORN_WORKERS'?\n");
  const auto wrong = load({}, {{"PRONGHORN_LIMITS_BODY", "1M"}});
  REQUIRE(wrong.errors() == 1);
  CHECK(config::render(wrong.problems[0], "pronghorn", false) ==
        "pronghorn: error: PRONGHORN_LIMITS_BODY must be a size such as \"1MiB\" or \"32KiB\", not "
        "\"1M\"\n"
        "  did you mean '1MiB'?\n");
}

TEST_CASE("load: a directory named by the environment that is not there says who named it") {
  const auto outcome = load({}, {{"PRONGHORN_ROOT", "/nonexistent/x"}});
  REQUIRE(outcome.errors() == 1);
  CHECK(config::render(outcome.problems[0], "pronghorn", false) ==
        "pronghorn: error: cannot open '/nonexistent/x': no such directory\n  set by the "
        "environment variable PRONGHORN_ROOT\n");
}

TEST_CASE("load: variables are put into text, never into keys, and numbers may come from them") {
  const Folder folder;
  const auto outcome =
      load(folder.write("root = \"${DIR}\"\nworkers = \"${N:-5}\"\ncontrol = \"$${DIR}\"\nlisten = "
                        "\"127.0.0.1:${PORT:-81}\"\n"
                        "[[routes]]\npath = \"/${PORT:-p}\"\ntext = \"${DIR}$$\"\n"),
           {{"DIR", folder.path()}, {"PORT", ""}});
  REQUIRE_MESSAGE(outcome.ok(), config::render(outcome.problems.at(0), "", false));
  CHECK(outcome.config.root == folder.path());
  CHECK(outcome.config.workers == 5);
  CHECK(outcome.config.control == "${DIR}");
  CHECK(outcome.config.listen.at(0).port == 81);
  CHECK(outcome.config.routes.at(0).path == "/p");
  CHECK(outcome.config.routes.at(0).text == folder.path() + "$$");
  CHECK_FALSE(load(folder.write("\"${DIR}\" = 1\n"), {{"DIR", "workers"}}).ok());
}

TEST_CASE("load: a variable's value is not looked through again") {
  const Folder folder;
  const auto outcome = load(folder.write("control = \"${A}\"\n"), {{"A", "${B}"}});
  REQUIRE(outcome.ok());
  CHECK(outcome.config.control == "${B}");
}

TEST_CASE("load: an effective configuration printed and loaded again is the same") {
  const Folder folder;
  const auto first =
      load(folder.write("workers = 2\naccess_log = \"off\"\n[timeouts]\nhead = "
                        "\"3s\"\n[[routes]]\npath = \"/echo\"\nhandler = \"echo\"\n"),
           {{"PRONGHORN_CONTROL", "${not a variable}"}});
  REQUIRE(first.ok());
  const auto second = load(folder.write(config::print(first, false)));
  REQUIRE(second.ok());
  CHECK(second.config == first.config);
}

TEST_CASE("load: a file that cannot be read is one problem without a place") {
  const auto missing = load("/nonexistent/p.toml");
  REQUIRE(missing.errors() == 1);
  CHECK(missing.file_errno == ENOENT);
  CHECK(config::render(missing.problems[0], "pronghorn", false) ==
        "pronghorn: error: cannot read '/nonexistent/p.toml': no such file or directory\n");
  CHECK(load("/tmp").file_errno == EISDIR);
  CHECK(load("/dev/zero").file_errno == EFBIG);
}

TEST_CASE("load: a file of syntax errors only is bounded") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 500; ++i) text += "=\n";
  CHECK(load(folder.write(text)).errors() == 20);
}

TEST_CASE("load: endings of lines and files do not matter") {
  const Folder folder;
  for (const char* text :
       {"workers = 2", "workers = 2\r\n", "\xef\xbb\xbfworkers = 2\n", "\n\n\nworkers = 2\n\n"}) {
    const auto outcome = load(folder.write(text));
    CHECK(outcome.ok());
    CHECK(outcome.config.workers == 2);
  }
  CHECK(load(folder.write("")).ok());
  CHECK(load(folder.write("root = \"x")).errors() == 1);
  CHECK(load(folder.write("root = \"\"\"x\n\n")).errors() >= 1);
  CHECK(load(folder.write(std::string("\0", 1))).errors() == 1);
}

TEST_CASE("load: no truncation of a good file crashes or passes silently with a broken tail") {
  const Folder folder;
  const std::string text =
      "listen = [\"127.0.0.1:1\", 'unix:b']\nroot = \"${A:-/}\"\n[limits]\nbody = "
      "\"1MiB\"\n[[routes]]\npath = \"/x\"\ntext = \"\"\"a\nb\"\"\"\n";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const auto outcome = load(folder.write(text.substr(0, i)));
    for (const auto& problem : outcome.problems)
      CHECK_FALSE(config::render(problem, "p", true).empty());
  }
}

TEST_CASE("load: the scheduling is shared, and round_robin beside programs where none was named") {
  const Folder folder;
  const std::string script = folder.path() + "/a.js";
  std::ofstream(script) << "1";
  const std::string program = "[[programs]]\nnode = \"/bin/true\"\nfile = \"" + script + "\"\n";
  CHECK(load({}).config.scheduling == Scheduling::shared);
  auto beside = load(folder.write(program));
  CHECK(beside.ok());
  CHECK(beside.config.scheduling == Scheduling::round_robin);
  CHECK(beside.origin("scheduling").text() == "default");
  auto named = load(folder.write("scheduling = \"shared\"\n" + program));
  CHECK(named.ok());
  CHECK(named.config.scheduling == Scheduling::shared);
}

TEST_CASE("load: the program of the command line replaces the file's, and takes the key workers") {
  const Folder folder;
  const std::string file = folder.write("workers = 3\n[[programs]]\nfile = \"gone.js\"\n");
  config::Program program;
  program.file = "/bin/true";
  const auto outcome = config::load({.file = file,
                                     .environment = {},
                                     .environment_sets_keys = true,
                                     .command_line = {},
                                     .program = program});
  CHECK(outcome.ok());
  REQUIRE(outcome.config.programs.size() == 1);
  CHECK(outcome.config.programs[0].file == "/bin/true");
  CHECK(outcome.config.programs[0].workers == 3);
  CHECK(outcome.config.scheduling == Scheduling::round_robin);
}

TEST_CASE("load: a wrong scheduling of the command line is the command line's mistake") {
  const auto outcome = load({}, {}, {{"sticky", {"true"}, "--sticky"}});
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].on_command_line);
  CHECK(load({}, {},
             {{"sticky", {"true"}, "--sticky"}, {"scheduling", {"round_robin"}, "--scheduling"}})
            .ok());
}

TEST_CASE("load: types are kept by their extension in lower case, with their origin") {
  const Folder folder;
  const std::string file =
      folder.write("[types]\nMD = \"text/markdown ; charset=utf-8\"\n\"c++\" = \"${T:-a/b}\"\n");
  const auto outcome = load(file);
  REQUIRE(outcome.ok());
  CHECK(outcome.config.types.size() == 2);
  CHECK(outcome.config.types.at("md") == "text/markdown ; charset=utf-8");
  CHECK(outcome.config.types.at("c++") == "a/b");
  CHECK(outcome.origin("types.md").text() == file + ":2");
  CHECK(config::print(outcome, true).contains("\"c++\" = \"a/b\""));
}

TEST_CASE("load: a listener's own limits lie on top of everybody's, wherever these come from") {
  Folder folder;
  const auto file = folder.write(
      "listen = \"127.0.0.1:8080\"\n[[listeners]]\naddress = \"127.0.0.1:9000\"\n"
      "limits.body = \"8MiB\"\ntimeouts = { keepalive = \"1m\" }\n[limits]\nhead = \"64KiB\"\n");
  auto outcome = load(file, {{"PRONGHORN_LIMITS_BODY", "5B"}});
  CHECK(outcome.ok());
  REQUIRE(outcome.config.listen.size() == 2);
  CHECK(outcome.config.listen[1].port == 9000);
  REQUIRE(outcome.config.listeners.size() == 1);
  const config::Listener& own = outcome.config.listeners[0];
  CHECK(own.address == outcome.config.listen[1]);
  CHECK(own.limits.body == 8 << 20);
  CHECK(own.limits.head == 64 << 10);
  CHECK(own.timeouts.keepalive == std::chrono::minutes(1));
  CHECK(outcome.config.limits.body == 5);
}

TEST_CASE("load: listeners alone are all there is, and the command line replaces them too") {
  Folder folder;
  const auto file = folder.write(
      "[[listeners]]\naddress = \"127.0.0.1:9000\"\nlimits.requests_per_second = 5\n"
      "[[listeners]]\naddress = \"127.0.0.1:9001\"\n");
  auto outcome = load(file);
  REQUIRE(outcome.config.listen.size() == 2);
  CHECK(outcome.config.listen[0].port == 9000);
  CHECK(outcome.config.count_clients());
  CHECK(outcome.origin("listen").kind == config::Origin::Kind::file);
  outcome = load(file, {}, {{.key = "listen", .values = {"127.0.0.1:9001"}, .option = "--listen"}});
  REQUIRE(outcome.config.listen.size() == 1);
  REQUIRE(outcome.config.listeners.size() == 1);
  CHECK(outcome.config.listeners[0].address.port == 9001);
  CHECK_FALSE(outcome.config.count_clients());
}

TEST_CASE("load: the user is looked up, by name and by number") {
  auto root = config::find_account("root", "");
  REQUIRE(root.has_value());
  CHECK(root->uid == 0);
  CHECK(root->gid == 0);
  CHECK(root->name == "root");
  CHECK(config::find_account("0", "")->name == "root");
  auto nobody = config::find_account("4000000000", "77");
  REQUIRE(nobody.has_value());
  CHECK(nobody->uid == 4000000000);
  CHECK(nobody->gid == 77);
  CHECK(nobody->groups == std::vector<gid_t>{77});
  CHECK(nobody->name.empty());
  CHECK_FALSE(config::find_account("4294967295", "1").has_value());  // "no change" to setuid(2)
  CHECK_FALSE(config::find_account("no such user", "").has_value());
  CHECK(config::find_account("root", "no such group").error().is_group);
}
