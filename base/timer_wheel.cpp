// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"
