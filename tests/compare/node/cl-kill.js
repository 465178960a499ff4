// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own, serve, now } = require('./cluster-events');
const { say } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const [told, itself, hard] = [fork(), fork(), fork()];
  told.on('listening', () => { told.kill(); say('w1', 'returned', now(told)); });
  itself.on('listening', () => itself.send('leave'));
  hard.on('listening', () => hard.kill('SIGKILL'));
} else {
  cluster.worker.on('disconnect', () => own('own-disconnect', { left: Boolean(cluster.worker.exitedAfterDisconnect) }));
  process.on('message', () => cluster.worker.kill('SIGKILL'));
  serve(anyPort);
}
