// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

function start(name, command, options) {
  const child = watch(name, spawn(command, options));
  child.on('close', () => fact(name, 'killed', child.killed));
}
start('default', 'cat', { timeout: 50 });
start('kill', 'cat', { timeout: 50, killSignal: 'SIGKILL' });
start('by-number', 'cat', { timeout: 50, killSignal: 1 });
start('in-time', 'true', { timeout: 60000 });
