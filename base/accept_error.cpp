// SPDX-License-Identifier: Apache-2.0
#include "base/accept_error.h"

#include <cerrno>

namespace pronghorn {

AcceptError classify_accept_error(int errno_value) noexcept {
  switch (errno_value) {
    case EAGAIN:
      return AcceptError::empty;
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ENONET:
    case ETIMEDOUT:
      return AcceptError::again;
    case EBADF:
    case EFAULT:
    case EINVAL:  // shut down by someone who shares it
    case ENOTSOCK:
      return AcceptError::broken;
    default:
      return AcceptError::exhausted;
  }
}

}  // namespace pronghorn
