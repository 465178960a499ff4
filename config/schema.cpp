// SPDX-License-Identifier: Apache-2.0
#include "config/schema.h"

#include <pronghorn/base/log.h>

#include <array>

namespace pronghorn::config {
namespace {

// A path of members, such as &Config::limits, &Limits::body, is how a key finds its place.
template <auto... Members>
Value read(const Config& config) {
  return (config.*....*Members);
}

template <auto... Members>
void write(Config& config, const Value& value) {
  auto& member = (config.*....*Members);
  member = std::get<std::remove_cvref_t<decltype(member)>>(value);
}

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::string_view zero = {};
};

template <auto... Members>
constexpr Key key(std::string_view name, Type type, Range range, std::string_view example,
                  std::string_view doc) {
  return {name,    type, range.min,         range.max,         range.zero,
          example, doc,  &read<Members...>, &write<Members...>};
}

std::span<const std::string_view> log_levels() {
  using enum log::Level;
  static const std::array words = {log::level_name(trace),   log::level_name(debug),
                                   log::level_name(info),    log::level_name(notice),
                                   log::level_name(warn),    log::level_name(error),
                                   log::level_name(critical)};
  return words;
}

std::span<const std::string_view> schedulings() {
  using enum Scheduling;
  static const std::array words = {scheduling_name(shared), scheduling_name(reuseport),
                                   scheduling_name(round_robin),
                                   scheduling_name(least_connections)};
  return words;
}

Value read_scheduling(const Config& config) {
  return std::string(scheduling_name(config.scheduling));
}

void write_scheduling(Config& config, const Value& value) {
  if (auto parsed = parse_scheduling(std::get<std::string>(value))) config.scheduling = *parsed;
}

std::span<const std::string_view> unknown_hosts_words() {
  static constexpr std::array<std::string_view, 2> words = {"default", "refuse"};
  return words;
}

Value read_unknown_hosts(const Config& config) {
  return std::string(unknown_hosts_words()[config.refuse_unknown_hosts ? 1 : 0]);
}

void write_unknown_hosts(Config& config, const Value& value) {
  config.refuse_unknown_hosts = std::get<std::string>(value) == unknown_hosts_words()[1];
}

constexpr Key choice(Key key, std::span<const std::string_view> (*words)()) {
  key.words = words;
  return key;
}

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kHour = 3600 * kSecond;

constexpr auto kLimits = &Config::limits;
constexpr auto kTimeouts = &Config::timeouts;
constexpr auto kFiles = &Config::files;
constexpr auto kRequestId = &Config::request_id;
constexpr auto kCompression = &Config::compression;

constexpr Key kSchema[] = {
    key<&Config::listen>("listen", Type::addresses, {},
                         R"(["127.0.0.1:8080", "unix:/run/site.sock"])",
                         "Where to listen: HOST:PORT, [IPV6]:PORT or unix:PATH, or an array of "
                         "them. Port 0 takes any free port."),
    key<&Config::user>(
        "user", Type::path, {}, R"("www-data")",
        "User that the workers and programs run as, by name or number, when the server is started "
        "as "
        "root; the master stays root, which it must to replace them. They give up every privilege "
        "for good. Empty: they run as the master does."),
    key<&Config::group>("group", Type::path, {}, R"("www-data")",
                        "Their group, by name or number; empty: the user's. Needs `user`."),
    key<&Config::root>("root", Type::path, {}, R"("/srv/www")",
                       "Directory whose files are served; empty: no files."),
    key<&Config::index>("index", Type::file_names, {}, R"(["index.html", "index.htm"])",
                        "Files that answer for a directory, the first that exists."),
    key<&Config::listing>("listing", Type::flag, {}, "true",
                          "Whether a directory without such a file answers with a list of what is "
                          "in it."),
    key<&Config::fallback>(
        "fallback", Type::path, {}, R"("index.html")",
        "A file below the root that answers for pages that are not there, as "
        "applications with addresses of their own need it (docs/reference/site.md "
        "says for which); empty: none."),
    {"unknown_hosts",
     Type::choice,
     0,
     0,
     {},
     R"("refuse")",
     "What is answered to a Host that no [[hosts]] names: the \"default\" site of the top level, "
     "or "
     "421 (\"refuse\").",
     &read_unknown_hosts,
     &write_unknown_hosts,
     &unknown_hosts_words},
    key<&Config::workers>("workers", Type::count, {1, 1024, "auto"}, "4",
                          "Number of worker processes; \"auto\": one per CPU that affinity and the "
                          "cgroup's quota allow."),
    {"scheduling",
     Type::choice,
     0,
     0,
     {},
     R"("round_robin")",
     "How connections reach the workers: all accept from one \"shared\" socket; each from a socket "
     "of its own (\"reuseport\"); the master accepts and hands them over in turn (\"round_robin\") "
     "or to the worker with the fewest (\"least_connections\"). Beside [[programs]] and under "
     "`pronghorn run` the default is \"round_robin\", and only that and \"shared\" are possible, "
     "as "
     "a program counts nothing for us.",
     &read_scheduling,
     &write_scheduling,
     &schedulings},
    key<&Config::sticky>(
        "sticky", Type::flag, {}, "true",
        "Whether the connections of a client's address go to one worker as long as "
        "that lives; where the master hands over."),
    key<&Config::max_connections>(
        "max_connections", Type::count, {1, 1'000'000, "auto"}, "10000",
        "Connections a worker holds at once; \"auto\" follows the limit of open descriptors."),
    key<&Config::backlog>("backlog", Type::count, {1, 65'535}, "1024",
                          "Length of each listener's queue of connections that no worker took yet; "
                          "the kernel cuts it to net.core.somaxconn."),
    key<&Config::drain_timeout>(
        "drain_timeout", Type::duration, {0, 24 * kHour}, R"("1m")",
        "How long requests in flight may take to finish once the server was asked to stop."),
    key<&Config::hang_timeout>(
        "hang_timeout", Type::duration, {200, kHour}, R"("5s")",
        "A worker without a heartbeat for this long is aborted and replaced."),
    key<&Config::control>("control", Type::path, {}, R"("/run/pronghorn/control.sock")",
                          "Path of the control socket, which `pronghorn status` asks; empty: a "
                          "place in the runtime directory."),
    key<&Config::access_log>("access_log", Type::path, {}, R"("/var/log/pronghorn/access.log")",
                             "A file, \"-\" for standard error, \"off\", or \"auto\": standard "
                             "error if that is a terminal, else off."),
    key<&Config::access_log_format>(
        "access_log_format", Type::path, {}, R"('%h %t "%r" %>s %b %D "%{User-Agent}i"')",
        "The form of a line: \"combined\", \"common\", \"json\", or a pattern of Apache's letters "
        "(docs/how-to/logs.md). At a terminal \"combined\" is a short form for people."),
    key<&Config::access_log_buffer>(
        "access_log_buffer", Type::size, {8 * kKiB, 64 * kMiB}, R"("256KiB")",
        "Lines that may wait in each worker, as their file takes no more or access_log_flush says "
        "so; what comes beyond is dropped and counted. Memory is used as far as lines do wait."),
    key<&Config::access_log_flush>("access_log_flush", Type::duration, {0, 60 * kSecond}, R"("1s")",
                                   "How long a line may wait to be written together with others; "
                                   "\"0ms\": what one turn of the "
                                   "worker's loop has answered is written at its end, to a "
                                   "regular file no sooner than 10 ms after what was before."),
    choice(key<&Config::log, &Log::level>(
               "log.level", Type::choice, {}, R"("debug")",
               "The lowest level of the server's own log that is written: trace, debug, info, "
               "notice, warn, error or critical."),
           &log_levels),
    key<kLimits, &Limits::head>(
        "limits.head", Type::size, {256, 16 * kMiB}, R"("64KiB")",
        "Request line and header fields together; more is answered with 431."),
    key<kLimits, &Limits::header_line>("limits.header_line", Type::size, {64, 16 * kMiB},
                                       R"("16KiB")",
                                       "One header field; more is answered with 431."),
    key<kLimits, &Limits::header_fields>("limits.header_fields", Type::count, {1, 10'000}, "200",
                                         "Number of header fields; more is answered with 431."),
    key<kLimits, &Limits::uri>("limits.uri", Type::size, {16, 16 * kMiB}, R"("4KiB")",
                               "The request target; more is answered with 414."),
    key<kLimits, &Limits::body>("limits.body", Type::size, {0, 1024 * kGiB}, R"("8MiB")",
                                "A request body after decoding; more is answered with 413."),
    key<kLimits, &Limits::trailers>(
        "limits.trailers", Type::size, {0, 16 * kMiB}, R"("4KiB")",
        "The trailer section of a chunked body; more is answered with 431."),
    key<kLimits, &Limits::chunk_extensions>(
        "limits.chunk_extensions", Type::size, {0, 16 * kMiB}, R"("1KiB")",
        "All chunk extensions of a body together; more is answered with 400."),
    key<kLimits, &Limits::requests_per_connection>(
        "limits.requests_per_connection", Type::count, {0, 1'000'000'000}, "10000",
        "Requests after which a connection is closed; 0: no limit."),
    key<kLimits, &Limits::pipeline>(
        "limits.pipeline", Type::count, {1, 1024}, "32",
        "Unanswered requests of one connection before no more is read from it."),
    key<kLimits, &Limits::linger>(
        "limits.linger", Type::size, {0, kGiB}, R"("1MiB")",
        "Bytes that are read and dropped after an answer that came before the request's end."),
    key<kLimits, &Limits::write_buffer>(
        "limits.write_buffer", Type::size, {4 * kKiB, kGiB}, R"("1MiB")",
        "Unsent bytes of one connection before no more is read from it."),
    key<kLimits, &Limits::body_rate>(
        "limits.body_rate", Type::size, {0, kGiB}, R"("1KiB")",
        "Bytes a second that a request body must keep up after timeouts.body_rate; \"0B\": none."),
    key<kLimits, &Limits::ranges>(
        "limits.ranges", Type::count, {1, 256}, "32",
        "Byte ranges of one request; more are answered with the whole file."),
    key<kLimits, &Limits::offload_queue>(
        "limits.offload_queue", Type::count, {1, 1'000'000}, "100",
        "Calls of the library's offload() that may run or wait for a thread, in each worker; the "
        "requests of more are answered with 503."),
    key<kLimits, &Limits::connections_per_client>(
        "limits.connections_per_client", Type::count, {0, 65'535}, "100",
        "Connections that one client's address has at once, all workers together; one more is "
        "answered with 429 and closed. 0: no limit. Unix sockets are exempt."),
    key<kLimits, &Limits::requests_per_second>(
        "limits.requests_per_second", Type::count, {0, 1'000'000}, "50",
        "Requests that one client's address may send a second, all workers together; more are "
        "answered with 429 and Retry-After. 0: no limit. Unix sockets are exempt."),
    key<kLimits, &Limits::requests_burst>(
        "limits.requests_burst", Type::count, {1, 1'000'000, "auto"}, "200",
        "Requests that a client may send at once after a pause; \"auto\": as many as "
        "limits.requests_per_second."),
    key<kLimits, &Limits::clients>(
        "limits.clients", Type::count, {1024, 16'777'216}, "262144",
        "Clients' addresses that these limits remember at once; beyond it those that asked least "
        "of "
        "late are forgotten. Costs 16 bytes each, and 8 more for each worker."),
    key<kLimits, &Limits::ipv6_prefix>(
        "limits.ipv6_prefix", Type::count, {1, 128}, "56",
        "Bits of an IPv6 address that are one client: a subscriber has a /64 at least."),
    key<kTimeouts, &Timeouts::head>(
        "timeouts.head", Type::duration, {100, 24 * kHour}, R"("5s")",
        "From the first byte of a request's head to its end; later is answered with 408."),
    key<kTimeouts, &Timeouts::body>(
        "timeouts.body", Type::duration, {100, 24 * kHour}, R"("1m")",
        "Without a byte of a body that is waited for; later is answered with 408."),
    key<kTimeouts, &Timeouts::body_rate>(
        "timeouts.body_rate", Type::duration, {0, 24 * kHour}, R"("20s")",
        "How long a body may be slower than limits.body_rate at its start."),
    key<kTimeouts, &Timeouts::keepalive>("timeouts.keepalive", Type::duration, {100, 24 * kHour},
                                         R"("1m")",
                                         "How long a connection may be idle between two requests."),
    key<kTimeouts, &Timeouts::write>("timeouts.write", Type::duration, {100, 24 * kHour}, R"("1m")",
                                     "Without the client taking a byte of its answer."),
    key<kTimeouts, &Timeouts::linger>(
        "timeouts.linger", Type::duration, {0, kHour}, R"("5s")",
        "How long the rest of a request is read and dropped after an early answer."),
    key<kTimeouts, &Timeouts::handler>(
        "timeouts.handler", Type::duration, {100, 24 * kHour}, R"("2m")",
        "How long a handler of the program may take to begin its answer; later is answered with "
        "503."),
    key<kRequestId, &RequestIds::answer>(
        "request_id.answer", Type::flag, {}, "true",
        "Whether every answer says in X-Request-Id how its request is called on error pages, in "
        "the access log and by the library."),
    key<kRequestId, &RequestIds::trust>(
        "request_id.trust", Type::flag, {}, "true",
        "Whether a request that has an X-Request-Id is called that (at most 64 letters, digits and "
        "-._~+/=:@,): behind a proxy that sets the field."),
    key<kFiles, &Files::precompressed>(
        "files.precompressed", Type::flag, {}, "false",
        "Whether name.zst, name.br and name.gz answer for name, where the client takes them and "
        "they are not older."),
    key<kFiles, &Files::cache_entries>("files.cache_entries", Type::count, {0, 1'000'000}, "10000",
                                       "Files of which a worker remembers what they are; 0: none."),
    key<kFiles, &Files::cache_memory>(
        "files.cache_memory", Type::size, {0, 64 * kGiB}, R"("64MiB")",
        "Memory of a worker for the bytes of small files and what is known of all."),
    key<kFiles, &Files::cache_file>("files.cache_file", Type::size, {0, kGiB}, R"("256KiB")",
                                    "The largest file whose bytes are kept in memory."),
    key<kFiles, &Files::cache_descriptors>(
        "files.cache_descriptors", Type::count, {0, 100'000}, "256",
        "Larger files that a worker keeps open; at most a sixteenth of its descriptors."),
    key<kFiles, &Files::cache_valid>(
        "files.cache_valid", Type::duration, {0, 24 * kHour}, R"("10s")",
        "How long a worker goes by what it remembers of a file before it looks at the disk again."),
    key<kCompression, &Compression::on>(
        "compression.on", Type::flag, {}, "false",
        "Whether answers are compressed on the way, by br, zstd or gzip as the client prefers."),
    key<kCompression, &Compression::types>("compression.types", Type::media_types, {},
                                           R"(["text/html", "text/css"])",
                                           "Media types that are compressed; '*' stands for any "
                                           "characters."),
    key<kCompression, &Compression::min_size>("compression.min_size", Type::size, {0, kGiB},
                                              R"("256B")", "Smaller bodies are sent as they are."),
    key<kCompression, &Compression::max_size>(
        "compression.max_size", Type::size, {0, 64 * kMiB}, R"("2MiB")",
        "Larger bodies are sent as they are: a worker does nothing else while it compresses."),
    key<kCompression, &Compression::level>("compression.level", Type::count, {1, 9}, "1",
                                           "From fast to small, for all three."),
    key<kCompression, &Compression::cache>(
        "compression.cache", Type::size, {0, 16 * kGiB}, R"("64MiB")",
        "Compressed files that a worker keeps in memory; the least recently used go."),
};

}  // namespace

std::string_view Key::section() const {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view Key::leaf() const { return name.substr(name.find('.') + 1); }

std::string Key::environment_name() const {
  std::string result = "PRONGHORN_";
  for (const char c : name) {
    result += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return result;
}

std::span<const Key> schema() { return kSchema; }

const Key* find_key(std::string_view name) {
  for (const Key& key : kSchema) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

bool is_section(std::string_view name) {
  if (name.empty()) return false;
  for (const Key& key : kSchema) {
    if (key.section() == name) return true;
  }
  return false;
}

}  // namespace pronghorn::config
