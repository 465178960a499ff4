// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');

for (let i = 0; i < 3; ++i) {
  fork(__dirname + '/support.js', [String(i)])
    .on('close', (code) => console.log('child process exited with code ' + code));
}
