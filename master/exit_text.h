// SPDX-License-Identifier: Apache-2.0
// How a worker ended, in words that are the same in the log and in status.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pronghorn::master {

/// "SIGSEGV"; "signal 40" for one without a name.
std::string signal_name(int signum);

/// "exited with code 3", "killed by signal 11 (SIGSEGV) in GET /report": `signal` 0: it exited.
/// `request` is escaped here; empty: none in hand.
std::string exit_text(int code, int signal, std::string_view request);

/// The short form of a table: "SIGSEGV in GET /report", "code 3".
std::string exit_text_short(int code, int signal, std::string_view request);

}  // namespace pronghorn::master
