// SPDX-License-Identifier: Apache-2.0
// Node's own cluster around the program that it is given, as its documentation shows it: what `pronghorn run` is compared
// with. SIGTERM and SIGINT disconnect the workers. Prints "ready PORT" once all listen.
'use strict';
const cluster = require('cluster');
const path = require('path');

const [program, workers = '2', policy = 'rr'] = process.argv.slice(2);
cluster.schedulingPolicy = policy === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
cluster.setupPrimary({ exec: path.resolve(program), args: [] });
let stopping = false;
let listening = 0;
cluster.on('listening', (worker, address) => {
  if (++listening === Number(workers)) console.log(`ready ${address.port}`);
});
cluster.on('exit', (worker) => {
  if (!stopping && !worker.exitedAfterDisconnect) cluster.fork();
});
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    stopping = true;
    cluster.disconnect(() => process.exit(0));
  });
}
for (let i = 0; i < Number(workers); i++) cluster.fork();
