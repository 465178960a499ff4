// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');

const wc = spawn('wc');
process.stdin.pipe(wc.stdin);
wc.stdout.on('data', (bytes) => console.log(String(bytes)));
wc.on('exit', (code) => console.log('child process exited with code ' + code));
