// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');
const { fact } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const ports = [];
  cluster.on('message', (worker, port) => {
    ports.push(port);
    if (ports.length < 4) return;
    const [a, b, ...more] = [...new Set(ports)];
    fact('cluster', 'ports', [ports.filter((p) => p === a).length, ports.filter((p) => p === b).length, more.length]);
    cluster.disconnect();
  });
  fork();
  fork();
} else {
  serve(anyPort, (server) => {
    process.send(server.address().port);
    serve(anyPort, (other) => process.send(other.address().port));
  });
}
