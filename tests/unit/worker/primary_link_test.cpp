// SPDX-License-Identifier: Apache-2.0
// The worker's half of the protocol by itself, with messages as a Node v20 primary sends them.
#include "worker/primary_link.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;
using worker::PrimaryLink;

namespace {

using Granted = Result<PrimaryLink::Granted>;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

struct Link {
  std::vector<std::string> sent;
  bool connected = true;
  int asked_to_leave = 0;
  std::unique_ptr<PrimaryLink> link = std::make_unique<PrimaryLink>(
      PrimaryLink::Handlers{.send = [this](const ipc::InternalMessage& m) -> Result<bool> {
                              if (!connected)
                                return std::unexpected(Error(Errc::ipc_channel_closed, "closed"));
                              sent.push_back(m.text());
                              return true;
                            },
                            .on_disconnect_asked = [this] { ++asked_to_leave; }});

  /// What the primary sends. @returns whether the link took it
  bool receive(const std::string& text, UniqueFd fd = {}) {
    ipc::ReceivedHandle handle{.type = ipc::HandleType::net_native, .fd = std::move(fd)};
    return link->take(worker::Json::parse(text), handle);
  }
  std::string last() {
    REQUIRE_FALSE(sent.empty());
    return sent.back();
  }
  static UniqueFd socket() { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
  static ipc::ClusterMessage tcp(std::string host, std::int64_t port) {
    ipc::ClusterMessage query;
    query.address = std::move(host);
    query.port = port;
    return query;
  }
  ipc::ClusterMessage ask(ipc::ClusterMessage query, std::optional<Granted>& granted) {
    return link->query(std::move(query), [&granted](Granted g) { granted = std::move(g); }).value();
  }
  /// A server whose connections are handed over, by key "K".
  void serve(std::function<bool(UniqueFd)> take) {
    std::optional<Granted> granted;
    auto query = ask(tcp("127.0.0.1", 80), granted);
    receive(R"({"cmd":"NODE_CLUSTER","errno":null,"key":"K","ack":)" + std::to_string(*query.seq) +
            R"(,"data":null,"seq":0})");
    REQUIRE((granted && *granted));
    link->serve("K", std::move(take));
  }
  void hand_over(int seq, const std::string& key = "K") {
    receive(R"({"cmd":"NODE_CLUSTER","act":"newconn","key":")" + key + R"(","seq":)" +
                std::to_string(seq) + "}",
            socket());
  }
};

}  // namespace

TEST_CASE("primary link: it says online and asks as Node's worker does, byte for byte") {
  Link l;
  std::optional<Granted> granted;
  l.link->online();
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","act":"online","seq":0})");
  auto query = l.ask(Link::tcp("127.0.0.1", 8000), granted);
  CHECK(l.last() ==
        R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"127.0.0.1",)"
        R"("port":8000,"addressType":4,"flags":0,"backlog":0,"seq":1})");
  CHECK(query.seq == 1);
  CHECK_FALSE(granted);
}

TEST_CASE("primary link: a reply with a socket is shared, one without hands over") {
  Link l;
  std::optional<Granted> shared, handed;
  auto query = l.ask(Link::tcp("127.0.0.1", 0), shared);
  l.ask(Link::tcp("127.0.0.1", 28905), handed);
  UniqueFd socket = Link::socket();
  int number = socket.get();
  // In any order, and the socket stays the one of its reply.
  CHECK(l.receive(R"({"cmd":"NODE_CLUSTER","errno":null,"key":"127.0.0.1:28905:4:undefined:0",)"
                  R"("ack":1,"data":null,"sockname":{"address":"127.0.0.1","family":"IPv4",)"
                  R"("port":28905},"seq":1})"));
  CHECK(l.receive(R"({"cmd":"NODE_CLUSTER","errno":0,"key":"S","ack":0,"data":{"k":"7e"},"seq":2})",
                  std::move(socket)));
  REQUIRE((shared && *shared && handed && *handed));
  CHECK((*shared)->key == "S");
  CHECK((*shared)->socket.get() == number);
  CHECK((*shared)->data == R"({"k":"7e"})");
  CHECK_FALSE((*handed)->socket);
  CHECK((*handed)->sockname == Address{"127.0.0.1", 28905, AddressType::ipv4, {}});
  query.port = 41234;
  l.link->listening(query);
  CHECK(l.last() ==
        R"({"cmd":"NODE_CLUSTER","act":"listening","index":0,"data":null,"address":"127.0.0.1",)"
        R"("port":41234,"addressType":4,"flags":0,"backlog":0,"seq":2})");
}

