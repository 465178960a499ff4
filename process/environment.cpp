// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/environment.h>

#include <algorithm>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace pronghorn::process {
namespace {

// From here on a name is looked up, and not searched.
constexpr std::size_t kMany = 100;

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

// Each name is looked up once, as both may be long. Whoever handed us a name twice: the child shall
// see the new value only.
void change(std::vector<std::string>& strings, const Environment& merge) {
  struct Change {
    const std::optional<std::string>* value;
    bool is_made = false;
  };
  std::unordered_map<std::string_view, Change> changes;
  for (const auto& [name, value] : merge.entries()) changes.emplace(name, Change{&value});
  std::vector<std::string> out;
  out.reserve(strings.size() + changes.size());
  for (std::string& text : strings) {
    auto found = changes.find(name_of(text));
    if (found == changes.end()) {
      out.push_back(std::move(text));
    } else if (*found->second.value && !std::exchange(found->second.is_made, true)) {
      out.push_back(std::string(found->first) + "=" + **found->second.value);
    }
  }
  for (const auto& [name, value] : merge.entries())
    if (value && !changes.at(name).is_made) out.push_back(name + "=" + *value);
  strings = std::move(out);
}

}  // namespace

Environment::Environment(std::initializer_list<Entry> entries) : given_(true) {
  for (const Entry& entry : entries) put(entry);
}

Environment Environment::empty() {
  Environment out;
  out.given_ = true;
  return out;
}

Environment Environment::current() {
  Environment out = empty();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    std::string_view name = name_of(text);
    // As getenv(3): the first of a name counts, and what is no variable is none.
    if (name.empty() || name.size() == text.size() || out.find(name) != nullptr) continue;
    out.put({std::string(name), std::string(text.substr(name.size() + 1))});
  }
  return out;
}

Environment& Environment::set(std::string name, std::string value) {
  put({std::move(name), std::move(value)});
  return *this;
}

Environment& Environment::unset(std::string name) {
  put({std::move(name), std::nullopt});
  return *this;
}

const std::string* Environment::find(std::string_view name) const noexcept {
  std::size_t at = place_of(name);
  return at == entries_.size() || !entries_[at].second ? nullptr : &*entries_[at].second;
}

std::size_t Environment::place_of(std::string_view name) const noexcept {
  if (!places_.empty()) {
    auto found = places_.find(name);
    return found == places_.end() ? entries_.size() : found->second;
  }
  auto found = std::ranges::find(entries_, name, &Entry::first);
  return static_cast<std::size_t>(found - entries_.begin());
}

void Environment::put(Entry entry) {
  given_ = true;
  std::size_t at = place_of(entry.first);
  if (at < entries_.size()) {
    entries_[at].second = std::move(entry.second);
    return;
  }
  entries_.push_back(std::move(entry));
  if (entries_.size() < kMany) return;
  for (std::size_t n = places_.empty() ? 0 : at; n <= at; ++n)
    places_.emplace(entries_[n].first, n);
}

std::vector<std::string> child_environment(const Environment& env, const Environment& merge) {
  std::vector<std::string> out;
  if (env.is_given()) {
    for (const auto& [name, value] : env.entries())
      if (value) out.push_back(name + "=" + *value);
  } else {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
      out.emplace_back(*entry);
  }
  if (!merge.entries().empty()) change(out, merge);
  return out;
}

}  // namespace pronghorn::process
