// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');

for (let i = 0; i < 3; ++i) {
  const child = spawn('node', [__dirname + '/support.js', String(i)]);
  child.stdout.on('data', (bytes) => console.log('stdout: ' + bytes));
  child.stderr.on('data', (bytes) => console.log('stderr: ' + bytes));
  child.on('close', (code) => console.log('child process exited with code ' + code));
}
