// SPDX-License-Identifier: Apache-2.0
#include "server/conditional.h"

#include "server/date.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace pronghorn::server {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kVariantAtMost = 8;

char* append_hex(char* at, char* end, std::uint64_t number) noexcept {
  return std::to_chars(at, end, number, 16).ptr;
}

bool is_name(std::string_view name, std::string_view lower) noexcept {
  return std::ranges::equal(name, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
  });
}

// Takes one entity-tag off the front of a list, commas and white space before it included; empty at
// the end, or at what is no tag (RFC 9110 §8.8.3: an opaque tag may hold commas, but no quotes).
std::string_view take_tag(std::string_view& list) noexcept {
  auto start = list.find_first_not_of(", \t");
  if (start == list.npos) return {};
  list.remove_prefix(start);
  std::size_t quote = list.starts_with("W/") ? 2 : 0;
  if (quote >= list.size() || list[quote] != '"') return {};
  auto close = list.find('"', quote + 1);
  if (close == list.npos) return {};
  auto tag = list.substr(0, close + 1);
  list.remove_prefix(tag.size());
  return tag;
}

std::string_view opaque(std::string_view tag) noexcept {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

bool matches(std::string_view list, const Validators& validators, bool strong) noexcept {
  if (list == "*") return true;
  if (strong && validators.is_weak()) return false;
  for (auto tag = take_tag(list); !tag.empty(); tag = take_tag(list)) {
    if (strong ? tag == validators.etag() : opaque(tag) == opaque(validators.etag())) return true;
  }
  return false;
}

// The four fields of a request; for lists, whether any line matched.
struct Preconditions {
  std::optional<bool> match, none_match;
  std::string_view unmodified_since, modified_since;
};

Preconditions gather(std::span<const Field> headers, const Validators& validators) noexcept {
  Preconditions found;
  for (const auto& [name, value] : headers) {
    if (name.size() < 8 || (name[0] | 0x20) != 'i' || name[2] != '-') continue;  // none of "If-…"
    if (is_name(name, "if-none-match")) {
      found.none_match = found.none_match.value_or(false) || matches(value, validators, false);
    } else if (is_name(name, "if-modified-since")) {
      found.modified_since = value;
    } else if (is_name(name, "if-match")) {
      found.match = found.match.value_or(false) || matches(value, validators, true);
    } else if (is_name(name, "if-unmodified-since")) {
      found.unmodified_since = value;
    }
  }
  return found;
}

}  // namespace

Validators::Validators(std::uint64_t size, const timespec& modified, const timespec& now,
                       std::string_view variant) noexcept
    : modified_(std::min(modified.tv_sec, now.tv_sec)) {
  // Wraps in the year 2262, and for times before 1970: the tag only has to differ.
  auto ns = static_cast<std::uint64_t>(modified.tv_sec) * kNsPerSecond +
            static_cast<std::uint64_t>(modified.tv_nsec);
  std::int64_t age_s = now.tv_sec - modified.tv_sec;
  bool weak = age_s < 1 || (age_s == 1 && now.tv_nsec < modified.tv_nsec);
  char* at = text_;
  char* end = text_ + sizeof text_;
  if (weak) at = std::ranges::copy(std::string_view("W/"), at).out;
  *at++ = '"';
  at = append_hex(at, end, size);
  *at++ = '-';
  at = append_hex(at, end, ns);
  if (!variant.empty()) *at++ = '-';
  at += variant.copy(at, kVariantAtMost);
  *at++ = '"';
  length_ = static_cast<std::size_t>(at - text_);
}

Condition evaluate_conditions(std::span<const Field> headers, const Validators& validators) {
  auto found = gather(headers, validators);
  if (found.match) {
    if (!*found.match) return Condition::precondition_failed;
  } else if (!found.unmodified_since.empty()) {
    auto date = parse_http_date(found.unmodified_since);
    if (date && validators.modified() > *date) return Condition::precondition_failed;
  }
  if (found.none_match) {
    return *found.none_match ? Condition::not_modified : Condition::proceed;
  }
  if (!found.modified_since.empty()) {
    auto date = parse_http_date(found.modified_since);
    if (date && validators.modified() <= *date) return Condition::not_modified;
  }
  return Condition::proceed;
}

bool if_range_holds(std::span<const Field> headers, const Validators& validators) {
  const Field* found = nullptr;
  for (const Field& field : headers) {
    if (!is_name(field.name, "if-range")) continue;
    if (found != nullptr) return false;
    found = &field;
  }
  if (found == nullptr) return true;
  // Weak: changed a moment ago, so that not even the date says which version it was (§8.8.2.2).
  if (validators.is_weak()) return false;
  std::string_view value = found->value;
  if (value.starts_with('"')) return value == validators.etag();
  auto date = parse_http_date(value);
  return date && *date == validators.modified();
}

}  // namespace pronghorn::server
