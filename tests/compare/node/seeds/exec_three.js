// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec } = require('node:child_process');

for (let i = 0; i < 3; ++i) {
  const child = exec(`node support.js ${i}`, { cwd: __dirname }, (error, out, err) => {
    if (error) console.log(error.stack, '\nError code:', error.code, '\nSignal received:', error.signal);
    console.log('stdout: ' + out);
    console.log('stderr: ' + err);
  });
  child.on('exit', (code) => console.log('Child process exited with exit code ' + code));
}
