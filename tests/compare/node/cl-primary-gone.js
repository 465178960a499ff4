// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own, serve } = require('./cluster-events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  cluster.on('listening', () => process.exit(0));
  fork();
} else {
  cluster.worker.on('disconnect', () => own('own-disconnect', { left: Boolean(cluster.worker.exitedAfterDisconnect) }));
  process.on('exit', (code) => own('ends', { code }));
  serve(anyPort);
}
