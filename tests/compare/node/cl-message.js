// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own } = require('./cluster-events');


if (cluster.isPrimary) {
  watch();
  const worker = fork();
  worker.on('online', () => { worker.send({ to: 'worker' }); worker.send('text'); });
  worker.on('message', (message) => message === 'text' && worker.disconnect());
} else {
  cluster.worker.on('message', (message) => {
    own('received', { message });
    cluster.worker.send(message);
  });
  cluster.worker.send({ first: [1, null, 'two'] });
}
