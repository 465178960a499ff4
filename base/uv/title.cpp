// SPDX-License-Identifier: Apache-2.0
#include "base/uv/title.h"

#include <uv.h>

namespace pronghorn::uv {

char** setup_args(int argc, char** argv) {
  static char** copy = uv_setup_args(argc, argv);  // libuv allows one call
  return copy;
}

void set_process_title(const std::string& title) { uv_set_process_title(title.c_str()); }

}  // namespace pronghorn::uv
