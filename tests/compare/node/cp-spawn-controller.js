// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

function start(name, options) {
  const stop = new AbortController();
  const child = watch(name, spawn('cat', { ...options, signal: stop.signal }));
  child.on('exit', () => fact(name, 'killed', child.killed));
  return [child, stop];
}
const [, early] = start('during', {});
early.abort();
start('kill-signal', { killSignal: 'SIGKILL' })[1].abort();

const already = new AbortController();
already.abort();
watch('before', spawn('cat', { signal: already.signal }));

const [late, after] = start('after', {});
late.stdin.end();
late.on('close', () => after.abort());
