// SPDX-License-Identifier: Apache-2.0
// A socket for each slot, which outlives its worker (docs/decisions/0013).
#include "primary_rig.h"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::test;
using Rig = PrimaryRig;

namespace {

struct ReuseportRig : Rig {
  explicit ReuseportRig(std::uint32_t slots) : Rig(Scheduling::reuseport, slots) {}

  /// Worker `id` of slot id - 1 asks for the server; its own socket.
  UniqueFd join(std::uint64_t id) {
    add(id, static_cast<std::uint32_t>(id - 1));
    return take_socket(id);
  }
  UniqueFd take_socket(std::uint64_t id) {
    UniqueFd fd(::fcntl(ask(id, tcp_query(0)).fd.get(), F_DUPFD_CLOEXEC, 3));
    return fd;
  }
  /// What worker `id` was lent and had to give back since the last call: "+1" and "-1", by slot.
  std::string lent(std::uint64_t id) {
    std::string out;
    Worker& worker = workers[id];
    for (; seen[id] < worker.sent.size(); ++seen[id]) {
      Sent& each = worker.sent[seen[id]];
      if (each.json.at("cmd") != "NODE_PRONGHORN") continue;
      CHECK(each.json.at("key") == "127.0.0.1:0:4:undefined:0");
      bool is_lend = each.json.at("act") == "lend";
      CHECK(is_lend == static_cast<bool>(each.fd));
      out += fmt::format("{}{}", is_lend ? "+" : "-", each.json.at("slot").get<int>());
      if (is_lend) borrowed = UniqueFd(::fcntl(each.fd.get(), F_DUPFD_CLOEXEC, 3));
    }
    return out;
  }
  std::map<std::uint64_t, std::size_t> seen;
  UniqueFd borrowed;  // the last that was lent
};

/// Connects until `socket` has one that waits.
std::vector<UniqueFd> fill(const UniqueFd& socket) {
  std::vector<UniqueFd> clients;
  pollfd entry{socket.get(), POLLIN, 0};
  for (int i = 0; i < 400 && ::poll(&entry, 1, 0) == 0; ++i) {
    clients.push_back(connect_to(where(socket)));
    REQUIRE(clients.back());
  }
  REQUIRE(::poll(&entry, 1, 0) == 1);
  return clients;
}

}  // namespace

