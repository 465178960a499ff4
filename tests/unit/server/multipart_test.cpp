// SPDX-License-Identifier: Apache-2.0
// The parser on byte strings: whole, cut in two at every place, and byte by byte.
#include <pronghorn/server/multipart.h>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pronghorn;

namespace {

/// Writes down what it is told, with the pieces of a part's content put together.
struct Record : MultipartParser::Owner {
  virtual ~Record() = default;
  std::string text;
  Result<void> on_part(MultipartHead head) override {
    text += "[" + head.name;
    if (head.file_name) text += "|" + *head.file_name;
    if (!head.type.empty()) text += "|" + head.type;
    text += ":";
    return {};
  }
  Result<void> on_data(std::string_view bytes) override {
    CHECK_FALSE(bytes.empty());
    text += bytes;
    return {};
  }
  Result<void> on_part_end() override {
    text += "]";
    return {};
  }
};

std::string run(std::string_view body, std::size_t first, std::size_t step,
                const MultipartParser::Limits& limits) {
  Record record;
  MultipartParser parser("B", limits, record);
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t size = at == 0 ? first : step;
    if (auto fed = parser.feed(body.substr(at, size)); !fed) return fed.error().message();
    at += size;
  }
  auto finished = parser.finish();
  return finished ? record.text : finished.error().message();
}

std::string parsed(std::string_view body, const MultipartParser::Limits& limits = {}) {
  const std::string whole = run(body, body.size(), 1, limits);
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    CAPTURE(cut);
    CHECK(run(body, cut, body.size(), limits) == whole);
  }
  CHECK(run(body, 1, 1, limits) == whole);
  return whole;
}

std::string part(std::string_view disposition, std::string_view content = "x") {
  return "--B\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n" +
         std::string(content) + "\r\n--B--\r\n";
}

std::string field(std::string_view content) { return part("form-data; name=a", content); }

}  // namespace

TEST_CASE("multipart: fields and files, in order") {
  CHECK(parsed("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
               "--B\r\ncontent-type:\ttext/html ; charset=x\r\n"
               "CONTENT-DISPOSITION: FORM-DATA ; Name = x; name=\"f\" ; filename=\"b.html\"\r\n\r\n"
               "<p>\r\n--B--\r\n") == "a part's Content-Disposition is not form-data");
  CHECK(parsed("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
               "--B\r\ncontent-type:\ttext/html ; charset=x\r\n"
               "CONTENT-DISPOSITION: FORM-DATA ; Name=\"f\" ; filename=\"b.html\"\r\n\r\n"
               "<p>\r\n--B--\r\n") == "[a:one][f|b.html|text/html ; charset=x:<p>]");
}

TEST_CASE("multipart: content is taken byte by byte as it is") {
  CHECK(parsed(field("")) == "[a:]");
  CHECK(parsed(field("\r\n")) == "[a:\r\n]");
  CHECK(parsed(field("\r\r\n\r\r\n--A\r\n-\r\n--")) == "[a:\r\r\n\r\r\n--A\r\n-\r\n--]");
  CHECK(parsed(field("x\r\n--Bx")) == "a delimiter is followed by something else");
  CHECK(parsed(field("\n--B--\n")) == "[a:\n--B--\n]");
  CHECK(parsed(field(std::string("\0\xff\r\0", 4))) == std::string("[a:\0\xff\r\0]", 8));
  CHECK(parsed(field("x--B--")) == "[a:x--B--]");
}

TEST_CASE("multipart: a preamble, an epilogue and white space after a delimiter are ignored") {
  CHECK(parsed("hello\r\n--\r\n" + field("1")) == "[a:1]");
  CHECK(
      parsed("x--B\r\n--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--junk\r\n--B"
             "\r\n") == "[a:1]");
  CHECK(parsed("--B--") == "");
  CHECK(parsed("\r\n--B--\r\n") == "");
}

TEST_CASE("multipart: an empty part's delimiter may begin with the end of its head") {
  CHECK(parsed("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B\r\n"
               "Content-Disposition: form-data; name=b\r\n\r\n--C\r\n--B--") == "[a:][b:--C]");
  CHECK(parsed(field("--B")) == "the form ends before its final delimiter");
}

TEST_CASE("multipart: without its final delimiter it is no form") {
  const std::string whole = field("one");
  for (std::size_t size = 0; size < whole.size() - 2; ++size) {
    CAPTURE(size);
    CHECK(run(whole.substr(0, size), size, 1, {}) == "the form ends before its final delimiter");
  }
  CHECK(parsed("--B\n--B--\r\n") == "a delimiter is followed by something else");
  CHECK(parsed("--B\r\r\n") == "a delimiter is followed by something else");
  CHECK(parsed("--B-\r\n") == "a delimiter is followed by something else");
  CHECK(parsed("--Bx\r\n") == "a delimiter is followed by something else");
}

