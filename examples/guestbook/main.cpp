// SPDX-License-Identifier: Apache-2.0
// What each worker opens for its handlers, what middleware tells them of a request, and files: of a
// folder, and as a handler's answer.
#include <pronghorn/http.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace pronghorn;

namespace {

struct User {
  std::string name;
};

std::string book_path() {
  const char* path = std::getenv("GUESTBOOK");
  return path == nullptr ? "guestbook.txt" : path;
}

}  // namespace

int main(int argc, char** argv) {
  App app(argc, argv);
  std::ofstream book;  // of this worker: as a connection to a database would be

  app.on_start([&]() -> Result<void> {
    book.open(book_path(), std::ios::app);
    if (!book) return std::unexpected(Error::system(errno, "the guest book " + book_path()));
    book << "opened by " << ::getpid() << std::endl;
    return {};
  });
  app.on_stop([&] { book << "closed by " << ::getpid() << std::endl; });

  app.before("/sign", [](const Request& q) -> std::optional<Response> {
    if (!q.has_header("x-user")) return Response::error(403);
    q.locals().set(User{std::string(q.header("x-user"))});
    return std::nullopt;
  });
  app.post("/sign", [&](const Request& q) {
    book << q.locals().get<User>()->name << " was here" << std::endl;
    return Response::text("thank you\n").status(201);
  });
  app.after("/sign", [](const Request& q, Response& r) {
    if (const User* user = q.locals().get<User>()) r.header("X-Signed-By", user->name);
  });

  app.get("/book", [](const Request& q) {
    return send_file(q, book_path(), {.download = "guest book.txt", .type = "text/plain"});
  });
  app.files("/public", "public", {.cache_control = "max-age=3600"});
  return app.run();
}
