// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  fork();
} else {
  serve(anyPort, (server) => {
    const { port } = server.address();
    serve({ host: '127.0.0.1', port }).on('error', () => cluster.worker.disconnect());
  });
}
