// SPDX-License-Identifier: Apache-2.0
'use strict';
console.log(`Child Process ${process.argv[2]} executed.`);
