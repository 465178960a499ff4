/* SPDX-License-Identifier: Apache-2.0
 * Preloaded by death_test.py: every worker aborts before its main(), and notes its start in the file `starts`. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void crash_if_worker(void) {
  if (getenv("NODE_CHANNEL_FD") == NULL) return;
  int file = open("starts", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0 || write(file, "x\n", 2) != 2) _exit(3);
  abort();
}
