// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/app/app.h>
