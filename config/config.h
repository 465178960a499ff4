// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values. A library user may fill them without a file; the program gets
// them from config/load.h. Names are the keys of the file; the schema table (config/schema.cpp) is
// where types, defaults, units and meaning are said once.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/scheduling.h>
#include <pronghorn/config/site.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

/// "HOST:PORT" (HOST an IPv4 address, an IPv6 address in brackets, or a name) or "unix:PATH".
struct ListenAddress {
  std::string host;        ///< without brackets; empty for a unix socket
  std::uint16_t port = 0;  ///< 0: any free port
  std::string path;        ///< of a unix socket

  bool is_unix() const noexcept { return !path.empty(); }
  /// "127.0.0.1:8080", "[::1]:8080", "unix:/run/x.sock"
  std::string text() const;
  /// @errors text that says what is wrong and, where it can be guessed, what was meant.
  static Result<ListenAddress> parse(std::string_view text);
  bool operator==(const ListenAddress&) const = default;
};

/// Sizes and counts that a client cannot exceed (http.md calls them the DoS budget).
struct Limits {
  std::uint64_t head = 32 * 1024;        ///< request line and fields together; 431
  std::uint64_t header_line = 8 * 1024;  ///< one field line; 431
  std::uint64_t header_fields = 100;     ///< number of field lines; 431
  std::uint64_t uri = 8 * 1024;          ///< request target; 414
  std::uint64_t body = 1024 * 1024;      ///< decoded request body; 413
  std::uint64_t trailers = 8 * 1024;     ///< trailer section of a chunked body; 431
  std::uint64_t chunk_extensions =
      4 * 1024;  ///< total of a body; 400. And 16 bytes a chunk on average
  std::uint64_t requests_per_connection = 1000;  ///< then Connection: close; 0: no limit
  std::uint64_t pipeline = 16;                   ///< unanswered requests before reading stops
  std::uint64_t linger = 256 * 1024;             ///< bytes read and dropped after an early answer
  std::uint64_t write_buffer = 256 * 1024;  ///< unsent bytes of one connection before reading stops
  std::uint64_t body_rate = 500;            ///< bytes a second that a body must keep up; 0: none
  std::uint64_t ranges = 16;                ///< of one request; 200 with the whole file
  std::uint64_t offload_queue = 1000;       ///< calls of offload() at once; 503
  std::uint64_t connections_per_client =
      0;                                  ///< of one address at once, in all workers; 0: no limit
  std::uint64_t requests_per_second = 0;  ///< of one address, in all workers; 429; 0: no limit
  std::uint64_t requests_burst = 0;       ///< that it may save up; 0: as many as a second has
  std::uint64_t clients =
      65'536;  ///< addresses that these limits remember at once (base/client_table.h)
  std::uint64_t ipv6_prefix = 64;  ///< bits of an IPv6 address that are the client

  /// Whether anything is counted by the client's address.
  bool count_clients() const noexcept {
    return connections_per_client != 0 || requests_per_second != 0;
  }
  bool operator==(const Limits&) const = default;
};