TEST_CASE("primary link: equal servers are told apart by their index, per address") {
  Link l;
  std::optional<Granted> granted;
  auto index = [&](ipc::ClusterMessage q) { return l.ask(std::move(q), granted).index; };
  CHECK(index(Link::tcp("127.0.0.1", 0)) == 0);
  CHECK(index(Link::tcp("127.0.0.1", 0)) == 1);
  CHECK(index(Link::tcp("127.0.0.1", 1)) == 0);
  CHECK(index(Link::tcp("127.0.0.2", 0)) == 0);
  ipc::ClusterMessage six = Link::tcp("127.0.0.1", 0);
  six.address_type = AddressType::ipv6;
  CHECK(index(six) == 0);
  ipc::ClusterMessage any;
  any.port = 0;
  CHECK(index(any) == 0);
  any.fd = 5;
  CHECK(index(any) == 0);
}

TEST_CASE("primary link: the count of equal servers begins anew when all are closed") {
  Link l;
  std::optional<Granted> first, second, third;
  auto reply = [&](int ack, const char* key) {
    l.receive(R"({"cmd":"NODE_CLUSTER","errno":null,"key":")" + std::string(key) + R"(","ack":)" +
              std::to_string(ack) + R"(,"data":null,"seq":1})");
  };
  l.ask(Link::tcp("::1", 0), first);
  CHECK(l.ask(Link::tcp("::1", 0), second).index == 1);
  reply(0, "A");
  reply(1, "B");
  l.link->close("A");
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","act":"close","key":"A","seq":2})");
  CHECK(l.ask(Link::tcp("::1", 0), third).index == 2);
  l.link->close("B");
  l.receive(R"({"cmd":"NODE_CLUSTER","errno":-98,"key":"C","ack":3,"data":null,"seq":1})");
  CHECK(l.ask(Link::tcp("::1", 0), third).index == 0);
}

TEST_CASE("primary link: a refusal is Node's error") {
  struct Row {
    ipc::ClusterMessage query;
    const char* message;
  };
  ipc::ClusterMessage file = Link::tcp("/run/x.sock", -1);
  file.address_type = AddressType::unix_socket;
  ipc::ClusterMessage any;
  any.port = 8000;
  const Row rows[] = {{Link::tcp("127.0.0.1", 80), "bind EADDRINUSE 127.0.0.1:80"},
                      {file, "bind EADDRINUSE /run/x.sock"},
                      {any, "bind EADDRINUSE null:8000"}};
  for (const Row& row : rows) {
    Link l;
    std::optional<Granted> granted;
    l.ask(row.query, granted);
    l.receive(R"({"cmd":"NODE_CLUSTER","errno":-98,"key":"K","ack":0,"data":null,"seq":0})");
    REQUIRE(granted);
    REQUIRE_FALSE(*granted);
    CHECK(granted->error().message() == row.message);
    CHECK(granted->error().name() == "EADDRINUSE");
    CHECK(granted->error().errno_value() == EADDRINUSE);
    CHECK(granted->error().call()->syscall == "bind");
  }
}

TEST_CASE("primary link: a query that cannot be sent is an error at once") {
  Link l;
  l.connected = false;
  auto query = l.link->query(Link::tcp("127.0.0.1", 80), [](Granted) { FAIL("never asked"); });
  REQUIRE_FALSE(query);
  CHECK(query.error().code() == Errc::ipc_channel_closed);
  l.connected = true;
  std::optional<Granted> granted;
  CHECK(l.ask(Link::tcp("127.0.0.1", 80), granted).index == 0);
}

TEST_CASE("primary link: what comes for a forgotten query is given back") {
  Link l;
  std::optional<Granted> granted;
  auto query = l.ask(Link::tcp("127.0.0.1", 80), granted);
  l.link->forget(query);
  UniqueFd socket = Link::socket();
  int number = socket.get();
  l.receive(R"({"cmd":"NODE_CLUSTER","errno":0,"key":"K","ack":0,"data":null,"seq":0})",
            std::move(socket));
  CHECK_FALSE(granted);
  CHECK_FALSE(is_open(number));
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","act":"close","key":"K","seq":1})");
}

TEST_CASE("primary link: a connection is offered to its key's server, and answered for") {
  Link l;
  int taken = 0;
  bool accepts = true;
  l.serve([&](UniqueFd fd) {
    CHECK(fd);
    CHECK(l.sent.size() == 1);  // nothing is said before the server has it
    ++taken;
    return accepts;
  });
  l.hand_over(4);
  CHECK(taken == 1);
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","ack":4,"accepted":true,"seq":1})");
  accepts = false;
  l.sent.resize(1);
  l.hand_over(5);
  CHECK(taken == 2);
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","ack":5,"accepted":false,"seq":2})");
}

