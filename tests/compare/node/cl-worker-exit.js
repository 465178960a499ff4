// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');
const { fact } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  const worker = fork();
  worker.on('listening', () => worker.send('leave'));
  worker.on('exit', () => {
    let gone = false;
    try { process.kill(worker.process.pid, 0); } catch (error) { gone = error.code === 'ESRCH'; }
    fact('w1', 'gone', gone);
    fact('w1', 'codes', [worker.process.exitCode, worker.process.signalCode]);
  });
} else {
  process.on('message', () => process.exit(42));
  serve(anyPort);
}
