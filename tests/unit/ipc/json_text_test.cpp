// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

using namespace pronghorn::ipc;
using nlohmann::json;

namespace {

/// Values of every type and texts near JSON, the same in each run.
class Random {
 public:
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  std::string string() {
    static const char* const pieces[] = {"a",
                                         "plain text of some length",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\x7f",
                                         "\0",
                                         "\xc3\xa9",
                                         "\xe2\x80\xa8",
                                         "\xf0\x9f\x90\x98",
                                         "\xef\xbf\xbf"};
    std::string out;
    for (auto n = below(9); n > 0; --n) out += pieces[below(std::size(pieces))];
    return out;
  }
  double real() {
    const auto value = std::bit_cast<double>(engine_());
    return below(2) == 0 || !std::isfinite(value) ? static_cast<double>(below(1000000)) / 8 : value;
  }
  json value(int depth) {
    switch (below(depth == 0 ? 6 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return engine_() >> below(64);
      case 3:
        return -static_cast<std::int64_t>(engine_() >> (1 + below(63)));
      case 4:
        return real();
      case 5:
        return string();
      case 6: {
        json out = json::array();
        for (auto n = below(5); n > 0; --n) out.push_back(value(depth - 1));
        return out;
      }
      default: {
        json out = json::object();
        for (auto n = below(5); n > 0; --n) out[string()] = value(depth - 1);
        return out;
      }
    }
  }
  /// One byte changed, taken out or put in.
  void damage(std::string& text) {
    static constexpr std::string_view bytes = "{}[],:\"\\ 01.-eEtn\xff\xc3u";
    const std::size_t at = below(text.size() + 1);
    if (below(3) != 0 && at < text.size()) text.erase(at, 1);
    if (below(3) != 0) text.insert(at, 1, bytes[below(bytes.size())]);
  }

 private:
  std::mt19937_64 engine_{4711};
};

}  // namespace

TEST_CASE("json: what JSON.stringify emits is accepted") {
  for (const char* text :
       {"null", "true", "0", "-1.5e-7", "1e21", "100000000000000000000", "\"\"", "[]", "{}",
        " 1 \r", R"({"":[null,{"a":"\b\f\n\r\t\"\\\u0000\u2028"}]})", "\"\xf0\x9f\x90\x98\""}) {
    CAPTURE(text);
    CHECK(parse_json(text).has_value());
  }
}

TEST_CASE("json: a lone surrogate becomes U+FFFD, a pair stays") {
  auto value = [](const char* text) { return parse_json(text).value().get<std::string>(); };
  CHECK(value(R"("\ud800")") == "\xef\xbf\xbd");
  CHECK(value(R"("\uDC00x")") == "\xef\xbf\xbdx");
  CHECK(value(R"("\ud83d\udc18")") == "\xf0\x9f\x90\x98");
  CHECK(value(R"("\ud800\ud83d\udc18")") == "\xef\xbf\xbd\xf0\x9f\x90\x98");
  CHECK(value(R"("\udc18\ud83d")") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(value(R"("\ud800A")") ==
        "\xef\xbf\xbd"
        "A");
  CHECK(value(R"("\\ud800")") == "\\ud800");
  CHECK(value(R"("\\\ud800")") == "\\\xef\xbf\xbd");
}

TEST_CASE("json: garbage is an error and never a crash") {
  for (const char* text : {"", " ", "{", "nul", "{\"a\":}", "1 2", "\"\xff\"", "\"\\", "\"\\u",
                           "\"\\ud8", "\"\\ud800\\", "]", "}}}}", "'a'", "NaN"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text).has_value());
  }
  CHECK(parse_json("hello\x01").error().message() == "not JSON: 'hello?'");
}

TEST_CASE("json: nesting of 512 passes both ways, 513 and 200,000 are errors") {
  auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  auto deepest = parse_json(nested(512));
  REQUIRE(deepest.has_value());
  CHECK(dump_json(*deepest) == nested(512));
  CHECK_FALSE(parse_json(nested(513)).has_value());
  CHECK_FALSE(parse_json(std::string(200000, '[')).has_value());
  CHECK_FALSE(dump_json(json::array({*deepest})).has_value());
  json tower;
  for (int i = 0; i < 200000; ++i) {
    json outer = json::object();
    outer["k"] = std::move(tower);
    tower = std::move(outer);
  }
  CHECK_FALSE(dump_json(tower).has_value());
  CHECK(parse_json("\"" + std::string(1000, '[') + "\"").has_value());
}

