// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const worker = fork();
  worker.on('listening', () => worker.send('die'));
  worker.on('exit', () => fork({ AGAIN: '1' }));
} else {
  process.on('message', () => process.kill(process.pid, 'SIGKILL'));
  if (process.env.AGAIN) cluster.worker.disconnect();
  else serve(anyPort);
}
