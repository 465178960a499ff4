// SPDX-License-Identifier: Apache-2.0
// What the log says while the master stops.
#pragma once

#include <pronghorn/base/clock.h>

#include "master/slot_record.h"

#include <cstdint>
#include <string>

namespace pronghorn::master {

/// "12,345"
std::string with_commas(std::uint64_t number);
/// "stopping: 3 requests in flight, oldest GET /report 4.1 s; up to 30 s (again to cut them)"
std::string stopping_text(const InFlight& work, Millis deadline);
/// "stopping: up to 30 s for what the programs have in flight (again to cut it)"
std::string stopping_text(Millis deadline);
/// "stopping now: 2 requests cut (GET /report, POST /upload)"
std::string stopping_now_text(const InFlight& work);
/// The same, where the workers' requests are not known.
std::string stopping_now_text();
/// "stopped after 3 min 02 s: 12,345 requests, 1 cut short"
std::string stopped_text(Millis uptime, std::uint64_t requests, std::uint64_t cut);

/// "stopped after 3 s: 12,345 connections handed over", where the workers' requests are not known.
std::string stopped_text(Millis uptime, std::uint64_t handed_over);

}  // namespace pronghorn::master
