// SPDX-License-Identifier: Apache-2.0
// Files that handlers answer with, and folders below a path.
#include <pronghorn/server/folder.h>
#include <pronghorn/server/router.h>

#include "files_support.h"
#include "wire.h"

#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

using Headers = std::initializer_list<Field>;

struct Sender : Site {
  Folder folder = std::move(*Folder::open(tree.path("www")));

  static Request asked(std::string_view method, Headers headers = {}) {
    Request request;
    RequestBuilder{request}
        .method(method)
        .path("/download")
        .headers({headers.begin(), headers.size()});
    return request;
  }
  Response send(std::string_view path, const SendFileOptions& options = {}, Headers headers = {},
                std::string_view method = "GET") {
    return folder.send(asked(method, headers), path, options);
  }
  Response send_file(std::string_view path, const SendFileOptions& options = {}) {
    return pronghorn::send_file(asked("GET"), path, options);
  }
};

/// A mount in a router, and what it says.
struct Mounted : Wire {
  ::test::TemporaryTree tree;
  Mounted() {
    tree.file("public/index.html", "INDEX\n");
    tree.file("public/app.js", "js\n");
    tree.file("public/private/key.txt", "KEY\n");
    tree.file("public/sub/index.html", "SUB\n");
    tree.file("outside.txt", "OUTSIDE\n");
  }
  Answer get(std::string_view target, std::string_view method = "GET") {
    auto text =
        run({std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"});
    return answers(text.bytes, method == "HEAD" ? "H" : "G").front();
  }
};

}  // namespace

TEST_CASE("send_file: a file has its type, its validators, and answers conditions and ranges") {
  Sender s;
  Response whole = s.send("hello.txt");
  CHECK(whole.status() == 200);
  CHECK(whole.content_type() == "text/plain; charset=utf-8");
  CHECK(body(whole) == "Hello, world!\n");
  CHECK(header(whole, "Accept-Ranges") == "bytes");
  CHECK(header(whole, "Content-Disposition") == "(none)");
  std::string tag = header(whole, "ETag");
  REQUIRE(tag.size() > 2);
  CHECK(s.send("hello.txt", {}, {{"If-None-Match", tag}}).status() == 304);
  CHECK(s.send("hello.txt", {}, {{"If-Match", "\"other\""}}).status() == 412);
  Response part = s.send("hello.txt", {}, {{"Range", "bytes=0-4"}});
  CHECK(part.status() == 206);
  CHECK(body(part) == "Hello");
  CHECK(s.send("hello.txt", {}, {{"Range", "bytes=99-"}}).status() == 416);
  Response head = s.send("hello.txt", {}, {{"Range", "bytes=0-4"}}, "HEAD");
  CHECK(head.status() == 200);
  CHECK(header(head, "ETag") == tag);
}

TEST_CASE("send_file: the answer of another method is the whole file, whatever it asks") {
  Sender s;
  std::string tag = header(s.send("hello.txt"), "ETag");
  Response made = s.send("hello.txt", {}, {{"Range", "bytes=0-4"}, {"If-None-Match", tag}}, "POST");
  CHECK(made.status() == 200);
  CHECK(body(made) == "Hello, world!\n");
}

TEST_CASE("send_file: names are the file system's, and none leads out of the folder") {
  Sender s;
  CHECK(body(s.send("with space.txt")) == "space\n");
  CHECK(s.send("with%20space.txt").status() == 404);
  CHECK(body(s.send("dir/sub/f.txt")) == "sub\n");
  CHECK(body(s.send("dir/../hello.txt")) == "Hello, world!\n");
  s.tree.link("www/out.txt", s.tree.path("secret.txt"));
  REQUIRE(::mkfifo(s.tree.path("www/fifo").c_str(), 0600) == 0);
  for (std::string_view path : {"../secret.txt", "dir/../../secret.txt", "out.txt", ".env", "",
                                "dir", "dir/", "/", "fifo", "nope", "hello.txt/", "dir/.."}) {
    CAPTURE(path);
    Response none = s.send(path);
    CHECK(none.status() == 404);
    CHECK(none.is_page());
  }
  CHECK(s.send(std::string_view("hello.txt\0.png", 14)).status() == 404);
}

TEST_CASE("send_file: with a root it stays below, without one the path is as it is") {
  Sender s;
  SendFileOptions below{.root = s.tree.path("www")};
  CHECK(body(s.send_file("hello.txt", below)) == "Hello, world!\n");
  CHECK(s.send_file("../secret.txt", below).status() == 404);
  CHECK(s.send_file(s.tree.path("secret.txt"), below).status() == 404);
  CHECK(body(s.send_file(s.tree.path("secret.txt"))) == "TOP-SECRET outside\n");
  CHECK(s.send_file(s.tree.path("no/such.txt")).status() == 404);
  CHECK(s.send_file("hello.txt", {.root = s.tree.path("nowhere")}).status() == 404);
  CHECK(s.send_file("").status() == 404);
}

TEST_CASE("send_file: a download has a name, a type of its own and Cache-Control as asked") {
  Sender s;
  Response named = s.send("hello.txt", {.download = "r\u00e9sum\u00e9 \"1\".txt",
                                        .type = "application/x-own",
                                        .cache_control = "private"});
  CHECK(header(named, "Content-Disposition") ==
        "attachment; filename=\"r_sum_ _1_.txt\"; "
        "filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.txt");
  CHECK(named.content_type() == "application/x-own");
  CHECK(header(named, "Cache-Control") == "private");
  CHECK(header(s.send("dir/sub/f.txt", {.download = ""}), "Content-Disposition") ==
        "attachment; filename=\"f.txt\"");
  Response none = s.send("nope", {.download = "x", .cache_control = "private"});
  CHECK(header(none, "Content-Disposition") == "(none)");
  CHECK(header(none, "Cache-Control") == "(none)");
  // Of several parts each would have the type of the name: the whole, then.
  Response parts = s.send("hello.txt", {.type = "application/x-own"}, {{"Range", "bytes=0-1,3-4"}});
  CHECK(parts.status() == 200);
  CHECK(s.send("hello.txt", {}, {{"Range", "bytes=0-1,3-4"}}).status() == 206);
}

TEST_CASE("send_file: the name of a download is bounded, and ends nothing") {
  CHECK(attachment("report.pdf") == "attachment; filename=\"report.pdf\"");
  CHECK(attachment("/etc/passwd") == "attachment; filename=\"passwd\"");
  CHECK(attachment("") == "attachment; filename=\"file\"");
  CHECK(attachment("a\r\nSet-Cookie: b.txt") == "attachment; filename=\"a__Set-Cookie: b.txt\"");
  CHECK(attachment("50%.txt") == "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt");
  CHECK(attachment(R"(a"; x="b)") ==
        "attachment; filename=\"a_; x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b");
  CHECK(attachment(std::string(10'000, 'x')).size() == 255 + 23);
  CHECK(attachment("\xff\xfe") == "attachment; filename=\"__\"");
}

TEST_CASE("folder: what cannot be opened is an error at once") {
  ::test::TemporaryTree tree;
  CHECK_FALSE(Folder::open(tree.path("nowhere")));
  Router router;
  CHECK_FALSE(add_files(router, "/a", tree.path("nowhere")));
  for (std::string_view prefix :
       {"", "assets", "/:a", "/a/*b", "/a//b", "/a/../b", "/.git", "/%61"}) {
    CAPTURE(prefix);
    CHECK_FALSE(add_files(router, prefix, tree.path("")));
  }
  CHECK(add_files(router, "/a", tree.path("")));
  CHECK_FALSE(add_files(router, "/a/", tree.path("")));  // taken
}

TEST_CASE("folder: below a path as express.static has it") {
  Mounted m;
  REQUIRE(add_files(m.router, "/assets", m.tree.path("public"), {.cache_control = "max-age=60"}));
  CHECK(m.get("/assets/app.js").body == "js\n");
  CHECK(m.get("/assets/app.js").has("Cache-Control: max-age=60"));
  CHECK(m.get("/%61ssets/app.js").body == "js\n");
  CHECK(m.get("/assets/").body == "INDEX\n");
  CHECK(m.get("/assets/sub/").body == "SUB\n");
  Answer moved = m.get("/assets?q=1");
  CHECK(moved.status == 301);
  CHECK(moved.has("Location: /assets/?q=1\r\n"));
  CHECK(m.get("/assets/sub").has("Location: /assets/sub/\r\n"));
  CHECK(m.get("/assets/nope").status == 404);
  CHECK(m.get("/assets/nope").has("Cache-Control") == false);
  CHECK(m.get("/assetsapp.js").status == 404);
  Answer head = m.get("/assets/app.js", "HEAD");
  CHECK(head.status == 200);
  CHECK(head.has("Content-Length: 3\r\n"));
  Answer post = m.get("/assets/app.js", "POST");
  CHECK(post.status == 405);
  CHECK(post.has("Allow: GET, HEAD, OPTIONS\r\n"));
  CHECK(m.get("/hello").body == "hello\n");
}

TEST_CASE("folder: no spelling leaves it, nor passes by what guards a part of it") {
  Mounted m;
  REQUIRE(add_files(m.router, "/assets", m.tree.path("public")));
  REQUIRE(m.router.before("/assets/private", [](const Request&) { return Response::error(401); }));
  for (std::string_view target :
       {"/assets/private/key.txt", "/assets/./private/key.txt", "/assets/%70rivate/key.txt",
        "/assets//private/key.txt", "/assets/sub/../private/key.txt", "//assets/private/key.txt",
        "/assets/../private/key.txt", "/assets/../assets/private/key.txt",
        "/assets/%2e%2e/private/key.txt", "/assets/private%2fkey.txt"}) {
    CAPTURE(target);
    CHECK_FALSE(m.get(target).body.contains("KEY"));
    CHECK(m.get(target).status != 200);
  }
  CHECK(m.get("/assets/private/key.txt").status == 401);
  for (std::string_view target :
       {"/assets/../outside.txt", "/assets/%2e%2e/outside.txt", "/assets/../../outside.txt",
        "/assets/..%2foutside.txt", "/assets/../app.js"}) {
    CAPTURE(target);
    CHECK(m.get(target).status >= 400);
  }
}

TEST_CASE("folder: all paths, beside other routes") {
  Mounted m;
  REQUIRE(add_files(m.router, "/", m.tree.path("public")));
  CHECK(m.get("/").body == "INDEX\n");
  CHECK(m.get("/app.js").body == "js\n");
  CHECK(m.get("/sub").has("Location: /sub/\r\n"));
  CHECK(m.get("/hello").body == "hello\n");
}
