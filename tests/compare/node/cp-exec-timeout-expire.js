// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec } = require('node:child_process');
const { told, watch } = require('./events');

watch('late', exec('echo partial; exec sleep 60', { timeout: 2000 }, told('late')), ['out', 'err']);
watch('in-time', exec('echo whole', { timeout: 60000 }, told('in-time')), ['out', 'err']);
// A grandchild holds the pipes; the callback does not wait for it.
watch('grandchild', exec('sleep 20 & echo $! > grandchild.pid; wait', { timeout: 2000 }, told('grandchild')), ['out', 'err'])
  .on('close', () => process.kill(Number(require('node:fs').readFileSync('grandchild.pid', 'utf8')), 'SIGKILL'));
