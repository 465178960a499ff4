// SPDX-License-Identifier: Apache-2.0
// Umbrella: Node's child_process in C++ (spawn, exec, exec_file, fork, their synchronous forms, and
// the child's end of the channel) in one include.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/base/uv/task.h>
#include <pronghorn/json.h>
#include <pronghorn/process/exec.h>
#include <pronghorn/process/parent.h>
#include <pronghorn/process/spawn.h>
#include <pronghorn/process/sync.h>
