// SPDX-License-Identifier: Apache-2.0
// Signals by number or by Node's names.
#pragma once

#include <csignal>
#include <string>
#include <string_view>

namespace pronghorn::process {

/// A signal to send: `SIGKILL`, or "SIGKILL" in any case, as in Node. What names no signal of this
/// system is refused where it is used (Errc::unknown_signal).
class Signal {
 public:
  Signal(int number);               // NOLINT(google-explicit-constructor): reads as Node's
  Signal(const char* name);         // NOLINT(google-explicit-constructor)
  Signal(const std::string& name);  // NOLINT(google-explicit-constructor)

  /// 0 is allowed where kill(2) allows it: it asks whether the process is there.
  bool is_known() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }
  /// As it was given, for the error's text.
  const std::string& text() const noexcept { return text_; }

 private:
  int number_;
  std::string text_;
};

/// "SIGTERM" of 15; the number itself where it has no name. @see Node's os.constants.signals
std::string signal_name(int number);

}  // namespace pronghorn::process
