// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

for (const code of [0, 1, 23, 42, 255]) {
  const name = 'exit-' + code;
  const child = watch(name, spawn('sh', ['-c', 'exit ' + code]));
  fact(name, 'before', [child.exitCode, child.signalCode]);
  child.on('close', () => fact(name, 'after', [child.exitCode, child.signalCode]));
}
