// SPDX-License-Identifier: Apache-2.0
// Files without a name, for uploads: they go with their descriptor, also when the process is
// killed. Blocking, as files are: each write is one piece that was received.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include <string>
#include <string_view>

namespace pronghorn::server {

/// Mode 0600. `directory` empty: $TMPDIR, or /tmp. @errors BodyErrc::storage_full, storage
Result<UniqueFd> open_temporary(const std::string& directory);
/// @errors as above
Result<void> append_to(int file, std::string_view bytes);
/// Gives the file a name, or copies it where another file system needs that. A file that exists is
/// not replaced. @errors errno: EEXIST, ENOENT, EACCES, ENOSPC …
Result<void> save_temporary(int file, const std::string& path);
/// A new file with these bytes, mode 0600. @errors errno
Result<void> save_bytes(std::string_view bytes, const std::string& path);
/// All of it, from its beginning. @errors errno
Result<std::string> read_all(int file);

}  // namespace pronghorn::server
