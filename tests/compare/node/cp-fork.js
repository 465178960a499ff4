// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, fact, say, watch } = require('./events');

const echo = watch('echo', fork(children + '/echo.js'));
fact('echo', 'connected', echo.connected);
for (const message of [{ hello: 'world' }, 'text', 42, true, null, [1, { two: 2 }]]) echo.send(message);
let seen = 0;
echo.on('message', () => ++seen === 6 && echo.send('bye'));

const missing = watch('missing', fork('./no-such-module-4711.js', { silent: true }), ['out', 'err']);
fact('missing', 'connected', missing.connected);
const args = watch('args', fork(children + '/args.js', ['a', 'b c'], { execArgv: ['--no-warnings'], silent: true }));
fact('args', 'spawnargs', [args.spawnargs.length, args.spawnargs[1]]);

// Messages wait for the first listener, on either side.
const late = watch('late', fork(children + '/late.js', { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }), ['channel']);
late.send('early');
late.stdout.once('data', () => {
  fact('late', 'listens', true);
  late.on('message', (message) => {
    say('late', 'message', { message });
    if (message === 'early') late.send('bye');
  });
});
