/* SPDX-License-Identifier: Apache-2.0
 * Preloaded by faults_test.py: in workers, system calls fail as the file $FAULT_SHIM_FILE says, which the test changes
 * while they run. One record a call, in the order of `enum call`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { ACCEPT, OPEN, READ, RECV, SEND, EPOLL_ADD, CALLS };

struct record {
  _Atomic int error; /* errno */
  _Atomic int times; /* that are left */
  _Atomic int hits;
  int unused;
};

static struct record* records;

static int fails(enum call call) {
  struct record* r = records == NULL ? NULL : &records[call];
  if (r == NULL || atomic_load(&r->times) <= 0 || atomic_fetch_sub(&r->times, 1) <= 0) return 0;
  atomic_fetch_add(&r->hits, 1);
  errno = atomic_load(&r->error);
  return 1;
}

__attribute__((constructor)) static void map_records(void) {
  const char* path = getenv("FAULT_SHIM_FILE");
  if (path == NULL || getenv("NODE_CHANNEL_FD") == NULL) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) _exit(3);
  void* memory = mmap(NULL, sizeof(struct record) * CALLS, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) _exit(3);
  close(file);
  records = memory;
}

#define REAL(name)                                       \
  static __typeof__(name)* real;                         \
  if (real == NULL) {                                    \
    *(void**)&real = dlsym(RTLD_NEXT, #name);            \
  }

int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  REAL(accept4);
  return fails(ACCEPT) ? -1 : real(fd, address, length, flags);
}

static int is_file(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

ssize_t read(int fd, void* bytes, size_t size) {
  REAL(read);
  return records != NULL && is_file(fd) && fails(READ) ? -1 : real(fd, bytes, size);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  REAL(pread);
  return is_file(fd) && fails(READ) ? -1 : real(fd, bytes, size, at);
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  REAL(recv);
  return fails(RECV) ? -1 : real(fd, bytes, size, flags);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  REAL(send);
  return fails(SEND) ? -1 : real(fd, bytes, size, flags);
}

int epoll_ctl(int poll, int what, int fd, struct epoll_event* event) {
  REAL(epoll_ctl);
  return what == EPOLL_CTL_ADD && fails(EPOLL_ADD) ? -1 : real(poll, what, fd, event);
}

long syscall(long number, ...) {
  REAL(syscall);
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
  long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  return number == SYS_openat2 && fails(OPEN) ? -1 : real(number, a, b, c, d, e, f);
}
