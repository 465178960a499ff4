// SPDX-License-Identifier: Apache-2.0
#include "server/accept_encoding.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

constexpr int kUnnamed = -1;

/// What a request says of each coding: q in thousandths, or kUnnamed.
struct Wishes {
  std::array<int, kEncodings> q{kUnnamed, kUnnamed, kUnnamed, kUnnamed};
  int any = kUnnamed;  // of "*"
};

/// qvalue (§12.4.2) in thousandths; nothing: malformed.
std::optional<int> parse_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  int unit = 100;
  for (char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * unit;
    unit /= 10;
  }
  return thousandths <= 1000 ? std::optional(thousandths) : std::nullopt;
}

/// codings [ weight ]
void read_element(std::string_view element, Wishes& wishes) noexcept {
  auto semicolon = element.find(';');
  std::string_view coding = trim_ows(element.substr(0, semicolon));
  int quality = 1000;
  if (semicolon != element.npos) {
    std::string_view weight = trim_ows(element.substr(semicolon + 1));
    if (weight.size() < 2 || to_lower(weight[0]) != 'q' || weight[1] != '=') return;
    auto parsed = parse_quality(weight.substr(2));
    if (!parsed) return;
    quality = *parsed;
  }
  auto set = [&](int& q) { q = q == kUnnamed ? quality : std::min(q, quality); };
  if (coding == "*") return set(wishes.any);
  if (iequals(coding, "x-gzip")) coding = "gzip";  // §8.4.1.3
  for (std::size_t i = 0; i < kEncodings; ++i) {
    if (iequals(coding, encoding_name(static_cast<Encoding>(i)))) return set(wishes.q[i]);
  }
}

}  // namespace

std::string_view encoding_name(Encoding encoding) noexcept {
  constexpr std::string_view kNames[] = {"identity", "gzip", "br", "zstd"};
  return kNames[static_cast<std::size_t>(encoding)];
}

std::string_view encoding_suffix(Encoding encoding) noexcept {
  constexpr std::string_view kSuffixes[] = {"", ".gz", ".br", ".zst"};
  return kSuffixes[static_cast<std::size_t>(encoding)];
}

std::optional<Encoding> choose_encoding(std::span<const Field> headers,
                                        EncodingSet offered) noexcept {
  Wishes wishes;
  for (const Field& field : headers) {
    if (!is_field(field.name, "accept-encoding")) continue;
    std::string_view list = field.value;
    while (!list.empty()) read_element(next_element(list), wishes);
  }
  std::optional<Encoding> best;
  // Identity needs no mention to be acceptable (§12.5.3 rule 2), but anything that was asked for is
  // liked better.
  int best_quality = 0;
  for (std::size_t i = 0; i < kEncodings; ++i) {
    auto encoding = static_cast<Encoding>(i);
    if (!offered.has(encoding)) continue;
    int quality = wishes.q[i] != kUnnamed ? wishes.q[i] : wishes.any;
    bool is_unmentioned = quality == kUnnamed;
    if (is_unmentioned && encoding != Encoding::identity) continue;
    if (is_unmentioned) quality = 0;
    if (quality == 0 && !is_unmentioned) continue;
    if (!best || quality >= best_quality) {
      best = encoding;
      best_quality = quality;
    }
  }
  return best;
}

}  // namespace pronghorn::server