struct Timeouts {
  std::chrono::milliseconds head{10'000};       ///< from the first byte of a head to its end; 408
  std::chrono::milliseconds body{30'000};       ///< without a byte of an awaited body; 408
  std::chrono::milliseconds body_rate{10'000};  ///< grace before limits.body_rate is asked for
  std::chrono::milliseconds keepalive{15'000};  ///< idle between two requests
  std::chrono::milliseconds write{30'000};      ///< without the client taking a byte
  std::chrono::milliseconds linger{2'000};      ///< of a staged close
  std::chrono::milliseconds handler{60'000};    ///< until a handler begins to answer; 503

  bool operator==(const Timeouts&) const = default;
};

/// What a request is called (Request::id) by others than us.
struct RequestIds {
  bool answer = false;  ///< every answer has X-Request-Id
  bool trust = false;   ///< a request's own X-Request-Id is taken

  bool operator==(const RequestIds&) const = default;
};

/// How the files of document roots are served; the cache is a worker's, for all of them.
struct Files {
  bool precompressed = true;           ///< name.br, name.zst and name.gz answer for name
  std::uint64_t cache_entries = 1024;  ///< 0: no cache
  std::uint64_t cache_memory = 16 * 1024 * 1024;
  std::uint64_t cache_file = 128 * 1024;        ///< the largest file whose bytes are kept
  std::uint64_t cache_descriptors = 64;         ///< of larger files
  std::chrono::milliseconds cache_valid{1000};  ///< then the disk is asked again

  bool operator==(const Files&) const = default;
};

/// An address of Config::listen with limits of its own.
struct Listener {
  ListenAddress address;
  Limits limits;  ///< all of them; `clients`, `ipv6_prefix` and `ranges` are the server's
  Timeouts timeouts;

  bool operator==(const Listener&) const = default;
};

/// A built-in answer at a path, beside the files: for tests and as a target for load generators.
struct Route {
  enum class Kind { echo, text };
  std::string path;  ///< pattern as the library's router takes it
  Kind kind = Kind::text;
  std::string text;
  std::optional<std::uint64_t> body_limit{};  ///< instead of limits.body
  std::uint64_t requests_per_second = 0;      ///< of one client to this route; 0: no limit
  std::uint64_t requests_burst = 0;           ///< 0: as many as a second has

  bool operator==(const Route&) const = default;
};

/// A program that runs as workers beside ours, or in their place: a Node script, or an executable
/// that speaks Node's channel.
struct Program {
  std::string name;  ///< in the log and in status; empty: the file's
  /// A path; without '/', and where there is no such file, found on the PATH. One that ends in .js,
  /// .cjs or .mjs is a script for `node`.
  std::string file;
  std::vector<std::string> args;
  std::string node;           ///< what runs the file, then a script whatever its name; empty: node
  std::uint64_t workers = 0;  ///< 0: auto

  bool is_script() const noexcept;
  /// `name`, or the file's without its directory.
  std::string title() const;

  bool operator==(const Program&) const = default;
};

struct Log {
  std::string level = "info";

  bool operator==(const Log&) const = default;
};

/// A site, the default one, and what is said about the server.
struct Config : Site {
  std::vector<ListenAddress> listen{{.host = "127.0.0.1", .port = 8080, .path = {}}};
  std::vector<Listener> listeners;             ///< those of `listen` that have limits of their own
  std::string user;                            ///< that workers run as; empty: as the master
  std::string group;                           ///< and their group; empty: the user's
  std::uint64_t workers = 0;                   ///< 0: auto
  Scheduling scheduling = Scheduling::shared;  ///< load() makes it round_robin beside programs
  bool sticky = false;  ///< a client's connections go to one worker; where the master hands over
  std::uint64_t max_connections = 0;  ///< per worker; 0: auto, follows the descriptor limit
  std::uint64_t backlog = 4096;  ///< of each listener (listen(2)); the kernel cuts it to somaxconn
  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds hang_timeout{10'000};
  std::string control;  ///< path of the control socket; empty: auto
  std::string access_log =
      "auto";  ///< "off", "-" (standard error), a path, or "auto": "-" at a terminal
  std::string access_log_format = "combined";     ///< see config/access_log_format.h
  std::uint64_t access_log_buffer = 1024 * 1024;  ///< bytes of lines that may wait in a worker
  std::chrono::milliseconds access_log_flush{0};  ///< how long they may; 0: this turn of the loop
  Log log;
  Limits limits;
  Timeouts timeouts;
  Files files;
  RequestIds request_id;
  /// Content types by extension, in lower case and without the dot; before the built-in ones.
  std::map<std::string, std::string, std::less<>> types;
  Compression compression;
  std::vector<Route> routes;
  std::vector<Program> programs;
  std::vector<Host> hosts;            ///< sites by the request's Host
  bool refuse_unknown_hosts = false;  ///< 421 in place of the default site

  /// Whether anything is counted by the client's address, somewhere.
  bool count_clients() const noexcept;
  bool operator==(const Config&) const = default;
};

}  // namespace pronghorn::config