TEST_CASE("primary link: a connection for nobody is refused and closed") {
  Link l;
  l.serve([&](UniqueFd) {
    FAIL("not for this server");
    return true;
  });
  SUBCASE("an unknown key") { l.hand_over(7, "other"); }
  SUBCASE("a closed server's") {
    l.link->close("K");
    l.hand_over(7);
  }
  SUBCASE("without its socket") {
    l.receive(R"({"cmd":"NODE_CLUSTER","act":"newconn","key":"K","seq":7})");
  }
  CHECK(l.last().starts_with(R"({"cmd":"NODE_CLUSTER","ack":7,"accepted":false,)"));
}

TEST_CASE("primary link: taking a connection may close its server, and destroy the link") {
  Link l;
  SUBCASE("close") {
    l.serve([&](UniqueFd) {
      l.link->close("K");
      return true;
    });
    l.hand_over(1);
    CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","ack":1,"accepted":true,"seq":2})");
  }
  SUBCASE("destroy") {
    l.serve([&](UniqueFd) {
      l.link.reset();
      return true;
    });
    auto before = l.sent.size();
    l.hand_over(1);
    CHECK(l.sent.size() == before);
  }
}

TEST_CASE("primary link: a granted query's callback may destroy the link") {
  Link l;
  REQUIRE(l.link->query(Link::tcp("::1", 80), [&](Granted) { l.link.reset(); }));
  l.receive(R"({"cmd":"NODE_CLUSTER","errno":0,"key":"K","ack":0,"data":null,"seq":0})",
            Link::socket());
  CHECK_FALSE(l.link);
}

TEST_CASE("primary link: leaving on one's own account is acknowledged, leaving is asked") {
  Link l;
  int acknowledged = 0;
  l.link->exited_after_disconnect([&] { ++acknowledged; });
  CHECK(l.last() == R"({"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":0})");
  CHECK(l.receive(R"({"cmd":"NODE_CLUSTER","ack":0,"seq":3})"));
  CHECK(l.receive(R"({"cmd":"NODE_CLUSTER","ack":0,"seq":4})"));
  CHECK(acknowledged == 1);
  CHECK(l.receive(R"({"cmd":"NODE_CLUSTER","act":"disconnect","seq":5})"));
  CHECK(l.asked_to_leave == 1);
}

TEST_CASE("primary link: what is not the cluster's is left alone, what is odd is survived") {
  Link l;
  CHECK_FALSE(l.receive(R"({"cmd":"NODE_PRONGHORN","act":"drain"})"));
  CHECK_FALSE(l.receive(R"({"cmd":"NODE_DEBUG_ENABLED"})"));
  for (const char* odd :
       {R"({"cmd":"NODE_CLUSTER"})", R"({"cmd":"NODE_CLUSTER","ack":99,"errno":0,"key":"K"})",
        R"({"cmd":"NODE_CLUSTER","ack":"0"})", R"({"cmd":"NODE_CLUSTER","act":"newconn"})",
        R"({"cmd":"NODE_CLUSTER","act":"fly"})", R"({"cmd":"NODE_PRONGHORN","act":"lend"})",
        R"({"cmd":"NODE_PRONGHORN","act":"unlend","key":"none","slot":1})"}) {
    CAPTURE(odd);
    UniqueFd socket = Link::socket();
    int number = socket.get();
    CHECK(l.receive(odd, std::move(socket)));
    CHECK_FALSE(is_open(number));
  }
  CHECK(l.sent.empty());
}

TEST_CASE("primary link: a lent socket goes to the server of its key until it is called back") {
  Link l;
  l.serve([](UniqueFd) { return true; });
  std::vector<std::string> events;
  UniqueFd early = Link::socket();
  int number = early.get();
  l.receive(ipc::encode_lend("K", 3).text(), std::move(early));
  CHECK_FALSE(is_open(number));
  l.link->borrow(
      "K",
      [&](std::uint32_t slot, UniqueFd fd) {
        CHECK(fd);
        events.push_back("lent " + std::to_string(slot));
      },
      [&](std::uint32_t slot) { events.push_back("ended " + std::to_string(slot)); });
  l.receive(ipc::encode_lend("K", 0).text(), Link::socket());
  l.receive(ipc::encode_unlend("K", 0).text());
  l.receive(ipc::encode_lend("other", 1).text(), Link::socket());
  CHECK(events == std::vector<std::string>{"lent 0", "ended 0"});
}
