// SPDX-License-Identifier: Apache-2.0
// Umbrella: WebSocket and server-sent events, for servers of <pronghorn/http.h>.
#pragma once

#include <pronghorn/server/event_stream.h>
#include <pronghorn/server/websocket.h>
