// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own } = require('./cluster-events');

if (cluster.isPrimary) {
  watch();
  const worker = fork();
  worker.on('online', () => worker.send('early'));
  worker.on('message', (message) => worker.send(message));
} else {
  process.once('message', () => {
    cluster.worker.on('message', (message) => {
      own('received', { message });
      cluster.worker.disconnect();
    });
    cluster.worker.send('now');
  });
}
