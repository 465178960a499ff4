// SPDX-License-Identifier: Apache-2.0
'use strict';
const cluster = require('node:cluster');

if (cluster.isPrimary) {
  console.log(`Master ${process.pid} is running`);
  for (let i = 0; i < require('node:os').availableParallelism(); ++i) {
    console.log(`Forking process number ${i}...`);
    cluster.fork();
  }
} else {
  console.log(`Worker ${process.pid} started and finished`);
}
process.exit();
