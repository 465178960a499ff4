// SPDX-License-Identifier: Apache-2.0
// What is wrong with a value, before it is known where the value stood.
#pragma once

#include <expected>
#include <string>

namespace pronghorn::config {

struct Complaint {
  std::string code;        ///< stable word for programs: "wrong-type", "out-of-range", "bad-value"
  std::string message;     ///< one line
  std::string suggestion;  ///< what was probably meant; empty: no idea

  std::string text() const {
    return suggestion.empty() ? message : message + "; did you mean '" + suggestion + "'?";
  }
};

template <class T>
using Checked = std::expected<T, Complaint>;

}  // namespace pronghorn::config