TEST_CASE("multipart: names and file names in their spellings") {
  CHECK(parsed(part("form-data; name=a; filename=b")) == "[a|b:x]");
  CHECK(parsed(part("form-data; name=\"a\\\"b\"; filename=\"C:\\dir\\f.txt\"")) ==
        "[a\"b|C:\\dir\\f.txt:x]");
  CHECK(parsed(part("form-data; name=\"a;b\"; filename=\"\"")) == "[a;b|:x]");
  CHECK(parsed(part("form-data; name=\"\xc3\xa9\"; filename=\"a%22b\"")) == "[\xc3\xa9|a%22b:x]");
  CHECK(parsed(part("form-data; name=a; filename=\"x\"; filename*=UTF-8''caf%c3%a9")) ==
        "[a|caf\xc3\xa9:x]");
  CHECK(parsed(part("form-data; name=a; filename*=utf-8'en'b")) == "[a|b:x]");
  CHECK(parsed(part("form-data; name=a; filename=\"x\"; filename*=latin1''%e9")) == "[a|x:x]");
  CHECK(parsed(part("form-data; name=a; filename=\"x\"; filename*=UTF-8''%e9")) == "[a|x:x]");
}

TEST_CASE("multipart: a part's head that breaks its grammar is an error") {
  for (const char* disposition :
       {"form-data", "form-data; name", "form-data; name=", "attachment; name=a",
        "form-data; name=\"a", "form-data; name=a; name=b", "form-data name=a",
        "form-data; name=a b", "", "form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "form-data; name=a\r\n folded", "form-data; name=a\r\nno colon", "form-data; name=a\r\n: x",
        "form-data; name=a\r\nX : y", "form-data; name=a\nX: y", "form-data; name=a\rX: y",
        "form-data; name=a\r\nContent-Transfer-Encoding: base64"}) {
    CAPTURE(disposition);
    const std::string outcome = parsed(part(disposition));
    CHECK_FALSE(outcome.contains('['));
    CHECK(outcome != "");
  }
  CHECK(parsed("--B\r\n\r\nx\r\n--B--") == "a part has no Content-Disposition");
  CHECK(parsed(part("form-data; name=a\r\nContent-Transfer-Encoding: 8BIT\r\nX-Any: 1")) ==
        "[a:x]");
}

TEST_CASE("multipart: parts and their heads are bounded") {
  std::string body;
  for (int i = 0; i < 3; ++i) {
    body += "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
  }
  body += "--B--\r\n";
  CHECK(parsed(body, {.parts = 3}) == "[a:x][a:x][a:x]");
  CHECK(parsed(body, {.parts = 2}) == "the form has more than 2 parts");
  const std::string head = "Content-Disposition: form-data; name=a\r\n\r\n";
  CHECK(parsed(field("x"), {.head = head.size()}) == "[a:x]");
  CHECK(parsed(field("x"), {.head = head.size() - 1}) == "a part's head is over 41 bytes");
  CHECK(parsed("--B" + std::string(50, ' '), {.head = 41}) == "a part's delimiter is too long");
}

TEST_CASE("multipart: the boundary comes from the Content-Type") {
  const auto boundary = [](std::string_view type) {
    auto found = MultipartParser::boundary_of(type);
    return found ? *found : std::to_string(status_of(found.error()));
  };
  CHECK(boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(boundary("Multipart/Form-Data ; charset=utf-8; Boundary=\"a b\"") == "a b");
  CHECK(boundary("multipart/form-data; boundary=" + std::string(70, 'x')) == std::string(70, 'x'));
  CHECK(boundary("multipart/form-data; boundary=" + std::string(71, 'x')) == "400");
  CHECK(boundary("multipart/form-data") == "400");
  CHECK(boundary("multipart/form-data; boundary=\"\"") == "400");
  CHECK(boundary("multipart/form-data; boundary=\"a \"") == "400");
  CHECK(boundary("multipart/form-data; boundary=\"a\\\rb\"") == "400");
  CHECK(boundary("multipart/mixed; boundary=abc") == "415");
  CHECK(boundary("application/x-www-form-urlencoded") == "415");
  CHECK(boundary("") == "415");
}

TEST_CASE("multipart: what its owner returns as an error ends it") {
  struct Full final : Record {
    Result<void> on_data(std::string_view) override {
      return std::unexpected(body_error(BodyErrc::storage_full, "full"));
    }
  };
  Full full;
  MultipartParser parser("B", {}, full);
  auto fed = parser.feed(field("x"));
  REQUIRE_FALSE(fed);
  CHECK(status_of(fed.error()) == 507);
}
