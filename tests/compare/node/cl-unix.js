// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');
const { watch, fork, serve } = require('./cluster-events');
const { fact } = require('./events');


const fs = require('node:fs');
if (cluster.isPrimary) {
  watch();
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening < 2) return;
    fact('cluster', 'there', fs.existsSync('socket'));
    cluster.disconnect();
  });
  let gone = 0;
  cluster.on('exit', () => ++gone === 2 && fact('cluster', 'left', fs.existsSync('socket')));
  fork();
  fork();
} else {
  serve({ path: 'socket' });
}
