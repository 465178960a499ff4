// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');
const { say } = require('./events');

const anyPort = { host: '127.0.0.1', port: 0 };

if (cluster.isPrimary) {
  watch();
  cluster.disconnect(() => {
    say('cluster', 'done-none');
    fork();
    fork();
  });
  say('cluster', 'returned');
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening < 2) return;
    cluster.disconnect(() => say('cluster', 'done', { left: Object.keys(cluster.workers).length }));
    say('cluster', 'asked', { left: Object.keys(cluster.workers).length });
  });
  const both = (event, n = 0) => cluster.on(event, () => say('cluster', 'of-' + event, { n: ++n }));
  both('disconnect');
  both('exit');
} else {
  serve(anyPort);
}
