// SPDX-License-Identifier: Apache-2.0
// What a worker asks the primary for, and what it is answered (node-ipc 2.2 and 3.4).
#include "primary_rig.h"

using namespace pronghorn;
using namespace pronghorn::test;
using Rig = PrimaryRig;

TEST_CASE("primary: the workers that ask alike get the same socket, under Node's key") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  Rig::Sent& first = rig.ask(1, Rig::tcp_query(0));
  CHECK(
      first.text ==
      R"({"cmd":"NODE_CLUSTER","errno":0,"key":"127.0.0.1:0:4:undefined:0","ack":100,"data":null,"seq":0})");
  CHECK(first.type == ipc::HandleType::net_native);
  CHECK((::fcntl(first.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(option(first.fd, SOL_SOCKET, SO_ACCEPTCONN) == 1);
  auto client = connect_to(where(first.fd));
  REQUIRE(client);
  Rig::Sent& second = rig.ask(2, Rig::tcp_query(0));
  CHECK(accept_one(second.fd));
}

TEST_CASE("primary: port 0 is one port for all workers, and another one for each index") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  auto port = [&](int worker, int index) {
    return where(rig.ask(worker, Rig::tcp_query(0, {{"index", index}})).fd).port;
  };
  auto first = port(1, 0);
  auto second = port(1, 1);
  CHECK(first != second);
  CHECK(port(2, 0) == first);
  CHECK(port(2, 1) == second);
}

TEST_CASE("primary: what cannot be opened is told by its errno, and others may try again") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  auto taken = Listener::open({"127.0.0.1", 0, {}}, 1);
  REQUIRE(taken);
  auto query = Rig::tcp_query(taken->address().port);
  CHECK(rig.refused(1, query) == EADDRINUSE);
  CHECK(
      rig.workers[1].sent.back().text ==
      fmt::format(
          R"({{"cmd":"NODE_CLUSTER","errno":-98,"key":"127.0.0.1:{}:4:undefined:0","ack":100,"data":null,"seq":0}})",
          taken->address().port));
  CHECK(rig.refused(2, query) == EADDRINUSE);
  taken->close();
  CHECK(rig.ask(2, query).fd);
  CHECK(rig.ask(1, query).fd);
}

TEST_CASE("primary: what may not be opened is EACCES") {
  Rig rig;
  rig.add(1);
  Folder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(65534) == 0);  // root may
  const Json query = {{"act", "queryServer"},
                      {"index", 0},
                      {"address", folder / "socket"},
                      {"port", -1},
                      {"addressType", -1}};
  const int error = rig.refused(1, query);
  if (is_root) REQUIRE(::seteuid(0) == 0);
  CHECK(error == EACCES);
}

TEST_CASE("primary: without a seq, from a stranger or by a leaving worker a query gets no answer") {
  Rig rig;
  rig.add(1);
  CHECK(rig.say(1, Rig::tcp_query(0, {{"seq", nullptr}})));
  CHECK(rig.workers[1].sent.empty());
  CHECK(rig.say(9, Rig::tcp_query(0)));
  CHECK(!rig.primary->take(1, {{"cmd", "NODE_PRONGHORN"}, {"act", "fault"}}));
  CHECK(!rig.primary->take(1, Json("text")));

  CHECK(rig.primary->disconnect(1).has_value());
  rig.add(2);
  rig.say(2, {{"act", "exitedAfterDisconnect"}});
  for (std::uint64_t id : {1, 2}) {
    auto before = rig.workers[id].sent.size();
    rig.say(id, Rig::tcp_query(0));
    CHECK(rig.workers[id].sent.size() == before);
  }
}

TEST_CASE("primary: one worker gets a server once, until it has closed it") {
  Rig rig;
  rig.add(1);
  auto key = rig.ask(1, Rig::tcp_query(0)).json.at("key");
  CHECK(rig.refused(1, Rig::tcp_query(0)) == EADDRINUSE);
  rig.close(1, key);
  CHECK(rig.ask(1, Rig::tcp_query(0)).fd);
}

