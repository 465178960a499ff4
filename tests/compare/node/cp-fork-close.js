// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork, spawn } = require('node:child_process');
const { children, fact, watch } = require('./events');

watch('exits', fork(children + '/send-and-exit.js', ['7']));
const killed = watch('by-signal', fork(children + '/echo.js'));
killed.send('up');
killed.once('message', () => killed.kill('SIGKILL'));

// A grandchild holds the channel: the process has gone, and close waits until it lets go.
const held = watch('held', spawn('sh', ['-c', 'cat <&4 >/dev/null &'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'] }));
held.on('exit', () => {
  fact('held', 'connected', held.connected);
  held.stdio[4].end();
});
