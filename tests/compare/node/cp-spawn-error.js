// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, refused, watch } = require('./events');

function start(name, ...how) {
  const child = watch(name, spawn(...how));
  fact(name, 'pid', child.pid ?? null);
  fact(name, 'streams', [child.stdin, child.stdout, child.stderr].every(Boolean));
  child.on('close', () => fact(name, 'exit_code', child.exitCode));
}
start('missing', 'no-such-program-4711', ['first', 'second']);
start('missing-path', './no-such-program-4711');
start('no-program', '/etc/passwd', ['first']);
refused('below-a-file', () => spawn('/etc/passwd/program'));
refused('too-long', () => spawn('true', ['x'.repeat(4 << 20)]));
