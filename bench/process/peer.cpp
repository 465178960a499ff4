// SPDX-License-Identifier: Apache-2.0
// Our side of bench/process/run: what peer.js does, with <pronghorn/process.h>. One JSON line at
// the end.
//   peer spawn N inherit|pipe | messages N BYTES | pingpong N BYTES | handles N
#include <pronghorn/process.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace ph = pronghorn;
using ph::Json;

namespace {

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "peer: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T need(ph::Result<T> result) {
  if (!result) fail(result.error().message());
  return std::move(*result);
}

struct Bench {
  ph::Loop loop;
  std::string what;
  long n = 0;
  std::string detail;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  void report() const {
    std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - began;
    std::printf("{\"n\": %ld, \"wall_us\": %.1f}\n", n, wall.count());
  }
  /// A message whose JSON text has exactly `bytes` bytes.
  static Json message(std::size_t bytes) {
    Json m{{"id", 123456}, {"body", ""}};
    m["body"] = std::string(bytes - m.dump().size(), 'x');
    return m;
  }
};

class Spawner {
 public:
  explicit Spawner(Bench& bench) : bench_(bench), left_(bench.n) {
    if (bench.detail == "inherit") options_.stdio = ph::process::Stdio::inherit;
    next();
  }

 private:
  void next() {
    if (left_-- == 0) return bench_.report();
    child_.emplace(need(ph::process::spawn(bench_.loop, "/bin/true", {}, options_)));
    child_->on_error([](const ph::Error& e) { fail(e.message()); });
    child_->on_close([this](const ph::process::Exit& e) {
      if (e.code != 0) fail("true failed");
      next();
    });
  }
  Bench& bench_;
  long left_;
  ph::process::SpawnOptions options_;
  std::optional<ph::process::ChildProcess> child_;
};

class Sender {
 public:
  explicit Sender(Bench& bench)
      : bench_(bench),
        left_(bench.n),
        message_(Bench::message(bench.what == "handles" ? 100 : std::stoul(bench.detail))),
        child_(
            need(ph::process::fork(bench.loop, "child", {bench.what, std::to_string(bench.n)}))) {
    child_.on_error([](const ph::Error& e) { fail(e.message()); });
    child_.on_message([this](const Json& got) { hear(got); });
  }

 private:
  void hear(const Json& got) {
    if (got.contains("ready")) {
      bench_.began = std::chrono::steady_clock::now();
      if (bench_.what == "handles") connect();
      if (bench_.what == "pingpong")
        send();
      else
        more();
    } else if (auto done = got.find("done"); done != got.end()) {
      bench_.report();
      if (*done != bench_.n) fail("the child counted " + done->dump());
      child_.disconnect();
    } else if (left_ > 0) {
      send();
    }
  }
  bool send() {
    --left_;
    auto sent = [this](const ph::Error* error) {
      if (error != nullptr) fail(error->message());
      if (--unsent_ > 0 || !waiting_) return;
      waiting_ = false;
      more();
    };
    ++unsent_;
    if (bench_.what == "pingpong") return need(child_.send(message_));
    if (bench_.what == "messages") return need(child_.send(message_, sent));
    return need(child_.send(Json("handle"), ph::ipc::Handle::socket(socket_.get()), sent));
  }
  /// After a false from send() it waits until all of it has left.
  void more() {
    while (left_ > 0 && !waiting_) waiting_ = !send();
  }
  void connect() {
    ph::UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(server.get(), at, size) != 0 || ::listen(server.get(), 1) != 0 ||
        ::getsockname(server.get(), at, &size) != 0 || ::connect(socket_.get(), at, size) != 0) {
      fail("no connection over the loopback");
    }
    other_.reset(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  Bench& bench_;
  long left_;
  long unsent_ = 0;
  bool waiting_ = false;
  Json message_;
  ph::UniqueFd socket_;
  ph::UniqueFd other_;
  ph::process::ChildProcess child_;
};

int child(const std::string& what, long n) {
  ph::Loop loop;
  auto parent = need(ph::process::parent(loop));
  if (!parent) fail("no channel");
  long got = 0;
  auto hear = [&](const Json& m, ph::ipc::ReceivedHandle& handle) {
    ++got;
    if (what == "messages" && m.at("body").get_ref<const std::string&>().empty()) fail("no body");
    if (what == "handles") {
      if (!handle) fail("a message without its handle");
      handle.fd.reset();
    }
    if (got == n)
      need(parent->send({{"done", got}}));
    else if (what == "pingpong")
      need(parent->send(m));
  };
  parent->on_message(hear);
  need(parent->send({{"ready", true}}));
  return loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) fail("usage: peer spawn|messages|pingpong|handles N [DETAIL]");
  if (argc == 4 && std::string_view(argv[1]) == "child") return child(argv[2], std::stol(argv[3]));
  Bench bench;
  bench.what = argv[1];
  bench.n = std::stol(argv[2]);
  bench.detail = argc > 3 ? argv[3] : "";
  if (bench.what == "spawn") {
    Spawner spawner(bench);
    return bench.loop.run();
  }
  Sender sender(bench);
  return bench.loop.run();
}