TEST_CASE("primary: the data that a key's first worker gave is given to all (TLS ticket keys)") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  rig.add(3);
  CHECK(rig.ask(1, Rig::tcp_query(0)).json.at("data").is_null());
  Json keys = {{"ticketKeys", "7e71ad"}};
  CHECK(rig.ask(2, Rig::tcp_query(0, {{"data", keys}})).json.at("data") == keys);
  CHECK(rig.ask(3, Rig::tcp_query(0, {{"data", {{"ticketKeys", "other"}}}})).json.at("data") ==
        keys);
}

TEST_CASE("primary: data that is no ticket keys is refused, and kept by nobody") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  const Json long_data = std::string(5000, 'x');
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"data", long_data}})) == EMSGSIZE);
  const Json most = std::string(4096 - 2, 'x');  // and its quotes
  CHECK(rig.ask(1, Rig::tcp_query(0, {{"data", most}})).json.at("data") == most);
  CHECK(rig.refused(2, Rig::tcp_query(0, {{"data", long_data}})) == EMSGSIZE);
}

TEST_CASE("primary: a server is closed with the last worker that closes it") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  auto address = where(rig.ask(1, Rig::tcp_query(0)).fd);
  std::string key = rig.ask(2, Rig::tcp_query(0)).json.at("key");
  for (auto& [id, worker] : rig.workers) worker.sent.clear();
  rig.close(1, key);
  rig.close(1, key);
  rig.close(1, "no such key");
  CHECK(connect_to(address));
  rig.close(2, key);
  CHECK(!connect_to(address));
}

TEST_CASE("primary: a server stays, and queues, when its workers die or are told to leave") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  rig.add(3);
  auto address = where(rig.ask(1, Rig::tcp_query(0)).fd);
  std::string key = rig.ask(2, Rig::tcp_query(0)).json.at("key");
  rig.ask(3, Rig::tcp_query(0));
  for (auto& [id, worker] : rig.workers) worker.sent.clear();
  rig.primary->remove(1);
  rig.primary->remove(1);
  CHECK(rig.primary->disconnect(2).value());
  rig.close(2, key);
  rig.say(3, {{"act", "exitedAfterDisconnect"}});
  rig.close(3, key);
  rig.primary->remove(2);
  rig.primary->remove(3);
  auto client = connect_to(address);
  REQUIRE(client);
  rig.add(4);
  Rig::Sent& again = rig.ask(4, Rig::tcp_query(0));
  CHECK(where(again.fd) == address);
  CHECK(accept_one(again.fd));
  rig.primary->close_servers();
  again.fd.reset();
  CHECK(!connect_to(address));
}

TEST_CASE("primary: more servers than allowed are EMFILE") {
  Rig rig(Scheduling::shared, 0, 2);
  rig.add(1);
  std::string key = rig.ask(1, Rig::tcp_query(0)).json.at("key");
  CHECK(rig.ask(1, Rig::tcp_query(0, {{"index", 1}})).fd);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"index", 2}})) == EMFILE);
  rig.close(1, key);
  CHECK(rig.ask(1, Rig::tcp_query(0, {{"index", 2}})).fd);
}

TEST_CASE("primary: where servers are short, one without workers gives way") {
  Rig rig(Scheduling::round_robin, 0, 2);
  auto port = [](const Rig::Sent& answer) -> std::uint16_t {
    return answer.json.at("sockname").at("port");
  };
  rig.add(1);
  rig.add(2);
  const auto first = port(rig.ask(1, Rig::tcp_query(0)));
  const auto kept = port(rig.ask(2, Rig::tcp_query(0, {{"index", 1}})));
  CHECK(rig.refused(2, Rig::tcp_query(0, {{"index", 2}})) == EMFILE);
  rig.primary->remove(1);
  CHECK(connect_to({"127.0.0.1", first, {}}));  // it stays, and queues
  const auto third = port(rig.ask(2, Rig::tcp_query(0, {{"index", 2}})));
  CHECK_FALSE(connect_to({"127.0.0.1", first, {}}));
  CHECK(connect_to({"127.0.0.1", kept, {}}));
  CHECK(connect_to({"127.0.0.1", third, {}}));
  CHECK(rig.refused(2, Rig::tcp_query(0, {{"index", 3}})) == EMFILE);
}

