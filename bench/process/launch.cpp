// SPDX-License-Identifier: Apache-2.0
// What it costs to start `true` and to see its end: by uv_spawn, by a bare posix_spawn and waitpid,
// and by ours on its loop. Interleaved rounds, one program at a time; CPU time of parent and
// children.
//
//   launch posix_spawn COUNT: that loop alone, for bench/process/run
//   launch [ROUNDS [PROGRAMS_PER_ROUND [MEBIBYTES_TOUCHED_BEFORE]]]
#include "process/launch.h"

#include "base/uv/box.h"
#include "process/reaper.h"

#include <uv.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace pronghorn;

namespace {

constexpr const char* kProgram = "/bin/true";

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "launch: %s failed\n", what);
  std::exit(1);
}

void by_posix_spawn(int count) {
  std::string name = kProgram;
  std::array<char*, 2> argv{name.data(), nullptr};
  for (int n = 0; n < count; ++n) {
    pid_t pid = 0;
    int status = 0;
    if (::posix_spawn(&pid, kProgram, nullptr, nullptr, argv.data(), environ) != 0)
      give_up("posix_spawn");
    if (::waitpid(pid, &status, 0) != pid || status != 0) give_up("waitpid");
  }
}

// One started process; its box frees itself.
struct Spawned : uv::Box<uv_process_t, int*> {};

void uv_spawn_next(uv_loop_t* loop, int* left) {
  std::string name = kProgram;
  std::array<char*, 2> argv{name.data(), nullptr};
  std::array<uv_stdio_container_t, 3> stdio{};
  for (int n = 0; n < 3; ++n) {
    stdio[static_cast<std::size_t>(n)].flags = UV_INHERIT_FD;
    stdio[static_cast<std::size_t>(n)].data.fd = n;
  }
  uv_process_options_t options{};
  options.file = kProgram;
  options.args = argv.data();
  options.stdio = stdio.data();
  options.stdio_count = 3;
  options.exit_cb = [](uv_process_t* ended, std::int64_t code, int) {
    if (code != 0) give_up("uv_spawn's program");
    auto* box = uv::box_of<Spawned>(ended);
    int* count = box->payload;
    uv_loop_t* on = ended->loop;
    uv::close_box(box);
    if (--*count > 0) uv_spawn_next(on, count);
  };
  int status = 0;
  auto box = uv::make_box<Spawned>(
      status, [&](uv_process_t& process) { return uv_spawn(loop, &process, &options); });
  if (!box) give_up("uv_spawn");
  box->payload = left;
  box.release();  // the exit callback closes it
}

void by_uv_spawn(int count) {
  Loop loop;
  uv_spawn_next(loop.native(), &count);
  loop.run();
}

void by_ours(int count) {
  Loop loop;
  process::LaunchPlan plan;
  plan.file = kProgram;
  plan.argv = {kProgram};
  for (char** entry = environ; *entry != nullptr; ++entry) plan.env.emplace_back(*entry);
  plan.descriptors = {0, 1, 2};
  std::optional<process::Reaper> child;
  std::function<void()> next = [&] {
    auto launched = process::launch(plan);
    if (!launched) give_up("launch");
    auto reaper =
        process::Reaper::watch(loop, std::move(*launched), [&](const process::Exit& exit) {
          if (exit != process::Exit{.code = 0}) give_up("our program");
          if (--count > 0) next();
        });
    if (!reaper) give_up("watch");
    child = std::move(*reaper);
  };
  next();
  loop.run();
}

double cpu_us() {
  double sum = 0;
  for (auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (timeval t : {usage.ru_utime, usage.ru_stime})
      sum += static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  }
  return sum;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int posix_spawn_alone(int count) {
  auto began = std::chrono::steady_clock::now();
  by_posix_spawn(count);
  std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - began;
  std::printf("{\"n\": %d, \"wall_us\": %.1f}\n", count, wall.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "posix_spawn") == 0)
    return posix_spawn_alone(std::atoi(argv[2]));
  auto argument = [&](int n, int otherwise) { return argc > n ? std::atoi(argv[n]) : otherwise; };
  int rounds = std::max(argument(1, 9), 1);
  int programs = std::max(argument(2, 200), 1);
  auto bytes = static_cast<std::size_t>(std::max(argument(3, 0), 0)) << 20;
  auto memory = std::make_unique<char[]>(bytes + 1);
  std::memset(memory.get(), 1, bytes + 1);

  struct Way {
    const char* name;
    void (*run)(int);
    std::vector<double> us;
  };
  std::array ways{Way{"posix_spawn", by_posix_spawn, {}}, Way{"uv_spawn", by_uv_spawn, {}},
                  Way{"ours", by_ours, {}}};
  for (int round = -1; round < rounds; ++round) {
    for (Way& way : ways) {
      double before = cpu_us();
      way.run(programs);
      if (round >= 0) way.us.push_back((cpu_us() - before) / programs);
    }
  }
  double bare = median(ways[0].us);
  std::printf("%d rounds of %d, %zu MiB touched; CPU us per program, parent and child\n", rounds,
              programs, bytes >> 20);
  for (const Way& way : ways) {
    auto [least, most] = std::ranges::minmax(way.us);
    std::printf("%-12s median %7.0f (%.0f-%.0f)  %.2f of posix_spawn\n", way.name, median(way.us),
                least, most, median(way.us) / bare);
  }
}
