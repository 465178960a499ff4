// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const taken = require('node:net').createServer().listen(anyPort, () => {
    const worker = fork({ TAKEN: taken.address().port });
    worker.on('exit', () => taken.close());
  });
} else {
  const server = serve({ host: '127.0.0.1', port: +process.env.TAKEN });
  server.on('error', () => cluster.worker.disconnect());
}
