// SPDX-License-Identifier: Apache-2.0
#include "cluster_stage.h"

#include <utility>

namespace compare {

namespace {

std::string name(const Worker& worker) { return "w" + std::to_string(worker.id()); }

Json place(const Address& address) {
  Json fields = {{"address", address.address}, {"port", address.port > 0}, {"type", 4}};
  if (address.type == AddressType::ipv6) fields["type"] = 6;
  if (address.type == AddressType::unix_socket) fields["type"] = -1;
  return fields;
}

// A number is a port, which is another one each time.
Json shown(const Json& message) {
  return {{"message", message.is_number() ? Json("number") : message}};
}

Json with_end(Json fields, const Exit& exit) {
  fields["code"] = exit.code ? Json(*exit.code) : Json();
  fields["signal"] = exit.signal ? process::signal_name(*exit.signal) : "";
  return fields;
}

const char* state_name(Worker::State state) {
  switch (state) {
    case Worker::State::none:
      return "none";
    case Worker::State::online:
      return "online";
    case Worker::State::listening:
      return "listening";
    case Worker::State::disconnected:
      return "disconnected";
    case Worker::State::dead:
      return "dead";
  }
  return "";
}

}  // namespace

ClusterStage::~ClusterStage() {
  if (tells_end_) own("ends", {{"code", stage.loop.exit_code()}});
}

Json ClusterStage::now(const Worker& worker) const {
  return {{"connected", worker.is_connected()},
          {"dead", worker.is_dead()},
          {"left", worker.exited_after_disconnect()},
          {"state", state_name(worker.state())},
          {"member", cluster.workers().contains(worker.id())}};
}

void ClusterStage::watch() {
  cluster.on_setup([this](const ClusterSettings& settings) {
    Json args = *settings.args;
    args.erase(args.begin());
    stage.say("cluster", "setup", {{"silent", *settings.silent}, {"args", args}});
  });
  auto plain = [this](const char* event) {
    return [this, event](Worker& w) { stage.say(name(w), event, now(w)); };
  };
  cluster.on_fork(plain("fork"));
  cluster.on_online(plain("cluster-online"));
  cluster.on_listening([this](Worker& w, const Address& address) {
    stage.say(name(w), "cluster-listening", place(address));
  });
  cluster.on_message([this](Worker& w, const Json& message) {
    stage.say(name(w), "cluster-message", shown(message));
  });
  cluster.on_disconnect(plain("cluster-disconnect"));
  cluster.on_exit([this](Worker& w, const Exit& exit) {
    stage.say(name(w), "cluster-exit", with_end(now(w), exit));
  });
}

Worker& ClusterStage::fork(const process::Environment& env) {
  Worker& w = cluster.fork(env);
  w.on_online([this, &w] { stage.say(name(w), "online", now(w)); });
  w.on_listening(
      [this, &w](const Address& address) { stage.say(name(w), "listening", place(address)); });
  w.on_message([this, &w](const Json& message) { stage.say(name(w), "message", shown(message)); });
  w.on_disconnect([this, &w] { stage.say(name(w), "disconnect", now(w)); });
  w.on_exit(
      [this, &w](const Exit& exit) { stage.say(name(w), "exit", with_end(Json::object(), exit)); });
  return w;
}

void ClusterStage::own(std::string_view event, Json fields) {
  stage.say(name(cluster.worker()), event, std::move(fields));
}

Server& ClusterStage::serve(const std::string& where, std::function<void(Server&)> told,
                            const Server::ListenOptions& options) {
  Server& server = servers_.emplace_back(stage.loop);
  server.get("/", [this](const Request&) {
    return Response::text(std::to_string(cluster.worker().id()));
  });
  server.on_error([this](const Error& error) { own("server-error", {{"code", error.name()}}); });
  server.on_listening([told = std::move(told), &server](const Address&) {
    if (told) told(server);
  });
  if (auto ok = server.listen(where, options); !ok) {
    own("server-error", {{"code", ok.error().name()}});
  }
  return server;
}

}  // namespace compare
