// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

const script = 'tr "\\0" " " < /proc/$$/cmdline | cut -d" " -f1';
for (const [name, options] of [['default', {}], ['given', { argv0: 'another' }]]) {
  const child = watch(name, spawn('sh', ['-c', script], options));
  fact(name, 'spawnfile', child.spawnfile);
  fact(name, 'spawnargs', [child.spawnargs[0], child.spawnargs.length]);
}
