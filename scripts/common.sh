# SPDX-License-Identifier: Apache-2.0
# What scripts/serve and scripts/test share. Sourced, after `set -eu`; sets `top` to the top of the tree.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

fail() {
  printf '%s: error: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

# A compiler cache is used when there is one; CMake reads these at its first configuration.
if command -v ccache >/dev/null 2>&1; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# configure PRESET [-DX=Y…]: once, and again when the presets changed; ninja runs CMake for all other reasons.
configure() {
  local preset=$1 done=$top/build/$1/build.ninja
  shift
  [ "$done" -nt "$top/CMakePresets.json" ] || (cd "$top" && cmake --preset "$preset" "$@")
}
