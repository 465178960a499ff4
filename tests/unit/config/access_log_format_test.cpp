// SPDX-License-Identifier: Apache-2.0
#include "config/access_log_format.h"

#include "config/text_span.h"

#include <doctest/doctest.h>

#include <string>

using namespace pronghorn::config;
using Kind = LogPiece::Kind;

namespace {

std::vector<LogPiece> pieces(std::string_view text) {
  auto format = parse_log_format(text);
  REQUIRE_MESSAGE(format, format.error().message);
  return format->pieces;
}

std::string fault(std::string_view text, std::string_view part) {
  auto format = parse_log_format(text);
  REQUIRE_FALSE(format);
  CHECK(text.substr(format.error().at, format.error().length) == part);
  return format.error().message;
}

}  // namespace

TEST_CASE("log format: common and combined are patterns") {
  CHECK(pieces("common") == pieces(R"(%h %l %u %t "%r" %>s %B)"));
  CHECK(pieces("combined") == pieces(R"(%h %l %u %t "%r" %>s %B "%{Referer}i" "%{User-Agent}i")"));
  CHECK(parse_log_format("json")->is_json);
  CHECK_FALSE(parse_log_format("combined")->is_json);
}

TEST_CASE("log format: each letter is a piece, what stands between them is text") {
  CHECK(pieces("a%hb%%c%D") ==
        std::vector<LogPiece>{
            {Kind::text, "a"}, {Kind::client, ""}, {Kind::text, "b%c"}, {Kind::duration_us, ""}});
  const std::pair<const char*, LogPiece> rows[] = {
      {"%a", {Kind::client}},
      {"%l", {Kind::nobody}},
      {"%u", {Kind::nobody}},
      {"%t", {Kind::time_clf}},
      {"%{%Y-%m-%d}t", {Kind::time_format, "%Y-%m-%d"}},
      {"%{end:%EY%%%Od}t", {Kind::time_format, "%EY%%%Od"}},
      {"%{sec}t", {Kind::time_seconds}},
      {"%{msec}t", {Kind::time_milliseconds}},
      {"%{usec}t", {Kind::time_microseconds}},
      {"%{msec_frac}t", {Kind::fraction_ms}},
      {"%{usec_frac}t", {Kind::fraction_us}},
      {"%r", {Kind::request_line}},
      {"%m", {Kind::method}},
      {"%U", {Kind::path}},
      {"%q", {Kind::query}},
      {"%H", {Kind::protocol}},
      {"%s", {Kind::status}},
      {"%>s", {Kind::status}},
      {"%<s", {Kind::status}},
      {"%b", {Kind::body_bytes_or_dash}},
      {"%B", {Kind::body_bytes}},
      {"%I", {Kind::bytes_in}},
      {"%O", {Kind::bytes_out}},
      {"%T", {Kind::duration_s}},
      {"%{ms}T", {Kind::duration_ms}},
      {"%{us}T", {Kind::duration_us}},
      {"%{s}T", {Kind::duration_s}},
      {"%{X-Forwarded-For}i", {Kind::request_field, "X-Forwarded-For"}},
      {"%{Content-Type}o", {Kind::answer_field, "Content-Type"}},
      {"%v", {Kind::server_name}},
      {"%V", {Kind::host}},
      {"%p", {Kind::port}},
      {"%{local}p", {Kind::port}},
      {"%P", {Kind::process}},
      {"%{pid}P", {Kind::process}},
      {"%k", {Kind::earlier_requests}},
      {"%X", {Kind::connection}},
  };
  for (const auto& [text, piece] : rows) {
    CAPTURE(text);
    CHECK(pieces(text) == std::vector<LogPiece>{piece});
  }
}

TEST_CASE("log format: what is wrong is named with its place") {
  CHECK(fault("%h %Z %t", "%Z").starts_with("'%Z' is not known; these are: %h "));
  CHECK(fault("%h %{x}Z", "%{x}Z").starts_with("'%{x}Z' is not known"));
  CHECK(fault("%h %400,501{Referer}i", "%4").starts_with("'%4' is not known"));
  CHECK(fault("%h %", "%").find("'%%'") != std::string::npos);
  CHECK(fault("%{Referer", "%{") == "'%{' has no '}'");
  CHECK(fault("%{Referer}", "%{Referer}").find("no letter") != std::string::npos);
  CHECK(fault("%t %i", "%i").find("needs a name") != std::string::npos);
  CHECK(fault("%{a b}i", "%{a b}i").find("no name of a field") != std::string::npos);
  CHECK(fault("%{}o", "%{}o").find("no name of a field") != std::string::npos);
  CHECK(fault("%{}t", "%{}t").find("strftime") != std::string::npos);
  CHECK(fault("%{begin:%T}t", "%{begin:%T}t").find("strftime") != std::string::npos);
  CHECK(fault("x %{%H:%Q}t", "%Q").find("strftime") != std::string::npos);
  CHECK(fault("%{%n}t", "%n").find("strftime") != std::string::npos);
  CHECK(fault("%{%H%}t", "%").find("strftime") != std::string::npos);
  CHECK(fault("%h\n%t", "\n").find("control") != std::string::npos);
  CHECK(fault("%\xc3\xa4", "%\xc3\xa4").starts_with("'%\xc3\xa4' is not known"));
  CHECK(fault("no letters", "no letters").find("\"combined\"") != std::string::npos);
  CHECK(fault("", "").find("\"combined\"") != std::string::npos);
  CHECK(parse_log_format("combind").error().suggestion == "combined");
}

TEST_CASE("log format: half of a line is left for what clients send") {
  std::string most(2048 - 64, 'x');
  CHECK(parse_log_format(most + "%r"));
  CHECK(fault(most + "x%r", most + "x%r").starts_with("too long"));
  std::string many;
  for (int i = 0; i < 103; ++i) many += "%D";
  CHECK(fault(many, many).starts_with("too long"));
}

TEST_CASE("text span: a part of a quoted text has its own columns") {
  auto columns = [](std::string_view line, int first, int end, std::string_view text,
                    std::string_view part) {
    auto at = text.find(part);
    auto span = span_in_text({3, first, end}, line, text, at, part.size());
    return span ? std::pair(span->column, span->end_column) : std::pair(0, 0);
  };
  CHECK(columns(R"(k = "%h %Z")", 5, 12, "%h %Z", "%Z") == std::pair(9, 11));
  CHECK(columns(R"(k = '%h "%Z"')", 5, 14, "%h \"%Z\"", "%Z") == std::pair(10, 12));
  // Escapes are longer than what they mean; columns count characters.
  CHECK(columns(R"(k = "\"\u00e4\" %Z")", 5, 20, "\"\xc3\xa4\" %Z", "%Z") == std::pair(17, 19));
  CHECK(columns("k = \"\xc3\xa4 %Z\"", 5, 11, "\xc3\xa4 %Z", "%Z") == std::pair(8, 10));
  CHECK(columns(R"(k = "\U0001f600%Z")", 5, 19, "\xf0\x9f\x98\x80%Z", "%Z") == std::pair(16, 18));
  // A variable, several lines.
  CHECK(columns(R"(k = "%h ${X}")", 5, 14, "%h %Z", "%Z") == std::pair(0, 0));
  CHECK(columns(R"(k = """%Z""")", 5, 13, "%Z", "%Z") == std::pair(0, 0));
  CHECK(columns("k = \"\"\"", 5, 6, "%Z", "%Z") == std::pair(0, 0));
}
