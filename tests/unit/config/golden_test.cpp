// SPDX-License-Identifier: Apache-2.0
// golden/*.toml are wrong files; golden/*.out is, byte for byte, what people see.
#include "config/load.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace config = pronghorn::config;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = fs::path(__FILE__).parent_path() / "golden";

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string seen(const std::string& name) {
  config::Inputs inputs;
  inputs.file = name;
  inputs.environment = {{"HOME", "/home/ann"}, {"EMPTY", ""}};
  inputs.environment_sets_keys = false;
  const config::Outcome outcome = config::load(inputs);
  std::string text;
  for (const config::Problem& problem : outcome.problems)
    text += config::render(problem, "pronghorn", false);
  return text;
}

}  // namespace

TEST_CASE("check: each wrong file is answered as its golden says, byte for byte") {
  REQUIRE(::chdir(kGolden.c_str()) == 0);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    if (entry.path().extension() != ".toml") continue;
    const std::string name = entry.path().filename();
    CAPTURE(name);
    CHECK(seen(name) == contents(fs::path(entry.path()).replace_extension(".out")));
    ++files;
  }
  CHECK(files >= 12);
}

TEST_CASE("check: colour adds escapes and nothing else") {
  REQUIRE(::chdir(kGolden.c_str()) == 0);
  const config::Outcome outcome = config::load({.file = "names.toml",
                                                .environment = {},
                                                .environment_sets_keys = false,
                                                .command_line = {}});
  REQUIRE(!outcome.problems.empty());
  std::string coloured = config::render(outcome.problems.front(), "pronghorn", true);
  CHECK(coloured.find("\033[") != std::string::npos);
  for (const std::string escape : {"\033[1m", "\033[1;31m", "\033[1;33m", "\033[0m"}) {
    for (auto at = coloured.find(escape); at != std::string::npos; at = coloured.find(escape))
      coloured.erase(at, escape.size());
  }
  CHECK(coloured == config::render(outcome.problems.front(), "pronghorn", false));
}
