// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own, serve, now } = require('./cluster-events');
const { say } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const [told, itself] = [fork({ WHO: 'told' }), fork({ WHO: 'itself' })];
  told.on('listening', () => {
    told.disconnect();
    say('w1', 'returned', now(told));
  });
  itself.on('listening', () => itself.send('leave'));
} else {
  cluster.worker.on('disconnect', () => own('own-disconnect', { connected: cluster.worker.isConnected(), left: cluster.worker.exitedAfterDisconnect }));
  process.on('message', () => { cluster.worker.disconnect(); cluster.worker.disconnect(); });
  process.on('exit', (code) => own('ends', { code }));
  serve(anyPort);
}