TEST_CASE("reuseport: each slot has a socket of its own, of one port, and gets its connections") {
  ReuseportRig rig(3);
  std::vector<UniqueFd> own;
  for (std::uint64_t id : {1, 2, 3}) own.push_back(rig.join(id));
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(connect_to(where(own[0])));
    REQUIRE(clients.back());
  }
  int all = 0;
  for (const UniqueFd& socket : own) {
    CHECK(where(socket) == where(own[0]));
    CHECK((::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
    int mine = 0;
    while (accept_one(socket, 0)) ++mine;
    // A third each by the hash of the address: 20 of 300 is 11 standard deviations off.
    CHECK(mine > 20);
    all += mine;
  }
  CHECK(all == 300);
}

TEST_CASE("reuseport: the sockets of slots without a worker are lent, and taken back one by one") {
  ReuseportRig rig(4);
  rig.join(2);
  CHECK(rig.lent(2) == "+0");
  rig.join(1);
  CHECK(rig.lent(2) == "-0");
  CHECK(rig.lent(1) == "");
  rig.join(3);
  rig.join(4);
  CHECK(rig.lent(2) == "");
  rig.primary->remove(3);
  rig.primary->remove(4);
  CHECK(rig.lent(2) == "+2");
  CHECK(rig.lent(1) == "+3");
  rig.join(3);
  CHECK(rig.lent(2) == "-2");
  CHECK(rig.lent(1) + rig.lent(3) == "");
}

TEST_CASE("reuseport: a slot that no worker has ever had has no socket") {
  ReuseportRig rig(256);
  rig.add(1, 7);
  auto open = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = open();
  // The first, the slot's own, and what the rig keeps of both.
  rig.take_socket(1);
  CHECK(open() - before <= 4);
  CHECK(rig.lent(1) == "+0");
}

TEST_CASE("reuseport: a socket that is made while no new connection may begin takes none") {
  ReuseportRig rig(2);
  UniqueFd first = rig.join(1);
  rig.primary->refuse_new();
  UniqueFd second = rig.join(2);
  // Where the kernel lets us have no filter, neither has one.
  auto filter = [](const UniqueFd& fd) {
    std::array<sock_filter, 64> code{};
    socklen_t count = code.size();
    return ::getsockopt(fd.get(), SOL_SOCKET, SO_GET_FILTER, code.data(), &count) == 0 ? count : 0;
  };
  CHECK(filter(second) == filter(first));
}

TEST_CASE("reuseport: a worker whose socket cannot be made is told why") {
  ReuseportRig rig(2);
  rig.join(1);
  rig.add(2, 1);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const int error = rig.refused(2, Rig::tcp_query(0));
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(error == EMFILE);
  CHECK(rig.take_socket(2));
}

TEST_CASE("reuseport: what waits at a killed worker's socket is another's, and new clients are") {
  ReuseportRig rig(3);
  UniqueFd first = rig.join(1);
  UniqueFd second = rig.join(2);
  rig.join(3);
  auto clients = fill(second);
  for (std::uint64_t id : {1, 2, 3}) rig.lent(id);
  second.reset();
  rig.primary->remove(2);
  rig.workers.erase(2);
  CHECK(rig.lent(1) == "+1");
  CHECK(rig.lent(3) == "");
  CHECK(accept_one(rig.borrowed));
  auto more = fill(rig.borrowed);
  // Its successor gets the same socket, and the lent one goes back.
  UniqueFd again = rig.join(2);
  CHECK(rig.lent(1) == "-1");
  CHECK(accept_one(again));
}

TEST_CASE("reuseport: the worker that borrows least gets the next one") {
  ReuseportRig rig(4);
  for (std::uint64_t id : {1, 2, 3, 4}) rig.join(id);
  for (std::uint64_t id : {1, 2, 3, 4}) rig.lent(id);
  rig.primary->remove(1);
  rig.primary->remove(2);
  CHECK(rig.lent(3) == "+0");
  CHECK(rig.lent(4) == "+1");
  // All that the third had is the fourth's.
  rig.primary->remove(3);
  CHECK(rig.lent(4) == "+0+2");
}

TEST_CASE("reuseport: a worker that does not answer is stood in for until it does") {
  ReuseportRig rig(2);
  UniqueFd first = rig.join(1);
  rig.join(2);
  for (std::uint64_t id : {1, 2}) rig.lent(id);
  auto clients = fill(first);
  rig.primary->set_suspect(1, true);
  rig.primary->set_suspect(1, true);
  CHECK(rig.lent(2) == "+0");
  CHECK(accept_one(rig.borrowed));
  rig.primary->set_suspect(1, false);
  CHECK(rig.lent(2) == "-0");
}

TEST_CASE("reuseport: a borrower that does not answer, or dies, is stood in for as well") {
  ReuseportRig rig(3);
  for (std::uint64_t id : {1, 2, 3}) rig.join(id);
  for (std::uint64_t id : {1, 2, 3}) rig.lent(id);
  rig.primary->remove(1);
  CHECK(rig.lent(2) == "+0");
  rig.primary->set_suspect(2, true);
  CHECK(rig.lent(2) == "-0");
  CHECK(rig.lent(3) == "+0+1");
  // Nobody is left who answers: it stays where it is.
  rig.primary->set_suspect(3, true);
  CHECK(rig.lent(3) == "");
  rig.primary->set_suspect(2, false);
  CHECK(rig.lent(3) == "-0-1");
  CHECK(rig.lent(2) == "+0+2");
  rig.primary->remove(2);
  CHECK(rig.lent(3) == "");
  // Now it is lent again when somebody answers.
  rig.primary->set_suspect(3, false);
  CHECK(rig.lent(3) == "+0+1");
}

TEST_CASE("reuseport: the socket of a worker that leaves or closes is lent while others go on") {
  ReuseportRig rig(2);
  rig.join(1);
  rig.join(2);
  for (std::uint64_t id : {1, 2}) rig.lent(id);
  SUBCASE("told to") { CHECK(rig.primary->disconnect(1).value()); }
  SUBCASE("by itself") { rig.say(1, {{"act", "exitedAfterDisconnect"}}); }
  SUBCASE("it closes the server") { rig.close(1, "127.0.0.1:0:4:undefined:0"); }
  CHECK(rig.lent(2) == "+0");
}

TEST_CASE("reuseport: while it drains, who leaves takes what waits; who dies is stood in for") {
  ReuseportRig rig(3);
  for (std::uint64_t id : {1, 2, 3}) rig.join(id);
  for (std::uint64_t id : {1, 2, 3}) rig.lent(id);
  bool drained = false;
  rig.primary->drain([&] { drained = true; });
  CHECK(drained);
  CHECK(rig.primary->disconnect(1).value());
  CHECK(rig.lent(2) + rig.lent(3) == "");
  rig.primary->remove(2);
  CHECK(rig.lent(3) == "+0+1");
}

TEST_CASE("reuseport: a loan that cannot be sent goes to another worker") {
  ReuseportRig rig(3);
  for (std::uint64_t id : {1, 2, 3}) rig.join(id);
  for (std::uint64_t id : {1, 2, 3}) rig.lent(id);
  SUBCASE("out of descriptors") { rig.workers[1].fails_with = EMFILE; }
  SUBCASE("its channel has ended") { rig.workers[1].fails_with = -1; }
  rig.primary->remove(2);
  CHECK(rig.lent(1) == "");
  CHECK(rig.lent(3) == "+1");
}

TEST_CASE("reuseport: a loan that the borrower has no descriptor for is another's, or made again") {
  ReuseportRig rig(3);
  for (std::uint64_t id : {1, 2, 3}) rig.join(id);
  for (std::uint64_t id : {1, 2, 3}) rig.lent(id);
  rig.primary->remove(2);
  CHECK(rig.lent(1) == "+1");
  auto lose = [&](std::uint64_t id) { rig.workers[id].sent.back().on_lost(); };
  lose(1);
  lose(1);  // it is not its any more
  CHECK(rig.lent(3) == "+1");
  lose(3);
  CHECK(rig.lent(1) + rig.lent(3) == "");
  std::string again;
  CHECK(run_until(rig.loop, [&] { return !(again = rig.lent(1) + rig.lent(3)).empty(); }));
  CHECK(again == "+1");
  rig.primary.reset();
  lose(1);
}

TEST_CASE("reuseport: a worker without a slot is refused, and so are all without a scoreboard") {
  ReuseportRig rig(2);
  rig.add(7);
  CHECK(rig.refused(7, Rig::tcp_query(0)) == ENOTSUP);
  rig.add(8, 2);
  CHECK(rig.refused(8, Rig::tcp_query(0)) == ENOTSUP);
  Rig none(Scheduling::reuseport);
  none.add(1, 0);
  CHECK(none.refused(1, Rig::tcp_query(0)) == ENOTSUP);
  auto listener = Listener::open({"127.0.0.1", 0, {}}, 1);
  CHECK(none.primary->adopt(*listener).error().errno_value() == ENOTSUP);
}

TEST_CASE("reuseport: a port that another program holds is in use, even if that one would share") {
  ReuseportRig rig(2);
  auto [other, port] = listen_as_one_who_shares();
  rig.add(1, 0);
  CHECK(rig.refused(1, Rig::tcp_query(port)) == EADDRINUSE);
  // And a second one of ours finds the first.
  UniqueFd ours = rig.take_socket(1);
  ReuseportRig second(2);
  second.add(1, 0);
  CHECK(second.refused(1, Rig::tcp_query(where(ours).port)) == EADDRINUSE);
}

TEST_CASE("reuseport: an adopted listener is slot 0's, with its options on the others") {
  for (const char* host : {"127.0.0.1", "::"}) {
    CAPTURE(host);
    auto listener = Listener::open({host, 0, {}}, 37);
    REQUIRE(listener);
    PrimaryRig rig(Scheduling::reuseport, 2);
    REQUIRE(rig.primary->adopt(*listener));
    rig.add(1, 0);
    rig.add(2, 1);
    auto query = Rig::tcp_query(listener->address().port, {{"address", host}});
    Rig::Sent& first = rig.ask(1, query);
    CHECK(where(first.fd) == listener->address());
    auto second = UniqueFd(::fcntl(rig.ask(2, query).fd.get(), F_DUPFD_CLOEXEC, 3));
    CHECK(where(second) == listener->address());
    CHECK(option(second, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(second, IPPROTO_TCP, TCP_DEFER_ACCEPT) == 1);
    if (std::string(host) == "::") CHECK(option(second, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(second.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
    CHECK(info.tcpi_sacked == 37);
    // Both are asked to refuse, and both are gone at the end.
    listener->refuse_new();
    rig.primary->refuse_new();
    rig.primary->close_servers();
    for (auto& [id, worker] : rig.workers) worker.sent.clear();
    second.reset();
    auto address = listener->address();
    listener->close();
    CHECK(Listener::open(address, 1));
  }
}

TEST_CASE("reuseport: unix sockets and descriptors are shared") {
  PrimaryRig rig(Scheduling::reuseport, 2);
  Folder folder;
  auto ours = Listener::open({"127.0.0.1", 0, {}}, 4);
  rig.add(1, 0);
  rig.add(2, 1);
  for (std::uint64_t id : {1, 2}) {
    CHECK(rig.ask(id, {{"act", "queryServer"},
                       {"index", 0},
                       {"address", folder / "s"},
                       {"port", -1},
                       {"addressType", -1}})
              .fd);
    CHECK(
        rig.ask(
               id,
               {{"act", "queryServer"}, {"index", 0}, {"addressType", nullptr}, {"fd", ours->fd()}})
            .fd);
  }
  CHECK(rig.workers[1].sent.size() == 2);
  CHECK(rig.workers[2].sent.size() == 2);
}
