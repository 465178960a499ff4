// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/cluster.h>
#include <pronghorn/http.h>

#include <iostream>
namespace ph = pronghorn;
int main(int, char** argv) {  // argv[1]: HOST:PORT
  ph::Loop loop;
  ph::Cluster cluster(loop);
  if (cluster.is_primary()) {
    cluster.on_online([](ph::Worker& w) { std::cout << "online " << w.id() << std::endl; });
    cluster.on_listening([](ph::Worker& w, const ph::Address& a) {
      std::cout << "listening " << w.id() << " " << a.port << std::endl;
    });
    cluster.on_message([](ph::Worker& w, const ph::Json& m) {
      std::cout << "message " << w.id() << " " << m.dump() << std::endl;
    });
    cluster.on_exit([&](ph::Worker& w, const ph::process::Exit&) {
      std::cout << "exit " << w.id() << std::endl;
      if (!w.exited_after_disconnect()) cluster.fork();
    });
    cluster.fork();
    cluster.fork();
    return loop.run();
  }
  ph::Server server(loop);
  server.get("/", [&](const ph::Request&) {
    return ph::Response::text("worker " + std::to_string(cluster.worker().id()));
  });
  server.listen(argv[1]).value();
  cluster.worker().send({{"ready", true}}).value();
  return loop.run();
}
