// SPDX-License-Identifier: Apache-2.0
// The name that ps and top show.
#pragma once

#include <string>

namespace pronghorn::uv {

/// Must see main's arguments once, before set_process_title; returns a copy that stays valid.
char** setup_args(int argc, char** argv);
/// "pronghorn: worker 1". Cut to the room that the original arguments took.
void set_process_title(const std::string& title);

}  // namespace pronghorn::uv
