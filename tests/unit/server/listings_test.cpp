// SPDX-License-Identifier: Apache-2.0
#include "server/listings.h"

#include <pronghorn/base/uv/offload.h>

#include "base/uv/timer.h"
#include "server/request_builder.h"
#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn;
using pronghorn::server::Listings;
using pronghorn::server::RootDirectory;

namespace {

struct Rig {
  test::TemporaryTree tree;
  Loop loop;
  std::optional<Listings> listings;

  Rig() : Rig(Listings::Options{}) {}
  explicit Rig(Listings::Options options) {
    tree.file("dir/a.txt", "A");
    tree.file("other/b.txt", "B");
    for (const char* name : {"dir", "other"}) tree.touch(name, 1'000'000);
    auto root = RootDirectory::open(tree.path(""));
    REQUIRE(root);
    listings.emplace(std::make_shared<const RootDirectory>(std::move(*root)), std::move(options));
  }

  struct Asked {
    Request request;
    std::vector<Field> fields;
    std::optional<Response> response;
    bool is_done = false;
  };
  // "dir": asked for, and `asked` told when it is answered.
  Task<void> ask(std::string relative, std::string_view query, std::shared_ptr<Asked> asked) {
    RequestBuilder{asked->request}.method("GET").path("/").query(query).headers(asked->fields);
    auto directory = listings->find(relative);
    REQUIRE(directory);
    auto answer =
        listings->answer(loop, asked->request, relative, "/" + relative + "/", *directory);
    asked->response = co_await answer;
    asked->is_done = true;
  }
  std::shared_ptr<Asked> begin(const std::string& relative, std::string_view query = {}) {
    auto asked = std::make_shared<Asked>();
    start(loop, ask(relative, query, asked));
    return asked;
  }
  std::string page(const std::string& relative, std::string_view query = {}) {
    auto asked = begin(relative, query);
    loop.run();
    REQUIRE(asked->is_done);
    return text(*asked);
  }
  static std::string text(const Asked& asked) {
    return asked.response ? *std::get<std::shared_ptr<const std::string>>(asked.response->body())
                          : std::string("none");
  }
};

}  // namespace

TEST_CASE("listings: who asks for the same meanwhile gets the same page, read once") {
  Rig rig;
  auto first = rig.begin("dir"), second = rig.begin("dir");
  auto other = rig.begin("other"), sorted = rig.begin("dir", "sort=size");
  CHECK_FALSE(first->is_done);
  rig.loop.run();
  CHECK(rig.listings->reads() == 3);
  CHECK(std::get<std::shared_ptr<const std::string>>(first->response->body()) ==
        std::get<std::shared_ptr<const std::string>>(second->response->body()));
  CHECK(Rig::text(*first).contains(">a.txt</a>"));
  CHECK(Rig::text(*other).contains(">b.txt</a>"));
  CHECK(Rig::text(*sorted).contains("aria-sort=ascending><a href=\"?sort=size"));
}

TEST_CASE("listings: no more are read at once than may be, and the others wait") {
  Rig rig(Listings::Options{.at_once = 1});
  auto first = rig.begin("dir"), second = rig.begin("other");
  CHECK(rig.listings->reads() == 1);
  rig.loop.run();
  CHECK(rig.listings->reads() == 2);
  CHECK(first->is_done);
  CHECK(second->is_done);
}

TEST_CASE("listings: no more wait than may, whoever asks for one more is told at once") {
  Rig rig(Listings::Options{.at_once = 1, .most_waiting = 2});
  auto refused = [&](std::string_view query) -> Task<int> {
    auto asked = std::make_shared<Rig::Asked>();
    try {
      auto answer = rig.ask("dir", query, asked);
      co_await answer;
    } catch (const OffloadQueueFull&) {
      co_return 1;
    }
    co_return 0;
  };
  auto running = rig.begin("dir"), second = rig.begin("other"),
       third = rig.begin("dir", "sort=size");
  CHECK(run(rig.loop, refused("sort=time")) == 1);
  auto same = rig.begin("dir", "sort=size");  // waits with the third
  rig.loop.run();
  for (const auto& asked : {running, second, third, same}) CHECK(asked->is_done);
  CHECK(run(rig.loop, refused("sort=time")) == 0);
}

TEST_CASE("listings: a page is given out again until its directory changes, for a time") {
  using std::chrono::milliseconds;
  Listings::Options options{.settled = milliseconds(0)};
  SUBCASE("it is kept") {
    Rig rig(std::move(options));
    const std::string before = rig.page("dir");
    CHECK(rig.page("dir") == before);
    CHECK(rig.listings->reads() == 1);
    rig.tree.file("dir/new.txt", "N");
    rig.tree.touch("dir", 1'000'001);
    CHECK(rig.page("dir").contains(">new.txt</a>"));
    CHECK(rig.listings->reads() == 2);
  }
  SUBCASE("not for longer than is said") {
    options.valid = milliseconds(0);
    Rig rig(std::move(options));
    rig.page("dir");
    rig.page("dir");
    CHECK(rig.listings->reads() == 2);
  }
  SUBCASE("nor beyond its bytes: the oldest goes") {
    options.kept_bytes = Rig().page("dir").size() + 10;  // one page
    Rig rig(std::move(options));
    rig.page("dir");
    rig.page("other");
    rig.page("other");
    CHECK(rig.listings->reads() == 2);
    rig.page("dir");
    CHECK(rig.listings->reads() == 3);
  }
}

TEST_CASE("listings: a page of a directory that changed just now is not given out again") {
  Rig rig;  // its time of change is that of this moment, whatever its time of modification
  rig.page("dir");
  rig.page("dir");
  CHECK(rig.listings->reads() == 2);
}

TEST_CASE("listings: what is no directory any more has no page") {
  Rig rig;
  auto directory = rig.listings->find("dir");
  REQUIRE(directory);
  CHECK_FALSE(rig.listings->find("dir/a.txt"));
  CHECK_FALSE(rig.listings->find("none"));
  CHECK_FALSE(rig.listings->find(".."));
  auto asked = rig.begin("dir");
  ::unlink(rig.tree.path("dir/a.txt").c_str());
  ::rmdir(rig.tree.path("dir").c_str());
  rig.loop.run();
  CHECK(asked->is_done);
}

TEST_CASE("listings: who does not wait to the end is not called") {
  Rig rig;
  auto asked = std::make_shared<Rig::Asked>();
  {
    auto task = rig.ask("dir", {}, asked);
    task.await_suspend(std::noop_coroutine()).resume();
  }
  rig.loop.run();
  CHECK_FALSE(asked->is_done);
  CHECK(rig.listings->reads() == 1);
}

TEST_CASE("listings: the loop turns while thousands of names are read") {
  Rig rig;
  for (int i = 0; i < 2000; ++i) {
    rig.tree.link("dir/" + std::to_string(i), "a.txt");
  }
  int turns = 0;
  uv::Timer timer(rig.loop, [&] { ++turns; });
  timer.start(Millis(1), Millis(1));
  timer.unref();
  auto asked = rig.begin("dir");
  rig.loop.run();
  CHECK(Rig::text(*asked).contains(">1999</a>"));
  CHECK(turns >= 2);
}
