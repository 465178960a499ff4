// SPDX-License-Identifier: Apache-2.0
#include "master/exit_text.h"

#include <pronghorn/base/text.h>

#include <fmt/format.h>

#include <cstring>

namespace pronghorn::master {
namespace {

std::string in_request(std::string_view request) {
  return request.empty() ? std::string() : " in " + escape_control(request);
}

}  // namespace

std::string signal_name(int signum) {
  const char* name = ::sigabbrev_np(signum);
  return name != nullptr ? std::string("SIG") + name : fmt::format("signal {}", signum);
}

std::string exit_text(int code, int signal, std::string_view request) {
  std::string how = signal > 0
                        ? fmt::format("killed by signal {} ({})", signal, signal_name(signal))
                        : fmt::format("exited with code {}", code);
  return how + in_request(request);
}

std::string exit_text_short(int code, int signal, std::string_view request) {
  return (signal > 0 ? signal_name(signal) : fmt::format("code {}", code)) + in_request(request);
}

}  // namespace pronghorn::master
