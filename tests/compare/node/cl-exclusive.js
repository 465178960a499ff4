// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const first = fork();
  first.on('message', (port) => {
    const second = fork({ PORT: port });
    second.on('exit', () => first.kill());
  });
} else if (process.env.PORT) {
  serve({ host: '127.0.0.1', port: +process.env.PORT, exclusive: true }).on('error', () => cluster.worker.disconnect());
} else {
  serve({ ...anyPort, exclusive: true }, (server) => process.send(server.address().port));
}
