// SPDX-License-Identifier: Apache-2.0
// Help texts, made from the table; each fits 80 x 24.
#pragma once

#include "app/cli/table.h"

#include <string>
#include <string_view>

namespace pronghorn::app::cli {

/// `pronghorn --help`
std::string program_help();
/// `pronghorn help serve`
std::string command_help(CommandBit command);
/// A program of a library user: the options of serve without a command.
std::string serve_only_help(std::string_view program);

/// "pronghorn 0.1.0 (libuv 1.44.2, llhttp 8.1.0, gcc 12.2, Linux x86_64)\n"
std::string version_line();

}  // namespace pronghorn::app::cli
