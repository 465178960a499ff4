// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/config/config.h>
