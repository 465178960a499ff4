// SPDX-License-Identifier: Apache-2.0
#include "master/status.h"

#include "master/reopen_outcome.h"

#include <nlohmann/json.hpp>

namespace pronghorn::master {
namespace {

using Json = nlohmann::ordered_json;

// One list of names for both directions.
template <class Worker, class Visit>
void visit_worker(Worker& w, Visit visit) {
  visit("slot", w.slot);
  visit("program", w.program);
  visit("state", w.state);
  visit("pid", w.pid);
  visit("generation", w.generation);
  visit("uptime_ms", w.uptime_ms);
  visit("connections", w.connections);
  visit("accepted", w.accepted);
  visit("requests", w.requests);
  visit("requests_active", w.requests_active);
  visit("requests_failed", w.requests_failed);
  visit("requests_refused", w.requests_refused);
  visit("connections_refused", w.connections_refused);
  visit("requests_per_second", w.requests_per_second);
  visit("bytes_in", w.bytes_in);
  visit("bytes_out", w.bytes_out);
  visit("request", w.request);
  visit("request_ms", w.request_ms);
  visit("heartbeat_ms", w.heartbeat_ms);
  visit("lag_us", w.lag_us);
  visit("cpu_percent", w.cpu_percent);
  visit("memory_bytes", w.memory_bytes);
  visit("exits", w.exits);
  visit("last_exit", w.last_exit);
  visit("last_exit_ms", w.last_exit_ms);
  visit("restart_ms", w.restart_ms);
  visit("attempt", w.attempt);
}

template <class Status, class Visit>
void visit_server(Status& s, Visit visit) {
  visit("version", s.version);
  visit("pid", s.pid);
  visit("uptime_ms", s.uptime_ms);
  visit("generation", s.generation);
  visit("config_file", s.config_file);
  visit("verdict", s.verdict);
  visit("reason", s.reason);
}

template <class Log, class Visit>
void visit_access_log(Log& l, Visit visit) {
  visit("path", l.path);
  visit("lines", l.lines);
  visit("dropped", l.dropped);
  visit("losing", l.is_losing);
  visit("error", l.error);
}

template <class Outcome, class Visit>
void visit_outcome(Outcome& o, Visit visit) {
  visit("path", o.path);
  visit("error", o.error);
}

template <class Worker, class Visit>
void visit_reopened(Worker& w, Visit visit) {
  visit("slot", w.slot);
  visit("pid", w.pid);
  visit("ms", w.ms);
  visit("error", w.error);
}

template <class Listener, class Visit>
void visit_listener(Listener& l, Visit visit) {
  visit("url", l.url);
  visit("waiting", l.waiting);
  visit("limit", l.limit);
}

// Bytes that are no UTF-8 (a path, a request's target) must not throw.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

auto writer(Json& json) {
  return [&json](const char* name, const auto& value) { json[name] = value; };
}
auto reader(const Json& json) {
  return [&json](const char* name, auto& value) {
    auto found = json.find(name);
    if (found != json.end()) found->get_to(value);
  };
}

}  // namespace

std::string to_json(const ServerStatus& status) {
  Json json = Json::object();
  visit_server(status, writer(json));
  json["workers"] = Json::array();
  for (const auto& worker : status.workers) {
    Json each = Json::object();
    visit_worker(worker, writer(each));
    json["workers"].push_back(std::move(each));
  }
  json["listeners"] = Json::array();
  for (const auto& listener : status.listeners) {
    Json each = Json::object();
    visit_listener(listener, writer(each));
    json["listeners"].push_back(std::move(each));
  }
  json["access_log"] = Json::object();
  visit_access_log(status.access_log, writer(json["access_log"]));
  return text_of(json);
}

std::string to_json(const ReopenOutcome& outcome) {
  Json json = Json::object();
  json["reopened"] = outcome.is_complete();
  visit_outcome(outcome, writer(json));
  json["workers"] = Json::array();
  for (const auto& worker : outcome.workers) {
    Json each = Json::object();
    visit_reopened(worker, writer(each));
    json["workers"].push_back(std::move(each));
  }
  return text_of(json);
}

Result<ServerStatus> parse_status(std::string_view text) try {
  Json json = Json::parse(text);
  if (!json.is_object()) return std::unexpected(Error("the server's answer is no object"));
  if (json.contains("error"))
    return std::unexpected(Error("the server answers: " + json["error"].get<std::string>()));
  for (const char* list : {"workers", "listeners"}) {
    if (json.contains(list) && !json[list].is_array()) {
      return std::unexpected(Error("the server's answer cannot be read"));
    }
  }
  ServerStatus status;
  visit_server(status, reader(json));
  for (const auto& each : json.value("workers", Json::array())) {
    visit_worker(status.workers.emplace_back(), reader(each));
  }
  for (const auto& each : json.value("listeners", Json::array())) {
    visit_listener(status.listeners.emplace_back(), reader(each));
  }
  if (auto log = json.find("access_log"); log != json.end() && log->is_object()) {
    visit_access_log(status.access_log, reader(*log));
  }
  return status;
} catch (const Json::exception&) {
  return std::unexpected(Error("the server's answer cannot be read"));
}

Result<ReopenOutcome> parse_reopen_outcome(std::string_view text) try {
  Json json = Json::parse(text);
  if (!json.is_object()) return std::unexpected(Error("the server's answer is no object"));
  if (!json.contains("reopened")) {
    return std::unexpected(Error("the server answers: " + json.value("error", std::string("?"))));
  }
  if (json.contains("workers") && !json["workers"].is_array()) {
    return std::unexpected(Error("the server's answer cannot be read"));
  }
  ReopenOutcome outcome;
  visit_outcome(outcome, reader(json));
  for (const auto& each : json.value("workers", Json::array())) {
    visit_reopened(outcome.workers.emplace_back(), reader(each));
  }
  return outcome;
} catch (const Json::exception&) {
  return std::unexpected(Error("the server's answer cannot be read"));
}

Result<std::string> parse_command(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::unexpected(Error("a request is one JSON object on a line"));
  auto command = json.find("command");
  if (command == json.end() || !command->is_string())
    return std::unexpected(Error("a request needs a 'command'"));
  return command->get<std::string>();
}

std::string command_line(std::string_view command) { return text_of(Json{{"command", command}}); }
std::string error_line(std::string_view text) { return text_of(Json{{"error", text}}); }

}  // namespace pronghorn::master
