#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer check finds what it is for: each violation is planted alone in a small tree and must be the one found."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from layers_check import Check

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
CLEAN = {
    "base/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\npronghorn_room(base\n  HEADERS a.h\n  LIBS fmt::fmt)\n",
    "base/a.h": SPDX + "#include <string>\n",
    "base/uv/box.h": SPDX + "#include <uv.h>\nuv_close(handle, done);\n",
    "config/c.cpp": SPDX + '#include "base/a.h"\n#include <toml++/toml.h>\n',
    "ipc/i.h": SPDX + "#include <nlohmann/json_fwd.hpp>\n",
    "server/s.cpp": SPDX + "#include <pronghorn/base/a.h>\n#include <sys/socket.h>\n#include <llhttp.h>\n",
    "include/pronghorn/json.h": SPDX + "#include <nlohmann/json.hpp>\n",
}
# What is planted, and a word of the message that must name it.
PLANTED = [
    ({"server/x.cpp": SPDX + '#include "ipc/i.h"\n'}, "server must not include ipc"),
    ({"server/x.cpp": SPDX + "#include <pronghorn/ipc/i.h>\n"}, "server must not include ipc"),
    ({"master/x.h": SPDX + '  #  include "server/s.h"\n'}, "master must not include server"),
    ({"base/x.cpp": SPDX + '#include "base/uv/box.h"\n'}, "base must not include base/uv"),
    ({"base/x.cpp": SPDX + "#include <uv.h>\n"}, "base must not include <uv.h>"),
    ({"config/x.cpp": SPDX + '#include "base/uv/box.h"\n'}, "config must not include base/uv"),
    ({"ipc/x.cpp": SPDX + "#include <llhttp.h>\n"}, "ipc must not include <llhttp.h>"),
    ({"ipc/x.cpp": SPDX + "#include <boost/any.hpp>\n"}, "in no list"),
    ({"ipc/x.cpp": SPDX + '#include "i.h"\n'}, "names no room"),
    ({"base/a.h": SPDX + "#include <fmt/format.h>\n"}, "a public header includes <fmt/format.h>"),
    ({"base/a.h": SPDX + "#include <pronghorn/base/b.h>\n", "base/b.h": SPDX}, "which is not installed"),
    ({"examples/x.cpp": SPDX + "#include <pronghorn/base/b.h>\n", "base/b.h": SPDX}, "which is not public"),
    ({"ipc/x.cpp": SPDX + "  uv_close(h, nullptr);\n"}, "only base/uv/box.h may call uv_close"),
    ({"base/uv/x.cpp": SPDX + "  ::uv_close (h, nullptr);\n"}, "only base/uv/box.h may call uv_close"),
    ({"bench/x.cpp": SPDX + "uv_close(h, nullptr);\n"}, "only base/uv/box.h may call uv_close"),
    ({"ipc/x.cpp": "// A file.\n" + SPDX}, "SPDX"),
    ({"scripts/x": "#!/bin/sh\necho\n"}, "SPDX"),
    ({"ipc/x.cpp": SPDX + "\n" * 400}, "401 lines"),
    ({f"config/{n}.cpp": SPDX + "#include <toml++/toml.h>\n" for n in "xy"}, "at most 2 may"),
    ({"ipc/big.h": SPDX + "#include <pronghorn/json.h>\n",
      **{f"ipc/{n}.cpp": SPDX + '#include "ipc/big.h"\n' for n in "uvwxyz"}}, "at most 5 may"),
]


def check(files: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Check(Path(folder)).run()


failures = [f"the clean tree: {p}" for p in check(CLEAN)]
for planted, words in PLANTED:
    found = check(CLEAN | planted)
    if len(found) != 1 or words not in found[0]:
        failures.append(f"planted {list(planted)}, wanted one problem with '{words}', found {found}")
if not check({"README.md": ""}):
    failures.append("an empty tree passed")
print("\n".join(failures) or f"{len(PLANTED)} planted violations were found")
sys.exit(1 if failures else 0)
