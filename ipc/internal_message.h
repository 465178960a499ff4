// SPDX-License-Identifier: Apache-2.0
// A message that Node calls internal (its cmd begins with "NODE_"), as the text that travels.
#pragma once

#include <string>
#include <utility>

namespace pronghorn::ipc {

/// A type of its own, so that a user's message never passes for an internal one; cluster_messages.h
/// makes them. Text and not Json, because nlohmann::json would sort the members, and Node's order
/// is kept.
class InternalMessage {
 public:
  /// `json` is one JSON object without a line feed; it is not checked.
  static InternalMessage from_text(std::string json) { return {Checked{}, std::move(json)}; }
  const std::string& text() const noexcept { return text_; }

 private:
  struct Checked {
    explicit Checked() = default;
  };
  // The tag keeps send({{"key", "value"}}) a Json: a plain string constructor would make it
  // ambiguous.
  InternalMessage(Checked, std::string json) : text_(std::move(json)) {}
  std::string text_;
};

}  // namespace pronghorn::ipc