TEST_CASE("primary: online, listening and leaving are told, with the address as Node tells it") {
  Rig rig;
  rig.add(1);
  rig.say(1, {{"act", "online"}});
  rig.say(1, {{"act", "listening"}, {"address", "127.0.0.1"}, {"port", 8000}, {"addressType", 4}});
  CHECK(rig.last_address.type == AddressType::ipv4);
  rig.say(1, {{"act", "listening"}, {"address", "/s"}, {"port", -1}, {"addressType", -1}});
  CHECK(rig.last_address.type == AddressType::unix_socket);
  rig.say(1, {{"act", "listening"}, {"address", nullptr}, {"port", 9}, {"addressType", "udp4"}});
  CHECK(rig.last_address.type == AddressType::udp4);
  rig.say(1, {{"act", "exitedAfterDisconnect"}, {"seq", 7}});
  CHECK(rig.workers[1].sent.back().text == R"({"cmd":"NODE_CLUSTER","ack":7,"seq":0})");
  // Asked once more it is answered once more, and told no more.
  rig.say(1, {{"act", "exitedAfterDisconnect"}, {"seq", 8}});
  CHECK(rig.workers[1].sent.back().text == R"({"cmd":"NODE_CLUSTER","ack":8,"seq":1})");
  rig.say(1, {{"act", "no such act"}});
  CHECK(rig.events == std::vector<std::string>{"1 online", "1 listening 127.0.0.1:8000",
                                               "1 listening /s:0", "1 listening :9", "1 leaving"});
}

TEST_CASE("primary: a worker is told once to disconnect, and not at all when it leaves by itself") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  CHECK(rig.primary->disconnect(1).value());
  CHECK(rig.workers[1].sent.back().text == R"({"cmd":"NODE_CLUSTER","act":"disconnect","seq":0})");
  CHECK(rig.primary->disconnect(1).value());
  CHECK(rig.workers[1].sent.size() == 1);
  rig.say(2, {{"act", "exitedAfterDisconnect"}});
  CHECK(rig.primary->disconnect(2).value());
  CHECK(rig.workers[2].sent.size() == 1);
  CHECK(rig.primary->disconnect(3).error().code() == Errc::ipc_channel_closed);
  rig.add(4);
  rig.workers[4].fails_with = -1;
  CHECK(rig.primary->disconnect(4).error().code() == Errc::ipc_channel_closed);
}

TEST_CASE("primary: its messages have one count, whomever they go to") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  CHECK(rig.ask(1, Rig::tcp_query(0)).json.at("seq") == 0);
  CHECK(rig.ask(2, Rig::tcp_query(0)).json.at("seq") == 1);
  CHECK(rig.ask(1, Rig::tcp_query(0, {{"port", -5}})).json.at("seq") == 2);
}

TEST_CASE("primary: an answer that cannot be sent harms nobody else") {
  Rig rig;
  rig.add(1);
  rig.add(2);
  auto listener = Listener::open({"127.0.0.1", 0, {}}, 1);
  auto query = Rig::tcp_query(listener->address().port);
  listener->close();
  SUBCASE("out of descriptors is told") {
    rig.workers[1].fails_with = EMFILE;
    CHECK(rig.refused(1, query) == EMFILE);
  }
  SUBCASE("a channel that has ended is not") {
    rig.workers[1].fails_with = -1;
    CHECK(rig.say(1, query));
    CHECK(rig.say(1, {{"act", "exitedAfterDisconnect"}}));
    CHECK(rig.workers[1].sent.empty());
  }
  // The key is forgotten, its port free.
  CHECK(!connect_to({"127.0.0.1", static_cast<std::uint16_t>(query.at("port")), {}}));
  CHECK(rig.ask(2, query).fd);
}

