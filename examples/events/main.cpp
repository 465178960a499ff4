// SPDX-License-Identifier: Apache-2.0
// Server-sent events: what is posted to /say all of this worker's clients hear (--workers 1 makes
// them all). A client that comes back says what it heard last.
#include <pronghorn/http.h>
#include <pronghorn/websocket.h>

#include <set>
#include <string>

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);
  std::set<pronghorn::EventStream> listeners;
  long last = 0;

  app.get("/events", [&](const pronghorn::Request& q, pronghorn::ResponseWriter writer) {
    auto started = pronghorn::EventStream::start(q, std::move(writer));
    if (!started) return;
    pronghorn::EventStream stream = *started;
    const std::string now = std::to_string(last);
    (void)stream.send({.data = "since " + stream.last_event_id(), .event = "hello", .id = now});
    if (!stream.is_open()) return;
    listeners.insert(stream);
    stream.on_close([&listeners, stream] { listeners.erase(stream); });
  });

  app.post("/say", [&](const pronghorn::Request& q) {
    const std::string id = std::to_string(++last);
    for (auto stream : listeners) (void)stream.send({.data = q.body(), .id = id});
    return pronghorn::Response(204);
  });
  return app.run();
}
