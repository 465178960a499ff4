// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

#include "app/cli/help.h"

#include <fmt/format.h>
#include <llhttp.h>
#include <uv.h>

#include <sys/utsname.h>

namespace pronghorn::app::cli {

std::string version_line() {
#ifdef __clang__
  const std::string compiler = fmt::format("clang {}.{}", __clang_major__, __clang_minor__);
#else
  const std::string compiler = fmt::format("gcc {}.{}", __GNUC__, __GNUC_MINOR__);
#endif
  utsname system{};
  ::uname(&system);
  return fmt::format("pronghorn {} (libuv {}, llhttp {}.{}.{}, {}, {} {})\n", kVersion,
                     uv_version_string(), LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
                     LLHTTP_VERSION_PATCH, compiler, system.sysname, system.machine);
}

}  // namespace pronghorn::app::cli
