// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/offload.h>

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace pronghorn;

namespace {

/// Holds the pool's threads until it is opened.
struct Door {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  std::atomic<int> passed{0};
  void pass() {
    std::unique_lock lock(mutex);
    opened.wait(lock, [this] { return open; });
    ++passed;
  }
  void unlock() {
    std::lock_guard lock(mutex);
    open = true;
    opened.notify_all();
  }
};

}  // namespace

TEST_CASE("offload: runs on another thread, and its value comes to the loop's") {
  Loop loop;
  auto here = std::this_thread::get_id();
  auto main = [&]() -> Task<int> {
    auto work = [here, text = std::make_shared<std::string>("a text that is on the heap")] {
      CHECK(std::this_thread::get_id() != here);
      return *text + "!";
    };
    std::string value = co_await offload(loop, std::move(work));
    CHECK(std::this_thread::get_id() == here);
    CHECK(value == "a text that is on the heap!");
    bool ran = false;
    auto nothing = [&ran] { ran = true; };
    co_await offload(loop, nothing);
    co_return ran ? 7 : 0;
  };
  CHECK(run(loop, main()) == 7);
}

TEST_CASE("offload: what it throws is thrown where it is awaited") {
  Loop loop;
  auto main = [&]() -> Task<int> {
    auto work = []() -> int { throw std::invalid_argument("no"); };
    try {
      co_await offload(loop, work);
    } catch (const std::invalid_argument& error) {
      co_return std::string(error.what()) == "no" ? 1 : 2;
    }
    co_return 3;
  };
  CHECK(run(loop, main()) == 1);
}

TEST_CASE("offload: more than the queue takes is refused, and it takes again later") {
  Loop loop;
  set_offload_queue(loop, 2);
  Door door;
  int done = 0, refused = 0;
  auto one = [&]() -> Task<void> {
    auto work = [&door] { door.pass(); };
    try {
      co_await offload(loop, work);
      ++done;
    } catch (const OffloadQueueFull&) {
      ++refused;
    }
  };
  for (int i = 0; i < 5; ++i) start(loop, one());
  CHECK(refused == 3);
  door.unlock();
  loop.run();
  CHECK(done == 2);
  start(loop, one());
  loop.run();
  CHECK(done == 3);
}

TEST_CASE("offload: a task that is destroyed takes its call along, or leaves it to run unheard") {
  Loop loop;
  Door door;
  bool resumed = false;
  auto one = [&](std::shared_ptr<int> witness) -> Task<void> {
    auto work = [&door, witness] { door.pass(); };
    co_await offload(loop, std::move(work));
    resumed = true;
  };
  auto witness = std::make_shared<int>(0);
  {
    // More than there are threads: some run, some wait.
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 8; ++i) tasks.push_back(one(witness));
    for (auto& task : tasks) task.await_suspend(std::noop_coroutine()).resume();
    CHECK(witness.use_count() > 8);
  }
  door.unlock();
  loop.run();
  CHECK_FALSE(resumed);
  CHECK(witness.use_count() == 1);
  CHECK(door.passed < 8);
}

TEST_CASE("offload: a loop that ends waits for what runs, and drops what waits") {
  Door door;
  auto witness = std::make_shared<int>(0);
  std::thread opener;
  {
    Loop loop;
    auto one = [&](std::shared_ptr<int> kept) -> Task<void> {
      auto work = [&door, kept] { door.pass(); };
      co_await offload(loop, std::move(work));
      FAIL("nobody is there to hear");
    };
    for (int i = 0; i < 8; ++i) start(loop, one(witness));
    opener = std::thread([&door] { door.unlock(); });
  }
  opener.join();
  CHECK(witness.use_count() == 1);
}
