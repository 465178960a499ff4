// SPDX-License-Identifier: Apache-2.0
// Tables of syntax and framing. A row: which requirement (R request line, H Host, F fields, L
// length, T transfer coding, C connection, E expectation, S status), the bytes, cut in every way,
// the answers.
#include "wire.h"

using namespace pronghorn;
using namespace pronghorn::test;
using namespace std::string_literals;

namespace {

struct Row {
  const char* id;
  std::string bytes;
  std::vector<int> statuses;
  bool closes = true;
};

const std::string kProbe = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// A request line, with Host.
std::string line(const std::string& text) { return text + "\r\nHost: x\r\n\r\n"; }
/// A field line after Host.
std::string field(const std::string& text) {
  return "GET /hello HTTP/1.1\r\nHost: x\r\n" + text + "\r\n\r\n";
}
std::string host(const std::string& text) { return "GET /hello HTTP/1.1\r\n" + text + "\r\n\r\n"; }
std::string length(const std::string& value, const std::string& body = "hello") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:" + value + "\r\n\r\n" + body;
}
std::string coded(const std::string& fields, const std::string& body = "5\r\nhello\r\n0\r\n\r\n") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n" + body;
}
std::string chunks(const std::string& body) { return coded("Transfer-Encoding: chunked", body); }

// Every row runs followed by a request that must be answered when the connection stays, and never
// when it closes.
void run(const std::vector<Row>& rows) {
  Wire w;
  for (const Row& row : rows) {
    CAPTURE(row.id);
    CAPTURE(row.bytes);
    Outcome o = w.run_all_ways(row.bytes + kProbe);
    auto expected = row.statuses;
    if (!row.closes) expected.push_back(200);
    CHECK(statuses(o.bytes, row.bytes.starts_with("HEAD") ? "H" : "") == expected);
    CHECK(o.closes == row.closes);
    if (row.closes && row.statuses.back() >= 400) CHECK(o.lingers);
  }
}

}  // namespace

