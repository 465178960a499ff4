// SPDX-License-Identifier: Apache-2.0
#include "master/line_relay.h"

#include <fmt/format.h>

namespace pronghorn::master {

LineRelay::LineRelay(process::Stream& stream, LineOutput& output, std::string_view name)
    : stream_(stream),
      output_(output),
      waiter_(output.add([this] { stream_.resume(); })),
      prefix_(fmt::format("{} | ", name)) {
  stream_.on_data([this](std::string_view bytes) { take(bytes); });
  stream_.on_end([this] { finish(); });
}

LineRelay::~LineRelay() {
  finish();
  output_.remove(waiter_);
}

void LineRelay::take(std::string_view bytes) {
  std::string lines;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = kMaxLine - partial_.size();
    if (part.size() > room) {
      partial_ += part.substr(0, room);
      add_line(lines, partial_);
      partial_.clear();
      bytes.remove_prefix(room);
      continue;
    }
    partial_ += part;
    bytes.remove_prefix(part.size());
    if (bytes.empty()) break;
    bytes.remove_prefix(1);
    add_line(lines, partial_);
    partial_.clear();
  }
  if (lines.empty()) return;
  output_.write(lines);
  if (output_.is_full()) stream_.pause();
}

void LineRelay::finish() {
  if (partial_.empty()) return;
  std::string line;
  add_line(line, partial_);
  partial_.clear();
  output_.write(line);
}

void LineRelay::add_line(std::string& out, std::string_view line) const {
  // "<3>text": the priority has to stay in front where it is understood.
  const bool has_priority = output_.is_journal() && line.size() >= 3 && line[0] == '<' &&
                            line[1] >= '0' && line[1] <= '7' && line[2] == '>';
  if (has_priority) {
    out += line.substr(0, 3);
    line.remove_prefix(3);
  }
  out += prefix_;
  out += line;
  out += '\n';
}

}  // namespace pronghorn::master