TEST_CASE("json: dump never throws and stays on one line") {
  CHECK(dump_json("\xff\n").value() == "\"\xef\xbf\xbd\\n\"");
  CHECK(dump_json(std::nan("")).value() == "null");
  CHECK_FALSE(dump_json(json(json::value_t::discarded)).has_value());
  json holder = json::array({1});
  holder[0] = json(json::value_t::discarded);
  CHECK_FALSE(dump_json(holder).has_value());
  CHECK(quote_json("a\"\\\n") == R"("a\"\\\n")");
}

TEST_CASE("json: what the grammar of RFC 8259 forbids is refused") {
  for (const char* text : {"01",
                           "-01",
                           "-",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "0x1",
                           "1,",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{\"a\":1,}",
                           "{,}",
                           "\"\x1f\"",
                           "\"\t\"",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\u+123\"",
                           "tru",
                           "truefalse",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"",
                           "\xef\xbb\xbf"
                           "1",
                           "1e400",
                           "\"a"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text).has_value());
  }
  CHECK_FALSE(parse_json(std::string_view("9\0", 2)).has_value());
}

TEST_CASE("json: a special byte is found wherever it stands in a string") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (const char* special : {"\"", "\\", "\n", "\x01", "\xc3\xa9", "\xf0\x9f\x90\x98", "\x7f"}) {
      const json value = std::string(before, 'a') + special + std::string(11, 'z');
      CAPTURE(value);
      CHECK(dump_json(value) == value.dump());
      CHECK(parse_json(value.dump()) == value);
    }
  }
}

TEST_CASE("json: what is written is what nlohmann writes, and is read as the same value") {
  for (const json& value :
       {json(0), json(-1), json(INT64_MIN), json(UINT64_MAX), json(1.0), json(-0.0), json(1e21),
        json(5e-324), json(1.7976931348623157e308), json(0.1), json::array(), json::object(),
        json{{"", json::array({nullptr, true, false, json::object({{"b", 1}, {"a", 2}})})}}}) {
    CAPTURE(value);
    CHECK(dump_json(value) == value.dump());
    auto again = parse_json(value.dump());
    REQUIRE(again.has_value());
    CHECK(*again == value);
    CHECK(again->type() == parse_json(*dump_json(value))->type());
  }
  CHECK(dump_json(json(NAN)) == "null");
  CHECK(parse_json("100000000000000000000")->is_number_float());
  CHECK(*parse_json(R"({"a":1,"b":2,"a":3})") == json{{"a", 3}, {"b", 2}});
}

TEST_CASE("json: random values and damaged texts are to us what they are to nlohmann") {
  Random random;
  int good = 0;
  int bad = 0;
  for (int i = 0; i < 20000; ++i) {
    const json value = random.value(4);
    auto ours = dump_json(value);
    REQUIRE(ours.has_value());
    CAPTURE(*ours);
    REQUIRE(json::parse(*ours, nullptr, false) == value);
    REQUIRE(parse_json(*ours) == value);
    std::string theirs = value.dump();
    REQUIRE(parse_json(theirs) == value);
    random.damage(theirs);
    CAPTURE(theirs);
    // What nlohmann refuses and we take, a lone surrogate, is not among these.
    const json expected = json::parse(theirs, nullptr, false);
    auto read = parse_json(theirs);
    REQUIRE(read.has_value() == !expected.is_discarded());
    if (read) REQUIRE(*read == expected);
    (read ? good : bad) += 1;
  }
  CHECK(good > 2000);
  CHECK(bad > 2000);
}

TEST_CASE("json: a document's error says where it is") {
  const auto fault = [](std::string_view text) {
    auto value = parse_json_document(text);
    return value ? "" : value.error().message();
  };
  CHECK(fault("{\"a\": [1, 2]}") == "");
  CHECK(fault("") == "line 1, column 1: unexpected end");
  CHECK(fault("{\n  \"a\": }\n") == "line 2, column 8: unexpected '}'");
  CHECK(fault("[1,\r\n\"caf\xc3\xa9\" x]") == "line 2, column 8: unexpected 'x'");
  CHECK(fault("{\"a\":1") == "line 1, column 7: unexpected end");
  CHECK(fault("[\"a\nb\"]") == "line 1, column 4: unexpected byte 0x0a");
  CHECK(fault("[\"\xff\"]") == "line 1, column 3: unexpected byte 0xff");
  CHECK(fault("\xef\xbb\xbf{}") == "line 1, column 1: unexpected byte 0xef");
  CHECK(fault("1 2") == "line 1, column 3: unexpected '2'");
  CHECK(fault(std::string(513, '[') + std::string(513, ']')) ==
        "line 1, column 513: nested deeper than 512");
  CHECK(fault(std::string(200000, '[')) == "line 1, column 513: nested deeper than 512");
}
