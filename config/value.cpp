// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

#include "config/address.h"
#include "config/site_text.h"
#include "config/suggest.h"
#include "config/toml_text.h"
#include "config/units.h"

#include <fmt/format.h>

namespace pronghorn::config {
namespace {

std::string amount(const Key& key, std::uint64_t number) {
  if (key.type == Type::size) return toml_quoted(format_size(number));
  if (key.type == Type::duration) {
    return toml_quoted(format_duration(std::chrono::milliseconds(number)));
  }
  return std::to_string(number);
}

std::string or_zero_word(const Key& key) {
  return key.zero.empty() ? std::string() : toml_quoted(key.zero) + " or ";
}

std::string requirement(const Key& key) {
  switch (key.type) {
    case Type::size:
      return R"(a size such as "1MiB" or "32KiB")";
    case Type::duration:
      return R"(a duration such as "30s" or "2m")";
    case Type::count:
      return or_zero_word(key) + "a whole number";
    case Type::choice:
      return fmt::format("one of {}", fmt::join(key.words(), ", "));
    case Type::flag:
      return "true or false";
    case Type::path:
      return "text in quotes";
    case Type::file_names:
      return "a file name in quotes, or an array of them";
    case Type::media_types:
      return "a media type in quotes, or an array of them";
    case Type::addresses:
      return R"(an address such as "127.0.0.1:8080", or an array of them)";
  }
  return {};
}

Checked<std::uint64_t> in_range(const Key& key, std::uint64_t number, std::string_view shown,
                                std::string_view subject) {
  if (number >= key.min && number <= key.max) return number;
  return std::unexpected(
      Complaint{"out-of-range",
                fmt::format("{} must be {}between {} and {}, not {}", subject, or_zero_word(key),
                            amount(key, key.min), amount(key, key.max), shown),
                {}});
}

Complaint unreadable_amount(const Key& key, std::string_view text, std::string guess,
                            std::string_view subject) {
  const std::string shown = toml_quoted(text);
  // A number with a right unit that is too large for any type.
  if (guess == text) return in_range(key, key.max + 1, shown, subject).error();
  Complaint complaint = wrong_type(key, shown, subject);
  complaint.suggestion = std::move(guess);
  return complaint;
}

Checked<Value> amount_from_text(const Key& key, std::string_view text, std::string_view subject) {
  const std::string shown = toml_quoted(text);
  if (key.type == Type::duration) {
    const auto duration = parse_duration(text);
    if (!duration)
      return std::unexpected(unreadable_amount(key, text, guess_duration(text), subject));
    const auto checked =
        in_range(key, static_cast<std::uint64_t>(duration->count()), shown, subject);
    if (!checked) return std::unexpected(checked.error());
    return *duration;
  }
  if (!key.zero.empty() && text == key.zero) return std::uint64_t{0};
  const bool is_size = key.type == Type::size;
  const auto number = is_size ? parse_size(text) : parse_count(text);
  if (!number) {
    return std::unexpected(
        unreadable_amount(key, text, is_size ? guess_size(text) : std::string(), subject));
  }
  const auto checked = in_range(key, *number, shown, subject);
  if (!checked) return std::unexpected(checked.error());
  return *checked;
}

Checked<void> carriable(std::string_view text, std::string_view subject) {
  if (!is_utf8(text)) {
    return std::unexpected(
        Complaint{"not-utf8", std::string(subject) + " is not UTF-8, as values must be", {}});
  }
  if (text.find('\0') != std::string_view::npos) {
    return std::unexpected(Complaint{"bad-value", std::string(subject) + " has a NUL byte", {}});
  }
  return {};
}

}  // namespace

Complaint wrong_type(const Key& key, std::string_view shown, std::string_view subject) {
  return {"wrong-type", fmt::format("{} must be {}, not {}", subject, requirement(key), shown), {}};
}

Checked<Value> value_from_number(const Key& key, std::int64_t number, std::string_view subject) {
  const std::string shown = std::to_string(number);
  // A negative number wraps to one above every maximum, and the message shows what was written.
  const auto checked = in_range(key, static_cast<std::uint64_t>(number), shown, subject);
  if (!checked) return std::unexpected(checked.error());
  return *checked;
}

Checked<Value> value_from_text(const Key& key, std::string_view text, std::string_view subject) {
  if (const auto ok = carriable(text, subject); !ok) return std::unexpected(ok.error());
  switch (key.type) {
    case Type::size:
    case Type::count:
    case Type::duration:
      return amount_from_text(key, text, subject);
    case Type::path:
      return std::string(text);
    case Type::choice: {
      for (const std::string_view word : key.words()) {
        if (word == text) return std::string(text);
      }
      Complaint complaint = wrong_type(key, toml_quoted(text), subject);
      complaint.code = "bad-value";
      complaint.suggestion = closest(text, key.words());
      return std::unexpected(complaint);
    }
    case Type::flag:
      if (text == "true" || text == "false") return text == "true";
      return std::unexpected(wrong_type(key, toml_quoted(text), subject));
    case Type::file_names:
    case Type::media_types:
    case Type::addresses:
      break;
  }
  // A list in one variable: separated by commas.
  Value list = empty_list(key);
  while (true) {
    const auto comma = text.find(',');
    if (auto ok = append_element(key, list, text.substr(0, comma), subject); !ok) {
      return std::unexpected(ok.error());
    }
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

bool is_list(const Key& key) {
  return key.type == Type::file_names || key.type == Type::media_types ||
         key.type == Type::addresses;
}

Value empty_list(const Key& key) {
  if (key.type == Type::addresses) return std::vector<ListenAddress>();
  return std::vector<std::string>();
}

Checked<void> append_element(const Key& key, Value& list, std::string_view text,
                             std::string_view subject) {
  if (const auto ok = carriable(text, subject); !ok) return ok;
  if (key.type == Type::addresses) {
    auto address = parse_address(text);
    if (!address) {
      Complaint complaint = address.error();
      complaint.message = fmt::format("{}: {}", subject, complaint.message);
      return std::unexpected(complaint);
    }
    std::get<std::vector<ListenAddress>>(list).push_back(std::move(*address));
    return {};
  }
  if (key.type == Type::media_types) {
    if (auto ok = check_media_type(text); !ok) {
      Complaint complaint = ok.error();
      complaint.message = fmt::format("{}: {}", subject, complaint.message);
      return std::unexpected(complaint);
    }
    std::get<std::vector<std::string>>(list).emplace_back(text);
    return {};
  }
  if (text.empty() || text == "." || text == ".." || text.find('/') != std::string_view::npos) {
    return std::unexpected(
        Complaint{"bad-value",
                  fmt::format("{} must be the name of a file without its directory, not {}",
                              subject, toml_quoted(text)),
                  {}});
  }
  std::get<std::vector<std::string>>(list).emplace_back(text);
  return {};
}

std::string literal(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) escaped += '$';
    escaped += text[i];
  }
  return toml_quoted(escaped);
}

std::string value_to_toml(const Key& key, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    return *number == 0 && !key.zero.empty() ? toml_quoted(key.zero) : amount(key, *number);
  }
  if (const auto* duration = std::get_if<std::chrono::milliseconds>(&value)) {
    return toml_quoted(format_duration(*duration));
  }
  if (const auto* text = std::get_if<std::string>(&value)) return literal(*text);
  std::vector<std::string> elements;
  if (const auto* names = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& name : *names) elements.push_back(literal(name));
  } else {
    for (const ListenAddress& address : std::get<std::vector<ListenAddress>>(value)) {
      elements.push_back(literal(address.text()));
    }
  }
  return fmt::format("[{}]", fmt::join(elements, ", "));
}

}  // namespace pronghorn::config
