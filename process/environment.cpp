// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/environment.h>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace pronghorn::process {
namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

void apply(std::vector<std::string>& strings, const Environment::Entry& entry) {
  const auto& [name, value] = entry;
  auto is_it = [&](const std::string& s) { return name_of(s) == name; };
  auto found = std::ranges::find_if(strings, is_it);
  if (value && found == strings.end()) {
    strings.push_back(name + "=" + *value);
    return;
  }
  // Whoever handed us a name twice: the child shall see the new value only.
  if (value) *found++ = name + "=" + *value;
  strings.erase(std::remove_if(found, strings.end(), is_it), strings.end());
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
    out.entries_.emplace_back(name, text.substr(name.size() + 1));
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
  auto found = std::ranges::find(entries_, name, &Entry::first);
  return found == entries_.end() || !found->second ? nullptr : &*found->second;
}

void Environment::put(Entry entry) {
  given_ = true;
  auto found = std::ranges::find(entries_, entry.first, &Entry::first);
  if (found == entries_.end()) {
    entries_.push_back(std::move(entry));
  } else {
    found->second = std::move(entry.second);
  }
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
  for (const auto& entry : merge.entries()) apply(out, entry);
  return out;
}

}  // namespace pronghorn::process
