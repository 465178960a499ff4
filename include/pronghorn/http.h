// SPDX-License-Identifier: Apache-2.0
// Umbrella: an HTTP server with master and workers in one include.
#pragma once

#include <pronghorn/app/app.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/offload.h>
#include <pronghorn/base/uv/task.h>
#include <pronghorn/server/body_error.h>
#include <pronghorn/server/body_stream.h>
#include <pronghorn/server/cookie.h>
#include <pronghorn/server/file_name.h>
#include <pronghorn/server/folder.h>
#include <pronghorn/server/form.h>
#include <pronghorn/server/handler.h>
#include <pronghorn/server/locals.h>
#include <pronghorn/server/multipart_form.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>
#include <pronghorn/server/response_writer.h>
#include <pronghorn/server/router.h>
#include <pronghorn/server/server.h>
#include <pronghorn/server/upgraded_stream.h>
