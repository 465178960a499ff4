// SPDX-License-Identifier: Apache-2.0
'use strict';
console.log(process.argv.slice(2).join('|'), process.execArgv.join('|'));
