// SPDX-License-Identifier: Apache-2.0
// What a program's worker writes to its standard output (error), line by line with the worker's
// name in front, to ours. Owned by WorkerProcess, one a stream.
#pragma once

#include <pronghorn/process/stream.h>

#include "master/line_output.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace pronghorn::master {

class LineRelay {
 public:
  /// A longer line is passed on in pieces of this length, each with its name.
  static constexpr std::size_t kMaxLine = 64 * 1024;

  /// Reads `stream`, and not while `output` is full: then the worker waits. Both outlive the relay.
  /// @param name  "worker 3": a line reads "worker 3 | text"
  LineRelay(process::Stream& stream, LineOutput& output, std::string_view name);
  ~LineRelay();
  LineRelay(const LineRelay&) = delete;
  LineRelay& operator=(const LineRelay&) = delete;

 private:
  void take(std::string_view bytes);
  /// What is left without a line feed becomes a line.
  void finish();
  void add_line(std::string& out, std::string_view line) const;

  process::Stream& stream_;
  LineOutput& output_;
  LineOutput::Waiter waiter_;
  std::string prefix_;
  std::string partial_;
};

}  // namespace pronghorn::master
