// SPDX-License-Identifier: Apache-2.0
// cluster: fork, messages, and how workers end. Each is primary and worker.
#include "cluster_stage.h"

#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace compare {

namespace {

constexpr const char* kAnyPort = "127.0.0.1:0";

void basic(ClusterStage& c) {
  Stage& s = c.stage;
  if (c.cluster.is_worker()) {
    c.own("kinds", {{"primary", c.cluster.is_primary()},
                    {"worker", c.cluster.is_worker()},
                    {"id", c.cluster.worker().id()}});
    Json hidden = Json::array();
    for (const char* variable :
         {"NODE_UNIQUE_ID", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"}) {
      hidden.push_back(std::getenv(variable) != nullptr);
    }
    c.own("environment", {{"hidden", hidden}, {"given", std::getenv("GIVEN")}});
    c.serve(kAnyPort);
    return;
  }
  s.fact("cluster", "kinds", {c.cluster.is_primary(), true, c.cluster.is_worker()});
  c.watch();
  for (int number : {1, 2}) {
    Worker& worker = c.fork({{"GIVEN", "given " + std::to_string(number)}});
    Json now = c.now(worker);
    s.fact("w" + std::to_string(worker.id()), "forked",
           {worker.id(), now["state"], now["connected"], now["member"]});
    worker.on_listening([&worker](const Address&) { (void)worker.process().kill(SIGTERM); });
  }
}

void messages(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    Worker& worker = c.cluster.worker();
    worker.on_message([&c, &worker](const Json& message) {
      c.own("received", {{"message", message}});
      (void)worker.send(message);
    });
    (void)worker.send({{"first", {1, nullptr, "two"}}});
    return;
  }
  c.watch();
  Worker& worker = c.fork();
  worker.on_online([&worker] {
    (void)worker.send({{"to", "worker"}});
    (void)worker.send("text");
  });
  worker.on_message([&worker](const Json& message) {
    if (message == "text") worker.disconnect();
  });
}

void early_message(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    Worker& worker = c.cluster.worker();
    worker.parent().on_message([&c, &worker, first = true](const Json&) mutable {
      if (!std::exchange(first, false)) return;
      worker.on_message([&c, &worker](const Json& message) {
        c.own("received", {{"message", message}});
        worker.disconnect();
      });
      (void)worker.send("now");
    });
    return;
  }
  c.watch();
  Worker& worker = c.fork();
  worker.on_online([&worker] { (void)worker.send("early"); });
  worker.on_message([&worker](const Json& message) { (void)worker.send(message); });
}

void worker_exit(ClusterStage& c) {
  Stage& s = c.stage;
  if (c.cluster.is_worker()) {
    c.cluster.worker().on_message([&s](const Json&) {
      s.loop.set_exit_code(42);
      s.loop.stop();
    });
    c.serve(kAnyPort);
    return;
  }
  c.watch();
  Worker& worker = c.fork();
  worker.on_listening([&worker](const Address&) { (void)worker.send("leave"); });
  worker.on_exit([&s, &worker](const Exit&) {
    auto& process = worker.process();
    s.fact("w1", "gone", ::kill(process.pid().value(), 0) != 0);
    auto number = [](std::optional<int> n) { return n ? Json(*n) : Json(); };
    s.fact("w1", "codes", {number(process.exit_code()), number(process.signal_code())});
  });
}

void disconnect(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    Worker& worker = c.cluster.worker();
    worker.on_disconnect([&c, &worker] {
      c.own("own-disconnect",
            {{"connected", worker.is_connected()}, {"left", worker.exited_after_disconnect()}});
    });
    worker.on_message([&worker](const Json&) {
      worker.disconnect();
      worker.disconnect();
    });
    c.tell_end();
    c.serve(kAnyPort);
    return;
  }
  c.watch();
  Worker& told = c.fork({{"WHO", "told"}});
  Worker& itself = c.fork({{"WHO", "itself"}});
  told.on_listening([&c, &told](const Address&) {
    told.disconnect();
    c.stage.say("w1", "returned", c.now(told));
  });
  itself.on_listening([&itself](const Address&) { (void)itself.send("leave"); });
}

