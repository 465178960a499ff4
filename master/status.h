// SPDX-License-Identifier: Apache-2.0
// What `pronghorn status` shows, as a value; and the control socket's JSON lines. Filled in the
// master (status_collector.h), shown by app.
#pragma once

#include <pronghorn/base/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::master {

struct WorkerStatus {
  std::uint32_t slot = 0;  ///< from 1
  std::string program;     ///< a foreign one, which counts nothing for us; empty: our own
  std::string state;
  int pid = 0;  ///< 0: no process now
  std::uint64_t generation = 0;
  std::int64_t uptime_ms = 0;
  std::uint64_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_active = 0;
  std::uint64_t requests_failed = 0;
  std::uint64_t requests_refused = 0;     ///< 429: the client asked too often
  std::uint64_t connections_refused = 0;  ///< 429: the client had too many
  double requests_per_second = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string request;  ///< in hand, escaped; empty: none
  std::int64_t request_ms = 0;
  std::int64_t heartbeat_ms = -1;  ///< its age; -1: no process, or it does not tick
  std::uint64_t lag_us = 0;
  double cpu_percent = 0;
  std::uint64_t memory_bytes = 0;  ///< PSS, or RSS where the kernel keeps that to itself
  std::uint64_t exits = 0;
  std::string last_exit;          ///< "SIGSEGV in GET /report"; empty: none
  std::int64_t last_exit_ms = 0;  ///< ago
  std::int64_t restart_ms = -1;   ///< until the next start; -1: none is planned
  std::uint32_t attempt = 0;
};

struct ListenerStatus {
  std::string url;
  std::uint32_t waiting = 0;
  std::uint32_t limit = 0;
};

struct AccessLogStatus {
  std::string path;  ///< "-": standard error; empty: there is none
  std::uint64_t lines = 0;
  std::uint64_t dropped = 0;
  bool is_losing = false;  ///< lines were dropped within the last seconds
  std::string error;       ///< why lines wait or are dropped now; empty: they are written
};

struct ServerStatus {
  std::string version;
  int pid = 0;
  std::int64_t uptime_ms = 0;
  std::uint64_t generation = 1;
  std::string config_file;  ///< empty: none
  std::string verdict;      ///< "OK", "DEGRADED", "DOWN"
  std::string reason;       ///< of a verdict that is not OK
  std::vector<WorkerStatus> workers;
  std::vector<ListenerStatus> listeners;
  AccessLogStatus access_log;
};

/// One line of JSON without its line feed.
std::string to_json(const ServerStatus& status);
/// Missing members keep their defaults: the other side may be another version. @errors an error
/// answer
Result<ServerStatus> parse_status(std::string_view json);

/// {"command":"status"} to "status". @errors what is no request
Result<std::string> parse_command(std::string_view line);
std::string command_line(std::string_view command);
std::string error_line(std::string_view text);

}  // namespace pronghorn::master
