// SPDX-License-Identifier: Apache-2.0
// A chat: what one client says all of this worker's hear. Start it with --workers 1, as workers do
// not know each other's clients. /echo answers what it is sent.
#include <pronghorn/http.h>
#include <pronghorn/websocket.h>

#include <set>

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);
  std::set<pronghorn::WebSocket> everybody;

  app.get(
      "/chat", pronghorn::websocket([&](pronghorn::WebSocket one, const pronghorn::Request&) {
        everybody.insert(one);
        one.on_message([&](std::string_view data, bool is_text) {
          // An error: that client is leaving just now.
          for (auto other : everybody) {
            if (is_text) (void)other.send(data);
          }
        });
        one.on_close([&everybody, one](std::uint16_t, std::string_view) { everybody.erase(one); });
      }));

  pronghorn::WebSocketOptions large;
  large.message_limit = 16 << 20;
  large.protocols = {"echo"};
  app.get("/echo",
          pronghorn::websocket(large, [](pronghorn::WebSocket one, const pronghorn::Request&) {
            one.on_message([one](std::string_view data, bool is_text) mutable {
              (void)(is_text ? one.send(data) : one.send_binary(data));
            });
          }));

  app.get("/", [](const pronghorn::Request&) {
    return pronghorn::Response::html(
        "<!doctype html><meta charset=utf-8><title>chat</title>"
        "<form><input autofocus> <button>say</button></form><ul></ul><script>"
        "const ws = new WebSocket(location.href.replace('http', 'ws') + 'chat');"
        "ws.onmessage = e => { const li = document.createElement('li'); li.textContent = e.data;"
        " document.querySelector('ul').append(li); };"
        "document.forms[0].onsubmit = e => { e.preventDefault(); const i = e.target[0];"
        " ws.send(i.value); i.value = ''; };"
        "</script>");
  });
  return app.run();
}