void kill(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    Worker& worker = c.cluster.worker();
    worker.on_disconnect(
        [&c, &worker] { c.own("own-disconnect", {{"left", worker.exited_after_disconnect()}}); });
    worker.on_message([&worker](const Json&) { worker.kill(SIGKILL); });
    c.serve(kAnyPort);
    return;
  }
  c.watch();
  Worker& told = c.fork();
  Worker& itself = c.fork();
  Worker& hard = c.fork();
  told.on_listening([&c, &told](const Address&) {
    told.kill();
    c.stage.say("w1", "returned", c.now(told));
  });
  itself.on_listening([&itself](const Address&) { (void)itself.send("leave"); });
  hard.on_listening([&hard](const Address&) { hard.kill("SIGKILL"); });
}

void crash(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    c.cluster.worker().on_message([](const Json&) { ::kill(::getpid(), SIGKILL); });
    if (std::getenv("AGAIN") != nullptr) {
      c.cluster.worker().disconnect();
    } else {
      c.serve(kAnyPort);
    }
    return;
  }
  c.watch();
  Worker& worker = c.fork();
  worker.on_listening([&worker](const Address&) { (void)worker.send("die"); });
  worker.on_exit([&c](const Exit&) { c.fork({{"AGAIN", "1"}}); });
}

void setup(ClusterStage& c) {
  Stage& s = c.stage;
  if (c.cluster.is_worker()) {
    if (c.cluster.worker().id() == 1) {
      const std::string text = "args " + s.args.at(1) + " " + s.args.at(2);
      if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::exit(3);
    }
    c.cluster.worker().disconnect();
    return;
  }
  c.watch();
  c.cluster.setup_primary({.silent = true}).value();
  c.cluster.setup_primary({.args = {{"cl-setup", "a", "b"}}}).value();
  Worker& first = c.fork();
  s.fact("w1", "piped", first.process().stdio(1) != nullptr);
  first.process().out().on_data(
      [&s](std::string_view text) { s.fact("w1", "printed", std::string(text)); });
  c.cluster.setup_primary({.silent = false}).value();
  Worker& second = c.fork();
  s.fact("w2", "piped", second.process().stdio(1) != nullptr);
  s.say("cluster", "returned");
}

void disconnect_all(ClusterStage& c) {
  Stage& s = c.stage;
  if (c.cluster.is_worker()) {
    c.serve(kAnyPort);
    return;
  }
  c.watch();
  c.cluster.disconnect([&c] {
    c.stage.say("cluster", "done-none");
    c.fork();
    c.fork();
  });
  s.say("cluster", "returned");
  c.cluster.on_listening([&c, listening = 0](Worker&, const Address&) mutable {
    if (++listening < 2) return;
    auto left = [&c] { return Json{{"left", c.cluster.workers().size()}}; };
    c.cluster.disconnect([&c, left] { c.stage.say("cluster", "done", left()); });
    c.stage.say("cluster", "asked", left());
  });
  c.cluster.on_disconnect(
      [&s, n = 0](Worker&) mutable { s.say("cluster", "of-disconnect", {{"n", ++n}}); });
  c.cluster.on_exit(
      [&s, n = 0](Worker&, const Exit&) mutable { s.say("cluster", "of-exit", {{"n", ++n}}); });
}

void primary_gone(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    Worker& worker = c.cluster.worker();
    worker.on_disconnect(
        [&c, &worker] { c.own("own-disconnect", {{"left", worker.exited_after_disconnect()}}); });
    c.tell_end();
    c.serve(kAnyPort);
    return;
  }
  c.watch();
  c.cluster.on_listening([&c](Worker&, const Address&) { c.stage.loop.stop(); });
  c.fork();
}

}  // namespace

void add_cluster_scenarios(Scenarios& all) {
  all["cl-basic"] = on_cluster<basic>;
  all["cl-message-early"] = on_cluster<early_message>;
  all["cl-message"] = on_cluster<messages>;
  all["cl-worker-exit"] = on_cluster<worker_exit>;
  all["cl-setup"] = on_cluster<setup>;
  all["cl-disconnect"] = on_cluster<disconnect>;
  all["cl-kill"] = on_cluster<kill>;
  all["cl-crash"] = on_cluster<crash>;
  all["cl-disconnect-all"] = on_cluster<disconnect_all>;
  all["cl-primary-gone"] = on_cluster<primary_gone>;
}

}  // namespace compare
