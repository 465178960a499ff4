// SPDX-License-Identifier: Apache-2.0
// Umbrella: Node's cluster module in C++ in one include.
#pragma once

#include <pronghorn/app/cluster.h>
#include <pronghorn/json.h>
#include <pronghorn/process.h>
