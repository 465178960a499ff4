// SPDX-License-Identifier: Apache-2.0
#include "app/panel.h"

#include <doctest/doctest.h>

using namespace pronghorn;
using app::PanelInfo;

namespace {
config::ListenAddress tcp(std::string host, std::uint16_t port) {
  return {.host = std::move(host), .port = port, .path = {}};
}
}  // namespace

TEST_CASE("ready line: one URL per listener, brackets around IPv6, http+unix for a path") {
  CHECK(app::ready_line({tcp("127.0.0.1", 8080)}, {}, 2, 4711) ==
        "ready http://127.0.0.1:8080 workers=2 pid=4711\n");
  CHECK(app::ready_line({tcp("::1", 1), {.host = {}, .port = 0, .path = "/run/p.sock"}}, {}, 1,
                        5) == "ready http://[::1]:1 http+unix:/run/p.sock workers=1 pid=5\n");
  CHECK(app::ready_line({tcp("127.0.0.1", 80)}, {"127.0.0.1:3000"}, 2, 7) ==
        "ready http://127.0.0.1:80 127.0.0.1:3000 workers=2 pid=7\n");
}

TEST_CASE("panel: on loopback it says so, and how to share") {
  CHECK(app::panel_text({.what = "./site",
                         .workers = 2,
                         .listeners = {tcp("127.0.0.1", 8080)},
                         .opened = {},
                         .networks = {},
                         .notes = {}}) ==
        "pronghorn 0.1.0 · ./site · 2 workers\n"
        "\n"
        "  http://127.0.0.1:8080/        this machine only\n"
        "\n"
        "  share on the network: --listen 0.0.0.0:8080     stop: Ctrl-C\n");
}

TEST_CASE("panel: a wildcard listener shows where the network finds it") {
  CHECK(app::panel_text({.what = "./site",
                         .workers = 1,
                         .listeners = {tcp("0.0.0.0", 80)},
                         .opened = {},
                         .networks = {{"192.0.2.2", "eth0"}},
                         .notes = {"using 1 of 8 CPUs (cgroup quota)"}}) ==
        "pronghorn 0.1.0 · ./site · 1 worker\n"
        "\n"
        "  http://localhost:80/\n"
        "  http://192.0.2.2:80/          on the network (eth0)\n"
        "\n"
        "  note: using 1 of 8 CPUs (cgroup quota)\n"
        "  stop: Ctrl-C\n");
}

TEST_CASE("panel: what programs opened is shown as it is, for its protocol is not known") {
  const std::string text = app::panel_text({.what = "app.js",
                                            .workers = 2,
                                            .listeners = {},
                                            .opened = {"127.0.0.1:3000", "*:3001"},
                                            .networks = {},
                                            .notes = {}});
  CHECK(text.find("  127.0.0.1:3000\n  *:3001\n\n  stop: Ctrl-C\n") != std::string::npos);
}
