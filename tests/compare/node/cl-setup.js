// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork } = require('./cluster-events');
const { say, fact } = require('./events');


if (cluster.isPrimary) {
  watch();
  cluster.setupPrimary({ silent: true });
  cluster.setupPrimary({ args: [cluster.settings.args?.[0] ?? 'cl-setup', 'a', 'b'] });
  const first = fork();
  fact('w1', 'piped', first.process.stdout !== null);
  first.process.stdout.on('data', (text) => fact('w1', 'printed', text.toString()));
  cluster.setupPrimary({ silent: false });
  const second = fork();
  fact('w2', 'piped', second.process.stdout !== null);
  say('cluster', 'returned');
} else {
  if (cluster.worker.id === 1) process.stdout.write('args ' + process.argv.slice(-2).join(' '));
  cluster.worker.disconnect();
}