TEST_CASE("syntax: request line (RFC 9112 §2, §3)") {
  run({
      {"R1", line("GET /hello HTTP/1.1"), {200}, false},
      {"R2", "\r\n\r\n" + line("GET /hello HTTP/1.1"), {200}, false},
      {"R2", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", {400}},
      {"R3", "\n" + line("GET /hello HTTP/1.1"), {400}},
      {"R3", "GET /hello HTTP/1.1\nHost: x\n\n", {400}},
      {"R3", "GET /hello HTTP/1.1\nHost: x\r\n\r\n", {400}},
      {"R3", "GET /hello HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", {400}},
      {"R3", "GET /hello HTTP/1.1\r\nHost: x\r\n\n", {400}},
      {"R4", "\r" + line("GET /hello HTTP/1.1"), {400}},
      {"R4", "GET /hello HTTP/1.1\rHost: x\r\n\r\n", {400}},
      {"R4", "GET /hello HTTP/1.1\r\nHost: x\r\n\rX: y\r\n\r\n", {400}},
      {"R4", field("X: a\rContent-Length: 43"), {400}},
      {"R4", field("X: a\r"), {400}},
      {"R5", "GET /hello HTTP/1.1\r\n Content-Length: 43\r\nHost: x\r\n\r\n", {400}},
      {"R5", " " + line("GET /hello HTTP/1.1"), {400}},
      {"R6", line("get /hello HTTP/1.1"), {501}},
      {"R7", line("FOOBAR /hello HTTP/1.1"), {501}},
      {"R7", line("X!#$%&'*+-.^_`|~9 /hello HTTP/1.1"), {501}},
      {"R8", line("GE(T /hello HTTP/1.1"), {400}},
      {"R8", line("GE\0T /hello HTTP/1.1"s), {400}},
      {"R8", line("G\xc3\xa9T /hello HTTP/1.1"), {400}},
      {"R9", line("GET  /hello HTTP/1.1"), {400}},
      {"R9", line("GET /hello  HTTP/1.1"), {400}},
      {"R9", line("GET\t/hello HTTP/1.1"), {400}},
      {"R9", line("GET\x0b/hello HTTP/1.1"), {400}},
      {"R9", line("GET /hello HTTP/1.1 "), {400}},
      {"R9", line("GET /hello HTTP/1.1\t"), {400}},
      {"R9", line("GET  HTTP/1.1"), {400}},
      {"R10", "GET /hello\r\n\r\n", {400}},
      {"R10", line("GET /hello"), {400}},
      {"R11", line("GET /hello HTTP/1.2"), {200}, false},
      {"R11", line("GET /hello HTTP/1.9"), {200}, false},
      {"R12", line("GET /hello HTTP/2.0"), {505}},
      {"R12", line("GET /hello HTTP/3.0"), {505}},
      {"R12", line("GET /hello HTTP/0.9"), {505}},
      {"C9", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
      {"R13", line("GET /hello http/1.1"), {400}},
      {"R13", line("GET /hello HTTP/1"), {400}},
      {"R13", line("GET /hello HTTP/11.1"), {400}},
      {"R13", line("GET /hello HTTP/1.10"), {400}},
      {"R13", line("GET /hello HTTQ/1.1"), {400}},
      {"R13", line("OPTIONS /hello RTSP/1.0"), {400}},
      {"R13", line("SOURCE /hello ICE/1.0"), {400}},
      {"R14", line("GET /a b HTTP/1.1"), {400}},
      {"R15", line("GET /x\0 HTTP/1.1"s), {400}},
      {"R15", line("GET /x\ry HTTP/1.1"), {400}},
      {"R15", line("GET /x\x01 HTTP/1.1"), {400}},
      {"R15", line("GET /x\x7f HTTP/1.1"), {400}},
      {"R15", line("GET /x\ty HTTP/1.1"), {400}},
      {"R15", line("GET /caf\xc3\xa9 HTTP/1.1"), {400}},
      {"R15", line("GET /a<b HTTP/1.1"), {400}},
      {"R15", line("GET /a\"b HTTP/1.1"), {400}},
      {"R15", line("GET /a\\b HTTP/1.1"), {400}},
      {"R15", line("GET /a{b} HTTP/1.1"), {400}},
      {"R15", line("GET /a^b`c|d HTTP/1.1"), {400}},
      {"R15", line("GET /hello?<b> HTTP/1.1"), {400}},
      {"R15",
       line("GET /hello?a[]={1}|2^3`4&q=100% HTTP/1.1"),
       {200},
       false},  // browsers send these
      {"R16", line("GET hello HTTP/1.1"), {400}},
      {"R16", line("GET x:80 HTTP/1.1"), {400}},
      {"R16", line("GET * HTTP/1.1"), {400}},
      {"R16", line("OPTIONS *x HTTP/1.1"), {400}},
      {"R16", line("GET ?q HTTP/1.1"), {400}},
      {"R17", line("GET http://y:80/hello?q HTTP/1.1"), {200}, false},
      {"R17", line("GET HTTP://y/hello HTTP/1.1"), {200}, false},
      {"R17", line("GET https://y/hello HTTP/1.1"), {421}},
      {"R17", line("GET ftp://y/hello HTTP/1.1"), {400}},
      {"R18", "GET http://y/hello HTTP/1.1\r\n\r\n", {400}},
      {"R18", line("GET http:///hello HTTP/1.1"), {400}},
      {"R18", line("GET http://:80/hello HTTP/1.1"), {400}},
      {"R19", line("GET http://u:p@y/hello HTTP/1.1"), {400}},
      {"R19", line("GET http://u@v@y/hello HTTP/1.1"), {400}},
      {"R21", line("OPTIONS * HTTP/1.1"), {204}, false},
      {"R22", line("CONNECT x:80 HTTP/1.1"), {501}},
      {"R22", line("CONNECT /hello HTTP/1.1"), {501}},
      {"R23", line("TRACE /hello HTTP/1.1"), {405}, false},
      {"R26", line("GET /%zz HTTP/1.1"), {400}},
      {"R26", line("GET /hello%4 HTTP/1.1"), {400}},
      {"R26", line("GET /hello% HTTP/1.1"), {400}},
      {"R26", line("GET /hello%00 HTTP/1.1"), {400}},
      {"R27", line("GET /hello#f HTTP/1.1"), {400}},
      {"R27", line("GET /hello?q#f HTTP/1.1"), {400}},
      {"R28", line("GET /h%65llo HTTP/1.1"), {200}, false},
      {"S1", line("HEAD /hello HTTP/1.1"), {200}, false},
      {"S1", line("HEAD /nope HTTP/1.1"), {404}, false},
      {"S1", line("HEAD /a b HTTP/1.1"), {400}},
  });
}

TEST_CASE("syntax: Host (RFC 9112 §3.2)") {
  std::vector<Row> rows{
      {"H1", host("X: y"), {400}},
      {"H2", "GET /hello HTTP/1.0\r\n\r\n", {200}},
      {"H3", host("Host: x\r\nHost: x"), {400}},
      {"H3", host("Host: x\r\nhOST: evil.example"), {400}},
      {"H3", "GET /hello HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", {400}},
      {"H4", host("Host: x\r\n evil"), {400}},
      {"H6", host("Host:"), {400}},
  };
  for (const char* bad : {"a b",         "x/y",         "x?y",
                          "x#y",         "u@x",         "x\\y",
                          "x\x01",       "<script>",    "a, b",
                          "a,b",         "x:8a",        "x:-1",
                          "x:99999",     "x:80:80",     "[::1",
                          "[::1]x",      "[::1]:x",     "[]",
                          "[1]",         "[::g]",       "::1",
                          "x%zz",        "x%4",         ":80",
                          "x%41",        "%3127.0.0.1", "017700000001",
                          "0x7f.1",      "127.01.0.1",  "127.0.1",
                          "127.0.0.256", "1.2.3.4.5",   "2130706433",
                          "0x",          "a.0x1",       "a.1",
                          ".",           "..",          ".x",
                          "x..y",        "x..",         "1.2.3.4..",
                          "caf\xc3\xa9", "[v1.x]",      "[fe80::1%25eth0]",
                          "[::1]]",      "x\"",         "\"x\""}) {
    rows.push_back({"H4", host("Host: "s + bad), {400}});
  }
  rows.push_back({"H4", host("Host: x\0y"s), {400}});
  for (const char* good :
       {" LOCALHOST", " localhost:", " [::1]:80", " [::ffff:1.2.3.4]", "\tx", "x", " x \t",
        " a.b-c_d~e", " 127.0.0.1:65535", " a!$&'()*+;=b", " x.", " x.:88", " 127.0.0.1.",
        " 1.example", " 0xg", " 0.0.0.0=5000", " xn--bcher-kva.example"}) {
    rows.push_back({"H5", host("Host:"s + good), {200}, false});
  }
  run(rows);
}

TEST_CASE("syntax: fields (RFC 9112 §5)") {
  run({
      {"F1", field("X : 1"), {400}},
      {"F1", field("X\t: 1"), {400}},
      {"F2", field("X: a\r\n b"), {400}},
      {"F2", field("X: a\r\n\tb"), {400}},
      {"F2", field("X:\r\n b"), {400}},
      {"F2", field("X: a\r\n "), {400}},
      {"F3", field("X: a\r\n Content-Length: 43"), {400}},
      {"F3", coded("Transfer-Encoding:\r\n chunked"), {400}},
      {"F3", coded("Content-Length:\r\n 5", "hello"), {400}},
      {"F3", coded("Connection:\r\n close"), {400}},
      {"F4", field("garbage"), {400}},
      {"F4", field(": x"), {400}},
      {"F4", field("X(A): 1"), {400}},
      {"F4", field("X[]: 1"), {400}},
      {"F4", field("X\x80"s + "A: 1"), {400}},
      {"F5", field("X\0A: 1"s), {400}},
      {"F5", field("X: a\0b"s), {400}},
      {"F6", field("X: \x01"), {400}},
      {"F6", field("X: \x7f"), {400}},
      {"F7", field("X: caf\xe9 \xff"), {200}, false},
      {"F8", field("X-A: \t  a b \t \r\nX-B:\r\nX-C: \r\nx-d:\t"), {200}, false},
      {"F12",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent_Length: 9\r\nTransfer_Encoding: chunked\r\n\r\n",
       {200},
       false},
      {"C8", field("Connection: Upgrade\r\nUpgrade: foo/2"), {200}, false},
      {"C8",
       coded("Connection: Upgrade\r\nUpgrade: foo/2\r\nContent-Length: 5", "hello"),
       {200},
       false},
      {"C8",
       coded("Connection: Upgrade\r\nUpgrade: foo/2\r\nTransfer-Encoding: chunked"),
       {200},
       false},
      {"C9",
       field("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
       {200},
       false},
      {"C8",
       "GET /hello HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: foo\r\n\r\n",
       {200},
       false},
  });
}

TEST_CASE("syntax: Content-Length (RFC 9112 §6.3)") {
  std::vector<Row> rows{
      {"L2", coded("Content-Length: 5\r\nContent-Length: 6", "hello!"), {400}},
      {"L2", coded("Content-Length: 43\r\nContent-Length: 0", ""), {400}},
      {"L3", coded("Content-Length: 5\r\nContent-Length: 5", "hello"), {400}},
      {"L3", coded("Content-Length: \r\nContent-Length: 5", "hello"), {400}},
      {"L5", length(" 0005"), {200}, false},
      {"L5", length(" 5\t"), {200}, false},
      {"L5", length("\t 5 \t "), {200}, false},
      {"L5", length("0", ""), {200}, false},
      {"L6",
       "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" + kProbe + "!",
       {200},
       false},
      {"L6",
       "HEAD /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\n" + kProbe,
       {200},
       false},
      {"L6", "GET /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\n" + kProbe, {404}, false},
      {"L6", "PUT /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 32\r\n\r\n" + kProbe, {405}, false},
      {"L7", length(" 1048577", ""), {413}},
      {"L7", "PUT /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", {404}},
  };
  for (const char* bad : {"",
                          " ",
                          " +5",
                          " -5",
                          " 0x5",
                          " \"5\"",
                          " 5.0",
                          " 1e1",
                          " 5;",
                          " 5a",
                          " 1_0",
                          " 5 5",
                          " 5, 5",
                          " 5, 6",
                          " ,5",
                          " 5,",
                          " abc",
                          " \x0b"
                          "5",
                          " 5\x0c",
                          " \xd9\xa5"}) {
    rows.push_back({"L1", length(bad), {400}});
  }
  rows.push_back({"L1", length(" 5\0"s), {400}});
  for (const char* huge : {" 18446744073709551616", " 18446744073709551621",
                           " 9999999999999999999999999999999999999999"}) {
    rows.push_back({"L4", length(huge), {400}});
  }
  rows.push_back({"L4", length(" 9223372036854775808"), {413}});
  rows.push_back({"L4", length(" 18446744073709551615"), {413}});
  run(rows);
}

TEST_CASE("syntax: Transfer-Encoding (RFC 9112 §6.1)") {
  run({
      {"T9", coded("Content-Length: 5\r\nTransfer-Encoding: chunked"), {400}},
      {"T9", coded("Transfer-Encoding: chunked\r\nContent-Length: 0"), {400}},
      {"T9", coded("Content-Length: 5\r\nTransfer-Encoding: identity", "hello"), {400}},
      {"T9", coded("Transfer-Encoding:\r\nContent-Length: 5", "hello"), {400}},
      {"T10", coded("Transfer-Encoding:"), {400}},
      {"T10", coded("Transfer-Encoding: "), {400}},
      {"T10", coded("Transfer-Encoding: ,"), {400}},
      {"T10", coded("Transfer-Encoding: identity"), {400}},
      {"T10", coded("Transfer-Encoding: gzip"), {400}},
      {"T10", coded("Transfer-Encoding: xchunked"), {400}},
      {"T10", coded("Transfer-Encoding: chunkedx"), {400}},
      {"T10", coded("Transfer-Encoding: \"chunked\""), {400}},
      {"T10", coded("Transfer-Encoding: chunked;q=1"), {400}},
      {"T10", coded("Transfer-Encoding: x chunked"), {400}},
      {"T10", coded("Transfer-Encoding: chunked x"), {400}},
      {"T10",
       coded("Transfer-Encoding: \x0b"
             "chunked"),
       {400}},
      {"T10", coded("Transfer-Encoding: chunked\x0b"), {400}},
      {"T10", coded("Transfer-Encoding: chunked\0"s), {400}},
      {"T10", coded("Transfer-Encoding: \0chunked"s), {400}},
      {"T10",
       coded("Transfer-Encoding: \xa0"
             "chunked"),
       {400}},
      {"T10", coded("Transfer-Encoding: ,chunked"), {400}},
      {"T10", coded("Transfer-Encoding: chunked,"), {400}},
      {"T10", coded("Transfer-Encoding: chunked, identity"), {400}},
      {"T10", coded("Transfer-Encoding: chunked, gzip"), {400}},
      {"T10", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), {400}},
      {"T11", coded("Transfer-Encoding: chunked, chunked"), {400}},
      {"T11", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), {400}},
      {"T12", coded("Transfer-Encoding: gzip, chunked"), {501}},
      {"T12", coded("Transfer-Encoding: identity, chunked"), {501}},
      {"T12", coded("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), {501}},
      {"T13", coded("Transfer-Encoding: CHUNKED"), {200}, false},
      {"T13", coded("Transfer-Encoding:\tchunked"), {200}, false},
      {"T13", coded("Transfer-Encoding: chunked \t "), {200}, false},
      {"T14",
       "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {400}},
      {"T14",
       "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       {400}},
      {"10", coded("Transfer-Encoding\x0b: chunked"), {400}},
      {"11", coded("X: x\nTransfer-Encoding: chunked"), {400}},
      {"C11", coded("Connection: transfer-encoding\r\nTransfer-Encoding: chunked"), {200}, false},
  });
}

TEST_CASE("syntax: chunks (RFC 9112 §7.1)") {
  run({
      {"T1", chunks("a\r\n0123456789\r\n0\r\n\r\n"), {200}, false},
      {"T1", chunks("0A\r\n0123456789\r\n0005\r\nhello\r\n000\r\n\r\n"), {200}, false},
      {"T1", chunks("0\r\n\r\n"), {200}, false},
      {"T2", chunks("5;a=b;c=d;e\r\nhello\r\n0;c\r\n\r\n"), {200}, false},
      {"T2", chunks("5;a=\"x;y\\\"z\"\r\nhello\r\n0\r\n\r\n"), {200}, false},
      {"T2", chunks("5;a;b=\"\";c=\"\\\\\"\r\nhello\r\n0\r\n\r\n"), {200}, false},
      {"T2", chunks("5;\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T2", chunks("5;a=\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T2", chunks("5;=b\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T2", chunks("5;a=\"b\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T2", chunks("5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T2", chunks("5; a\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("0x5\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("+5\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("-5\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("5_\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("g\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks(" 5\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("0 5\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("5,\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("\"5\"\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks(";a\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T3", chunks("100000005\r\nhello\r\n0\r\n\r\n"), {413}},
      {"T3", chunks("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), {413}},
      {"T4", chunks("5 \r\nhello\r\n0\r\n\r\n"), {400}},
      {"T4", chunks("5\t\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T5", chunks("5\r\nhelloX\r\n0\r\n\r\n"), {400}},
      {"T5", chunks("5\r\nhelloXX0\r\n\r\n"), {400}},
      {"T5", chunks("5\r\nhello\n0\r\n\r\n"), {400}},
      {"T5", chunks("5\r\nhello\rX0\r\n\r\n"), {400}},
      {"T6", chunks("5\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5\rhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;\nxx\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"), {400}},
      {"T6", chunks("5;a\0\r\nhello\r\n0\r\n\r\n"s), {400}},
      {"T6", chunks("5\r\nhello\r\n0\n\r\n"), {400}},
      {"T6", chunks("5\r\nhello\r\n0\r\n\n"), {400}},
      {"T6", chunks("5\r\nhello\r\n0\r\n\rX\r\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\nX: y\r\nContent-Length: 7\r\n\r\n"), {200}, false},
      {"T7", chunks("5\r\nhello\r\n0\r\nHost: evil\r\nHost: evil\r\n\r\n"), {200}, false},
      {"T7", chunks("5\r\nhello\r\n0\r\nConnection: close\r\n\r\n"), {200}, false},
      {"T7", chunks("5\r\nhello\r\n0\r\nX : 1\r\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\n X: a\r\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\n: a\r\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\nX: a\n\r\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\nX: a\r\n\n"), {400}},
      {"T7", chunks("5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n"s), {400}},
      {"L6",
       "GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + kProbe +
           "\r\n0\r\n\r\n",
       {200},
       false},
  });
}

TEST_CASE("syntax: expectations (RFC 9110 §10.1.1)") {
  std::string expect = "Expect: 100-continue\r\n";
  run({
      {"E1", coded(expect + "Content-Length: 5", "hello"), {200}, false},
      {"E1", coded(expect + "Transfer-Encoding: chunked"), {200}, false},
      {"E2", "POST /echo HTTP/1.0\r\nContent-Length: 5\r\n" + expect + "\r\nhello", {200}},
      {"E2", "POST /echo HTTP/1.0\r\nExpect: magic\r\n\r\n", {200}},
      {"E3", "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + expect + "\r\n", {405}},
      {"E3", "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + expect + "\r\n", {404}},
      {"E3", coded(expect + "Content-Length: 3000000", ""), {413}},
      {"E4", field("Expect: 100-continue"), {200}, false},
      {"E5", field("Expect: magic"), {417}},
      {"E5", coded("Expect: 100-continue, magic\r\nContent-Length: 5", "hello"), {417}},
  });
}

TEST_CASE("syntax: 100 Continue comes only when a body is really awaited") {
  Wire w;
  std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n";
  CHECK(w.run({head}).bytes == interim);
  CHECK(w.run({head, "hello"}).bytes.starts_with(interim + "HTTP/1.1 200 OK"));
  CHECK_FALSE(w.run({head + "hello"}).bytes.contains("100 Continue"));
  CHECK_FALSE(w.run({head + "h", "ello"}).bytes.contains("100 Continue"));
  CHECK_FALSE(w.run({"POST /echo HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"})
                  .bytes.contains("100"));
  CHECK_FALSE(
      w.run({"POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"})
          .bytes.contains("100 Continue"));
}

TEST_CASE("syntax: not HTTP at all is refused at its first byte") {
  Wire w;
  for (const std::string& bytes :
       {"\x16\x03\x01\x02"s, "\0\0\0"s, "\xff\xff"s, "\r\n\r\n\0\r\nQUIT\n!"s}) {
    CHECK(statuses(w.run_all_ways(bytes).bytes) == std::vector{400});
  }
  CHECK(statuses(w.run_all_ways("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").bytes) ==
        std::vector{400});
}
