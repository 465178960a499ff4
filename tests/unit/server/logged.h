// SPDX-License-Identifier: Apache-2.0
// A rig (Wire, Later, TestServer) whose sessions tell an access log what they do.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include "config/access_log_format.h"
#include "server/access_log.h"

#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace pronghorn::test {

struct LogFile {
  explicit LogFile(std::string_view format, WorkerCounters& counters)
      : log(file.get(), {.format = *config::parse_log_format(format)}, counters) {}
  std::string lines() {
    log.flush();
    std::string text(1 << 20, '\0');
    auto size = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  UniqueFd file{::memfd_create("log", MFD_CLOEXEC)};
  server::AccessLog log;
};

/// Of the session rigs.
template <class Rig>
struct LoggedBy : Rig {
  explicit LoggedBy(std::string_view format) : written(format, this->counters) {
    this->context.access_log = &written.log;
  }
  std::string lines() { return written.lines(); }

  LogFile written;
};

}  // namespace pronghorn::test
