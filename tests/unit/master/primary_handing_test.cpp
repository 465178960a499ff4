// SPDX-License-Identifier: Apache-2.0
// The primary with servers whose connections it hands over; how it does is HandOver's test.
#include "primary_rig.h"

using namespace pronghorn;
using namespace pronghorn::test;
using Rig = PrimaryRig;

namespace {

config::ListenAddress told(const Rig::Sent& answer) {
  const Json& name = answer.json.at("sockname");
  return {name.at("address"), name.at("port"), {}};
}

/// Newconns that worker `id` was sent; the last one's seq.
std::size_t connections(Rig& rig, std::uint64_t id, std::int64_t* seq = nullptr) {
  std::size_t count = 0;
  for (const Rig::Sent& each : rig.workers[id].sent) {
    if (!each.json.contains("act") || each.json.at("act") != "newconn") continue;
    ++count;
    CHECK(each.fd);
    if (seq != nullptr) *seq = each.json.at("seq");
  }
  return count;
}

bool wait_for_connection(Rig& rig, std::uint64_t id, std::int64_t* seq = nullptr) {
  return run_until(rig.loop, [&] { return connections(rig, id, seq) > 0; });
}

}  // namespace

TEST_CASE("primary: where connections are handed over the answer has a name and no socket") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  Rig::Sent& answer = rig.ask(1, Rig::tcp_query(0));
  auto port = told(answer).port;
  CHECK(
      answer.text ==
      fmt::format(
          R"({{"cmd":"NODE_CLUSTER","errno":null,"key":"127.0.0.1:0:4:undefined:0","ack":100,"data":null,"sockname":{{"address":"127.0.0.1","family":"IPv4","port":{}}},"seq":0}})",
          port));
  CHECK(!answer.fd);
  auto client = connect_to(told(answer));
  std::int64_t seq = 0;
  REQUIRE(wait_for_connection(rig, 1, &seq));
  CHECK(rig.primary->totals().waiting == 1);
  rig.say(1, {{"ack", seq}, {"accepted", true}});
  CHECK(rig.primary->totals().handed_over == 1);
  CHECK(rig.primary->totals().waiting == 0);

  Folder folder;
  Rig::Sent& unix_answer = rig.ask(1, {{"act", "queryServer"},
                                       {"index", 0},
                                       {"address", folder / "s"},
                                       {"port", -1},
                                       {"addressType", -1}});
  CHECK(!unix_answer.fd);
  CHECK(!unix_answer.json.contains("sockname"));
  CHECK(unix_answer.json.at("errno").is_null());
}

TEST_CASE("primary: a worker that lies harms nobody but itself") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  rig.add(2);
  Rig::Sent& answer = rig.ask(1, Rig::tcp_query(0));
  auto address = told(answer);
  const std::string key = answer.json.at("key");
  // It closes what is not its own, and accepts what it was never sent.
  rig.close(2, key);
  for (std::int64_t seq = -1; seq < 5; ++seq) rig.say(2, {{"ack", seq}, {"accepted", true}});
  auto client = connect_to(address);
  std::int64_t seq = 0;
  REQUIRE(wait_for_connection(rig, 1, &seq));
  // Another one's connection is not its to take, nor to refuse.
  rig.say(2, {{"ack", seq}, {"accepted", true}});
  rig.say(2, {{"ack", seq}, {"accepted", false}});
  CHECK(rig.primary->totals().waiting == 1);
  // One answer counts, however many come; an answer to another question is none.
  rig.say(1, {{"ack", seq + 1}, {"accepted", true}});
  CHECK(rig.primary->totals().waiting == 1);
  rig.say(1, {{"ack", seq}, {"accepted", true}});
  rig.say(1, {{"ack", seq}, {"accepted", false}});
  CHECK(rig.primary->totals().handed_over == 1);
  CHECK(rig.primary->totals().refused == 0);
  CHECK(rig.primary->totals().waiting == 0);
  // What is odd is no answer and no server.
  for (const Json& odd :
       {Json{{"ack", "x"}}, Json{{"ack", nullptr}, {"accepted", 1}}, Json{{"act", 7}},
        Json{{"act", "close"}}, Json{{"act", "close"}, {"key", {1, 2}}}, Json{{"act", "newconn"}},
        Json{{"act", "disconnect"}}, Json{{"act", "listening"}, {"port", "x"}}}) {
    rig.say(1, odd);
  }
  auto next = connect_to(address);
  CHECK(run_until(rig.loop, [&] { return connections(rig, 1) == 2; }));
}

TEST_CASE("primary: what a worker died with goes to another, also after it was told to leave") {
  for (bool leaves_first : {false, true}) {
    Rig rig(Scheduling::round_robin);
    rig.add(1);
    auto address = told(rig.ask(1, Rig::tcp_query(0)));
    auto client = connect_to(address);
    REQUIRE(wait_for_connection(rig, 1));
    rig.add(2);
    rig.ask(2, Rig::tcp_query(0));
    if (leaves_first) CHECK(rig.primary->disconnect(1).value());
    rig.workers[1].sent.clear();  // the kernel closes its copy
    rig.primary->remove(1);
    CHECK(wait_for_connection(rig, 2));
    CHECK(rig.primary->totals().recovered == 1);
  }
}