TEST_CASE("primary: a socket that the worker had no descriptor for is an error to it") {
  Rig rig;
  rig.add(1);
  Rig::Sent& first = rig.ask(1, Rig::tcp_query(0));
  auto address = where(first.fd);
  first.fd.reset();
  first.on_lost();
  Rig::Sent& told = rig.workers[1].sent.back();
  CHECK(told.json.at("errno") == -EMFILE);
  CHECK(told.json.at("ack") == 100);
  CHECK(!connect_to(address));
  // Again is not too late: it may ask once more, and may be gone, as may be the primary.
  first.on_lost();
  CHECK(rig.workers[1].sent.size() == 2);
  Rig::Sent& again = rig.ask(1, Rig::tcp_query(0));
  CHECK(again.fd);
  rig.primary->remove(1);
  again.on_lost();
  rig.primary.reset();
  again.on_lost();
}

TEST_CASE("primary: an event may remove the worker that caused it, or end the primary") {
  Loop loop;
  std::optional<Primary> primary;
  bool remove = true;
  auto gone = [&](std::uint64_t id) {
    if (remove) return primary->remove(id);
    primary.reset();
  };
  auto start = [&] {
    primary.emplace(loop, Primary::Options{.scheduling = Scheduling::shared},
                    Primary::Events{.on_online = gone,
                                    .on_listening = [&](auto id, const Address&) { gone(id); },
                                    .on_leaving = gone});
    primary->add(1, {}, [](const auto&, const auto*) -> Result<bool> { return true; });
  };
  for (bool with_remove : {true, false}) {
    remove = with_remove;
    for (const char* act : {"online", "listening", "exitedAfterDisconnect"}) {
      CAPTURE(act);
      start();
      CHECK(primary->take(1, {{"cmd", "NODE_CLUSTER"}, {"act", act}, {"seq", 0}}));
      if (with_remove) {
        CHECK(!primary->disconnect(1).has_value());
      } else {
        CHECK(!primary.has_value());
      }
    }
  }
}

TEST_CASE("primary: an adopted listener is found by what it was to be and by what it is") {
  Rig rig;
  auto first = Listener::open({"127.0.0.1", 0, {}}, 4);
  auto second = Listener::open({"127.0.0.1", 0, {}}, 4);
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(rig.primary->adopt(*first));
  REQUIRE(rig.primary->adopt(*second));
  rig.add(1);
  rig.add(2);
  Rig::Sent& one = rig.ask(1, Rig::tcp_query(0));
  CHECK(where(one.fd) == first->address());
  std::string key = one.json.at("key");
  CHECK(key == fmt::format("127.0.0.1:{}:4:undefined:0", first->address().port));
  CHECK(where(rig.ask(1, Rig::tcp_query(0, {{"index", 1}})).fd) == second->address());
  CHECK(where(rig.ask(2, Rig::tcp_query(first->address().port)).fd) == first->address());
  // By another spelling it is still the same, which a worker has once.
  CHECK(rig.refused(1, Rig::tcp_query(first->address().port)) == EADDRINUSE);
  // The third of port 0 is nobody's: it is opened.
  auto own = where(rig.ask(1, Rig::tcp_query(0, {{"index", 2}})).fd);
  CHECK(own.port != first->address().port);
  CHECK(own.port != second->address().port);

  rig.close(1, key);
  rig.close(2, key);
  for (auto& [id, worker] : rig.workers) worker.sent.clear();
  CHECK(connect_to(first->address()));
  rig.primary->close_servers();
  CHECK(connect_to(first->address()));
  CHECK(!connect_to(own));
}

TEST_CASE("primary: refuse_new is for the servers that workers have opened") {
  Rig rig;
  Folder folder;
  auto adopted = Listener::open({{}, 0, folder / "adopted"}, 4);
  REQUIRE(adopted);
  REQUIRE(rig.primary->adopt(*adopted));
  rig.add(1);
  rig.ask(1, {{"act", "queryServer"},
              {"index", 0},
              {"address", folder / "own"},
              {"port", -1},
              {"addressType", -1}});
  rig.primary->refuse_new();
  CHECK(!connect_to({{}, 0, folder / "own"}));
  CHECK(connect_to(adopted->address()));
}
