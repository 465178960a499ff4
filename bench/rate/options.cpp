// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <utility>

namespace pronghorn::bench {
namespace {

constexpr std::size_t kMostBytes = 1 << 30;
constexpr std::size_t kMostQueries = 1'000'000;  // of six digits

// Reads numbers, and keeps the first fault: one that is not all of its word's value, or out of
// bounds.
class Numbers {
 public:
  template <typename Number>
  Number read(std::string_view word, std::string_view value, Number low, Number high) {
    Number number{};
    const char* end = value.data() + value.size();
    const auto [stopped, fault] = std::from_chars(value.data(), end, number);
    // Not "number < low": what is not a number is not in between either.
    if (fault != std::errc() || stopped != end || !(number >= low && number <= high)) {
      if (fault_.empty()) {
        fault_ = "'" + std::string(word) + "' must be " + text(low) + " to " + text(high);
      }
      return low;
    }
    return number;
  }

  const std::string& fault() const noexcept { return fault_; }

 private:
  template <typename Number>
  static std::string text(Number number) {
    char out[32];
    return {out, std::to_chars(out, out + sizeof out, number).ptr};
  }

  std::string fault_;
};

}  // namespace

std::string parse(int argc, char** argv, Plan& plan) {
  Numbers numbers;
  std::string path = "/";
  std::string headers;
  std::size_t post = 0;
  std::size_t queries = 0;  // that differ: path?000000 and so on
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "close") {
      plan.closes = true;
      headers += "Connection: close\r\n";
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    const auto whole = [&](std::size_t low, std::size_t high) {
      return numbers.read<std::size_t>(word, value, low, high);
    };
    if (name == "port") {
      plan.port = static_cast<int>(whole(1, 65535));
    } else if (name == "rate") {
      plan.rate = numbers.read(word, value, 0.001, 1e8);
    } else if (name == "seconds") {
      plan.seconds = numbers.read(word, value, 0.001, 86400.0);
    } else if (name == "warmup") {
      plan.warmup = numbers.read(word, value, 0.0, 3600.0);
    } else if (name == "connections") {
      plan.connections = whole(1, 100'000);
    } else if (name == "depth") {
      plan.depth = whole(1, 10'000);
    } else if (name == "post") {
      post = whole(0, kMostBytes);
    } else if (name == "queries") {
      queries = whole(0, kMostQueries);
    } else if (name == "body") {
      plan.body = whole(0, kMostBytes);
    } else if (name == "path" && value.starts_with('/')) {
      path = value;
    } else if (name == "header" && !value.empty()) {
      headers += std::string(value) + "\r\n";
    } else {
      return "unknown word '" + std::string(word) + "'";
    }
  }
  if (!numbers.fault().empty()) return numbers.fault();
  if (plan.port == 0) return "no port=PORT";
  if (plan.rate == 0) return "no rate=N";
  for (std::size_t n = 0; n < std::max<std::size_t>(queries, 1); ++n) {
    const std::string query = queries > 0 ? "?" + std::to_string(1'000'000 + n).substr(1) : "";
    std::string request = (post > 0 ? "POST " : "GET ") + path + query +
                          " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(plan.port) + "\r\n" +
                          headers;
    if (post > 0) request += "Content-Length: " + std::to_string(post) + "\r\n";
    plan.requests.push_back(std::move(request) + "\r\n" + std::string(post, 'x'));
  }
  return {};
}

}  // namespace pronghorn::bench
