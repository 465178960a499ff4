// SPDX-License-Identifier: Apache-2.0
#include "process/stdio.h"

#include "process/stream.h"
#include "process/stream_access.h"

#include <utility>

namespace pronghorn::process {

Stdio::Stdio(const Stream& stream) : kind_(descriptor), fd_(stream.fd()) {
  StreamAccess::lend(stream);
}

Stdio Stdio::with_input(std::string bytes) {
  Stdio stdio(input);
  stdio.bytes_ = std::move(bytes);
  return stdio;
}

}  // namespace pronghorn::process
