// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

if (process.argv[2] === 'middle') {
  spawn('cat', { stdio: 'inherit' });
} else {
  const middle = watch('middle', spawn(process.execPath, [__filename, 'middle']));
  middle.stdin.end('through the middle');
}
