// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, fact, say, watch } = require('./events');

// We close the channel; the child sees it, and says so on its standard output.
const ours = watch('parent', fork(children + '/disconnect.js', ['wait'], { silent: true }));
ours.once('message', () => {
  ours.disconnect();
  say('parent', 'returned', { connected: ours.connected });
  ours.disconnect();  // ERR_IPC_DISCONNECTED, to 'error'
});
ours.on('exit', () => ours.send('late', (error) => say('parent', 'sent', { code: error ? error.code : '' })));

// The child closes it, and goes on.
const theirs = watch('child', fork(children + '/disconnect.js', ['leave'], { silent: true }));
theirs.on('disconnect', () => theirs.stdin.end());
fact('child', 'connected', theirs.connected);
