// SPDX-License-Identifier: Apache-2.0
#include "server/mime.h"

#include <doctest/doctest.h>

#include <string>

using pronghorn::server::content_type_of;

TEST_CASE("mime: types follow the extension, any case") {
  CHECK(content_type_of("index.html") == "text/html; charset=utf-8");
  CHECK(content_type_of("dir/INDEX.HtMl") == "text/html; charset=utf-8");
  CHECK(content_type_of("app.js") == "text/javascript; charset=utf-8");
  CHECK(content_type_of("app.mjs") == "text/javascript; charset=utf-8");
  CHECK(content_type_of("style.min.css") == "text/css; charset=utf-8");
  CHECK(content_type_of("hello.txt") == "text/plain; charset=utf-8");
  CHECK(content_type_of("data.json") == "application/json");
  CHECK(content_type_of("pic.svg") == "image/svg+xml");
  CHECK(content_type_of("a.wasm") == "application/wasm");
  CHECK(content_type_of("a.woff2") == "font/woff2");
  CHECK(content_type_of("a.png") == "image/png");
}

TEST_CASE("mime: an unknown extension, or none, is just bytes") {
  for (std::string name :
       {"file.unknownext", "noext", "", ".", "a.", "html", "dir.html/noext", "pic.svgz"}) {
    CAPTURE(name);
    CHECK(content_type_of(name) == "application/octet-stream");
  }
  CHECK(content_type_of("a." + std::string(300, 'h')) == "application/octet-stream");
}
