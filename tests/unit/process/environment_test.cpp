// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/environment.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

using pronghorn::process::child_environment;
using pronghorn::process::Environment;

namespace {

using Strings = std::vector<std::string>;

/// This process's environment for one test.
struct Ours {
  explicit Ours(std::vector<const char*> strings) : strings_(std::move(strings)) {
    strings_.push_back(nullptr);
    environ = const_cast<char**>(strings_.data());
  }
  ~Ours() { environ = before_; }
  std::vector<const char*> strings_;
  char** before_ = environ;
};

}  // namespace

TEST_CASE("environment: one that was not given says nothing, an empty one says none") {
  Ours ours({"A=1", "B=2"});
  CHECK_FALSE(Environment().is_given());
  CHECK(Environment::empty().is_given());
  CHECK(Environment().set("X", "1").is_given());
  CHECK(Environment().unset("X").is_given());
  CHECK(child_environment({}, {}) == Strings{"A=1", "B=2"});
  CHECK(child_environment(Environment::empty(), {}) == Strings{});
}

TEST_CASE("environment: given, it replaces ours, and what is unset in it is not there") {
  Ours ours({"A=1"});
  Environment env{{"B", "2"}, {"C", std::nullopt}, {"D", ""}};
  CHECK(child_environment(env, {}) == Strings{"B=2", "D="});
}

TEST_CASE("environment: of a name set twice the last value counts, in the place of the first") {
  Environment env{{"A", "1"}, {"B", "2"}, {"A", "3"}};
  env.set("C", "x=y").unset("B").set("A", "4");
  CHECK(child_environment(env, {}) == Strings{"A=4", "C=x=y"});
  REQUIRE(env.find("A") != nullptr);
  CHECK(*env.find("A") == "4");
  CHECK(env.find("B") == nullptr);
  CHECK(env.find("NONE") == nullptr);
  CHECK(env.entries().size() == 3);
}

TEST_CASE("environment: a merge changes, adds and removes, in ours or in a given one") {
  Environment merge{{"B", "new"}, {"C", std::nullopt}, {"D", "added"}};
  SUBCASE("ours, with names that are there twice") {
    Ours ours({"A=1", "B=2", "C=3", "B=4", "C=5", "BB=6"});
    CHECK(child_environment({}, merge) == Strings{"A=1", "B=new", "BB=6", "D=added"});
  }
  SUBCASE("a given one") {
    Environment env{{"C", "3"}, {"E", "5"}};
    CHECK(child_environment(env, merge) == Strings{"E=5", "B=new", "D=added"});
  }
}

TEST_CASE("environment: the current one is a copy, as getenv sees ours") {
  Ours ours({"A=1", "A=2", "no variable", "B=x=y", "EMPTY="});
  Environment env = Environment::current();
  env.set("B", "changed");
  CHECK(child_environment(env, {}) == Strings{"A=1", "B=changed", "EMPTY="});
  CHECK(child_environment({}, {}).at(3) == "B=x=y");
}

TEST_CASE("environment: this process without any has none to inherit") {
  char** before = std::exchange(environ, nullptr);
  auto inherited = child_environment({}, {});
  auto current = Environment::current();
  environ = before;
  CHECK(inherited.empty());
  CHECK(current.is_given());
  CHECK(current.entries().empty());
}

// Each variable once searched among all others was a minute.
TEST_CASE("environment: 50,000 variables are changed by as many at once" * doctest::timeout(10)) {
  constexpr std::size_t kCount = 50'000;
  auto name = [](std::size_t n) { return "VARIABLE_" + std::to_string(100'000 + n); };
  Environment env = Environment::empty();
  Environment merge;
  for (std::size_t n = 0; n < kCount; ++n) {
    env.set(name(n), "old").set(name(n), "1");
    if (n % 2 == 0) {
      merge.set(name(n), "2");
    } else {
      merge.unset(name(n));
    }
  }
  merge.set("LAST", "3").set("LAST", "4");
  REQUIRE(env.entries().size() == kCount);
  REQUIRE(env.find(name(kCount - 1)) != nullptr);
  CHECK(*env.find(name(kCount - 1)) == "1");
  CHECK(merge.find(name(1)) == nullptr);
  CHECK(env.find("LAST") == nullptr);
  auto strings = child_environment(env, merge);
  REQUIRE(strings.size() == kCount / 2 + 1);
  CHECK(strings.front() == name(0) + "=2");
  CHECK(strings[kCount / 2 - 1] == name(kCount - 2) + "=2");
  CHECK(strings.back() == "LAST=4");
}
