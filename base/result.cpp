// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/result.h>

#include <cctype>
#include <cstring>

namespace pronghorn {

std::string errno_text(int errno_value) {
  std::string text = std::generic_category().message(errno_value);
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]))) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

Error Error::system(int errno_value, std::string_view what) {
  return {std::error_code(errno_value, std::generic_category()),
          std::string(what) + ": " + errno_text(errno_value)};
}

Error Error::with_call(FailedCall call) && {
  call_ = std::make_shared<const FailedCall>(std::move(call));
  return std::move(*this);
}

int Error::errno_value() const noexcept {
  return code_.category() == std::generic_category() ? code_.value() : 0;
}

}  // namespace pronghorn
