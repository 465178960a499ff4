// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

function start(name, command, options) {
  const child = watch(name, spawn(command, { shell: true, ...options }));
  fact(name, 'spawnfile', child.spawnfile);
  fact(name, 'spawnargs', child.spawnargs);
}
start('command', 'echo foo');
start('pipe', 'echo bar | cat');
start('missing', 'no-such-command-4711 2>/dev/null');
start('env', 'echo $BAZ', { env: { ...process.env, BAZ: 'buzz' } });
start('other-shell', 'echo $0', { shell: '/bin/bash' });
