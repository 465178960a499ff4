// SPDX-License-Identifier: Apache-2.0
// A small API over JSON, with a cookie that counts: notes are kept in the memory of one worker.
#include <pronghorn/http.h>
#include <pronghorn/json.h>

#include <charconv>
#include <map>
#include <string>
#include <string_view>

using pronghorn::Json;
using pronghorn::Request;
using pronghorn::Response;

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);
  std::map<std::string, Json> notes;

  app.get("/notes", [&](const Request& q) {
    Response answer = pronghorn::json_response(notes);
    const std::string_view seen = pronghorn::cookie(q, "visits").value_or("");
    unsigned visits = 0;
    std::from_chars(seen.data(), seen.data() + seen.size(), visits);
    (void)pronghorn::set_cookie(answer, {.name = "visits",
                                         .value = std::to_string(visits + 1),
                                         .path = "/",
                                         .http_only = true,
                                         .same_site = pronghorn::SameSite::lax});
    return answer;
  });
  app.get("/notes/:name", [&](const Request& q) {
    auto note = notes.find(std::string(q.param("name")));
    return note == notes.end() ? Response::error(404) : pronghorn::json_response(note->second);
  });
  app.put("/notes/:name", [&](const Request& q) {
    auto body = pronghorn::json_body(q);
    if (!body) return pronghorn::error_response(body.error());
    const bool is_new = notes.insert_or_assign(std::string(q.param("name")), *body).second;
    return pronghorn::json_response(*body).status(is_new ? 201 : 200);
  });
  app.del("/notes/:name", [&](const Request& q) {
    return notes.erase(std::string(q.param("name"))) > 0 ? Response(204) : Response::error(404);
  });
  return app.run();
}
