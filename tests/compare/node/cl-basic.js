// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, own, serve, now } = require('./cluster-events');
const { fact } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  fact('cluster', 'kinds', [cluster.isPrimary, cluster.isMaster, cluster.isWorker]);
  watch();
  for (const number of [1, 2]) {
    const worker = fork({ GIVEN: 'given ' + number });
    fact('w' + worker.id, 'forked', [worker.id, now(worker).state, now(worker).connected, now(worker).member]);
    worker.on('listening', () => worker.process.kill('SIGTERM'));
  }
} else {
  own('kinds', { primary: cluster.isPrimary, worker: cluster.isWorker, id: cluster.worker.id });
  const hidden = ['NODE_UNIQUE_ID', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'];
  own('environment', { hidden: hidden.map((variable) => variable in process.env), given: process.env.GIVEN });
  serve(anyPort);
}