TEST_CASE("primary: a server without workers queues what comes, for whoever asks next") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  auto address = told(rig.ask(1, Rig::tcp_query(0)));
  rig.primary->remove(1);
  auto client = connect_to(address);
  REQUIRE(client);
  rig.add(2);
  CHECK(told(rig.ask(2, Rig::tcp_query(0))) == address);
  CHECK(wait_for_connection(rig, 2));
}

TEST_CASE("primary: least connections are for workers that have counters") {
  Rig rig(Scheduling::least_connections, 2);
  rig.add(1);
  rig.add(2, 1);
  CHECK(rig.refused(1, Rig::tcp_query(0)) == ENOTSUP);
  CHECK(told(rig.ask(2, Rig::tcp_query(0))).port != 0);
  CHECK(rig.refused(1, Rig::tcp_query(0)) == ENOTSUP);
  Rig none(Scheduling::least_connections);
  none.add(1, 0);
  CHECK(none.refused(1, Rig::tcp_query(0)) == ENOTSUP);
}

TEST_CASE("primary: another scheduling is for servers that are opened from then on") {
  Rig rig(Scheduling::shared);
  rig.add(1);
  rig.add(2);
  CHECK(rig.ask(1, Rig::tcp_query(0)).fd);
  rig.primary->set_scheduling(Scheduling::round_robin, true);
  CHECK(rig.ask(2, Rig::tcp_query(0)).fd);
  CHECK(!rig.ask(2, Rig::tcp_query(0, {{"index", 1}})).fd);
}

TEST_CASE("primary: an adopted listener's connections are handed over, and it outlives all") {
  Rig rig(Scheduling::round_robin);
  auto listener = Listener::open({"127.0.0.1", 0, {}}, 4);
  REQUIRE(listener);
  REQUIRE(rig.primary->adopt(*listener));
  rig.add(1);
  Rig::Sent& answer = rig.ask(1, Rig::tcp_query(0));
  CHECK(told(answer) == listener->address());
  auto client = connect_to(listener->address());
  REQUIRE(send_text(client.get(), "x"));  // TCP_DEFER_ACCEPT waits for it
  CHECK(wait_for_connection(rig, 1));
  rig.close(1, answer.json.at("key"));
  rig.primary->close_servers();
  CHECK(connect_to(listener->address()));
}

TEST_CASE("primary: it is drained when every server's queue is in the workers' hands") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  auto address = told(rig.ask(1, Rig::tcp_query(0)));
  auto other = told(rig.ask(1, Rig::tcp_query(0, {{"index", 1}})));
  CHECK(address.port != other.port);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect_to(i < 2 ? address : other));
  bool overtaken = false;
  bool drained = false;
  rig.primary->refuse_new();
  rig.primary->drain([&] { overtaken = true; });
  rig.primary->drain([&] { drained = true; });
  CHECK(!drained);
  std::set<std::int64_t> answered;
  bool all = run_until(rig.loop, [&] {
    std::vector<std::int64_t> open;
    for (const Rig::Sent& each : rig.workers[1].sent) {
      if (each.json.contains("act") && each.json.at("act") == "newconn") {
        open.push_back(each.json.at("seq"));
      }
    }
    for (auto seq : open) {
      if (answered.insert(seq).second) rig.say(1, {{"ack", seq}, {"accepted", true}});
    }
    return drained;
  });
  CHECK(all);
  CHECK(answered.size() == 3);
  CHECK(!overtaken);
}

TEST_CASE("primary: draining ends from the loop, also when the server goes meanwhile") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  Rig::Sent& answer = rig.ask(1, Rig::tcp_query(0));
  std::string key = answer.json.at("key");
  auto client = connect_to(told(answer));
  REQUIRE(wait_for_connection(rig, 1));
  bool drained = false;
  rig.primary->drain([&] {
    drained = true;
    rig.primary.reset();
  });
  SUBCASE("closed by its last worker") { rig.close(1, key); }
  SUBCASE("its last worker is killed") { rig.primary->remove(1); }
  SUBCASE("all are closed") { rig.primary->close_servers(); }
  CHECK(rig.primary.has_value());
  CHECK(run_until(rig.loop, [&] { return drained; }));
}

TEST_CASE("primary: who waits for the draining of a primary that is gone waits for ever") {
  Rig rig(Scheduling::round_robin);
  rig.add(1);
  Rig::Sent& answer = rig.ask(1, Rig::tcp_query(0));
  auto client = connect_to(told(answer));
  std::int64_t seq = 0;
  REQUIRE(wait_for_connection(rig, 1, &seq));
  bool drained = false;
  rig.primary->drain([&] { drained = true; });
  rig.say(1, {{"ack", seq}, {"accepted", true}});
  rig.primary.reset();
  int turns = 0;
  CHECK(run_until(rig.loop, [&] { return ++turns > 20; }));
  CHECK(!drained);
}
