// SPDX-License-Identifier: Apache-2.0
#include "process/environment.h"

#include <algorithm>
#include <string_view>
#include <unistd.h>

namespace pronghorn::process {
namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

void remove(std::vector<std::string>& environment, std::string_view name) {
  std::erase_if(environment, [name](const std::string& entry) { return name_of(entry) == name; });
}

void put(std::vector<std::string>& environment, const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    remove(environment, name_of(entry));
    environment.push_back(entry);
  }
}

}  // namespace

std::vector<std::string> child_environment(const std::vector<std::string>& set,
                                           const std::vector<std::string>& unset,
                                           const std::vector<std::string>& last) {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    out.emplace_back(*entry);
  for (const std::string& name : unset) remove(out, name);
  put(out, set);
  put(out, last);
  return out;
}

}  // namespace pronghorn::process
