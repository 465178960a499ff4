// SPDX-License-Identifier: Apache-2.0
// argv[2]: another program to fork, such as ours.
'use strict';
const { fork } = require('node:child_process');

const child = process.argv[2] ? fork('counter', [], { execPath: process.argv[2], execArgv: [] })
  : fork(__dirname + '/fork_child.js');
child.on('message', (message) => console.log('Message from child', message));
child.send({ hello: 'world' });
