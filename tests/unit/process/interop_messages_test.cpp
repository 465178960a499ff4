// SPDX-License-Identifier: Apache-2.0
// Messages between Node and us, both ways: every kind of JSON, odd texts, internal ones.
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::InternalMessage;
using ipc::ReceivedHandle;

namespace {

Json nested(int depth) {
  Json out = 1;
  for (int i = 0; i < depth; ++i) out = Json::array({std::move(out)});
  return out;
}

std::vector<Json> all_kinds() {
  return {Json(),
          Json(true),
          Json(false),
          Json(0),
          Json(-1.5e-300),
          Json(9007199254740991),
          Json(""),
          Json("text with \"quotes\", \\, \n, \r\n, \t, \x01 and \x7f"),
          Json("\xf0\x9f\x90\x98 \xe2\x80\xa8\xc3\xa9"),
          Json::array(),
          Json::object(),
          Json::array({1, Json::array({Json::object()}), Json()}),
          Json{{"", ""}, {"a", {{"b", {{"c", {1, 2, 3}}}}}}, {"__proto__x", 1}},
          Json{{"cmd", "NODE_"}},
          Json{{"cmd", "node_x"}},
          Json{{"cmd", 5}},
          Json{{"cmd", nullptr}},
          nested(500),
          Json(std::string(300000, 'x') + "\xc3\xa9" + std::string(300000, 'y'))};
}

// Node sends each back beside what JSON.stringify makes of it, so that its own view is compared
// too.
struct Kinds {
  static constexpr const char* node = R"(
    let n = 0;
    peer.on('message', (m) => { n++; if (m === 'end') { say(n); peer.disconnect(); } else peer.send([JSON.stringify(m), m]); });)";
  static constexpr const char* printed = "20\n";
  std::vector<Json> sent = all_kinds();
  std::size_t back = 0;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    for (const Json& m : sent) CHECK(peer.send(m).has_value());
    peer.on_message([this, &peer](const Json& m) {
      REQUIRE(back < sent.size());
      CAPTURE(back);
      CHECK(m[1] == sent[back]);
      CHECK(Json::parse(m[0].get<std::string>()) == sent[back]);
      if (++back == sent.size()) CHECK(peer.send(Json("end")).has_value());
    });
    peer.on_disconnect([this] { CHECK(back == sent.size()); });
  }
};

// What JSON.stringify emits comes back from us as the same value. Only lone surrogates change, into
// U+FFFD, as UTF-8 cannot hold them.
struct KindsFromNode {
  static constexpr const char* node = R"(
    const all = [null, true, false, 0, -0, 1e21, 5e-324, 1.7976931348623157e308, 4294967296.5, '', '\u2028\u2029\0\x7f',
      '\u{1F418}', 'é'.repeat(70000), '\ud83d\ude00'.repeat(40000), [], {}, [[]], {a: {b: [1, {c: null}]}}, {'': 0, '\n': '\n'},
      [NaN, Infinity, undefined], {d: new Date(0), u: undefined}, {cmd: 'NODE_'}, {cmd: 'xNODE_y'}, ['NODE_x'], Buffer.from('é'),
      JSON.parse('['.repeat(500) + ']'.repeat(500)), '\ud800', 'a\udc00b', '\udc00\ud800'];
    const changed = (s) => s.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
    let n = 0;
    peer.on('message', (m) => {
      const sent = JSON.parse(JSON.stringify(all[n]));
      const wanted = typeof sent === 'string' ? changed(sent) : sent;
      try { require('assert').deepStrictEqual(m, wanted); } catch (e) { say('message', n, e.message); }
      if (++n === all.length) { say(n); peer.disconnect(); }
    });
    for (const m of all) peer.send(m);)";
  static constexpr const char* printed = "29\n";

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([&peer](const Json& m, ReceivedHandle& handle) {
      CHECK_FALSE(static_cast<bool>(handle));
      CHECK(peer.send(m).has_value());
    });
  }
};

// A cmd that begins with NODE_ is for internal messages: it never reaches a user's listener.
struct Internal {
  static constexpr const char* node = R"(
    peer.on('message', (m) => { say('message', m); if (m === 'end') { peer.send({cmd: 'NODE_THEIRS', x: [1]}); peer.send('end'); } });
    peer.on('internalMessage', (m) => { if (m.cmd === 'NODE_OURS') say('internal', JSON.stringify(m)); });)";
  static constexpr const char* printed =
      "internal {\"cmd\":\"NODE_OURS\",\"b\":1,\"a\":2}\nmessage end\n";
  std::vector<std::string> told;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_internal(
        [this](const Json& m, ReceivedHandle&) { told.push_back("internal " + m.dump()); });
    peer.on_message([this, &peer](const Json& m) {
      told.push_back("message " + m.dump());
      if (m == "end") peer.disconnect();
    });
    peer.on_disconnect([this] {
      CHECK(told == std::vector<std::string>{R"(internal {"cmd":"NODE_THEIRS","x":[1]})",
                                             "message \"end\""});
    });
    auto refused = peer.send(Json{{"cmd", "NODE_OURS"}});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().name() == "ERR_INVALID_ARG_VALUE");
    auto text = InternalMessage::from_text(R"({"cmd":"NODE_OURS","b":1,"a":2})");
    CHECK(peer.channel()->send(text).has_value());
    CHECK(peer.send(Json("end")).has_value());
  }
};

// 64 MiB of characters that take one to four bytes, there and back.
struct Huge {
  static constexpr const char* node = R"(
    peer.on('message', (m) => { say(m.length, m.endsWith('aé€\u{1F418}')); peer.send(m, () => peer.disconnect()); });)";
  static constexpr const char* printed = "33554430 true\n";
  std::string text;
  int back = 0;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    const std::string unit = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98";
    const std::size_t units = std::size_t{64} * 1024 * 1024 / unit.size();
    text.reserve(units * unit.size());
    for (std::size_t i = 0; i < units; ++i) text += unit;
    CHECK_FALSE(peer.send(Json(text)).value());
    peer.on_message([this](const Json& m) {
      ++back;
      CHECK((m.get_ref<const std::string&>() == text));
    });
    peer.on_disconnect([this] { CHECK(back == 1); });
  }
};

}  // namespace

PRONGHORN_CONVERSATION(Kinds, "every kind of message of ours comes back")
PRONGHORN_CONVERSATION(KindsFromNode, "what JSON.stringify emits comes back as it was")
PRONGHORN_CONVERSATION(Internal, "internal messages stay apart from users'")

// In one arrangement only, as the unoptimised build takes seconds for it.
TEST_CASE("interop: our parent, a Node child: a message of 64 MiB comes back as it was") {
  if (!has_node()) return;
  CHECK(with_node_child<Huge>() == Huge::printed);
}
