// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, say, watch } = require('./events');

const echo = watch('echo', fork(children + '/echo.js'));
for (let i = 0; i < 5; ++i) echo.send(i, (error) => say('echo', 'sent', { number: i, code: error ? error.code : '' }));
say('echo', 'returned');
echo.on('message', (message) => message === 4 && echo.send('bye'));
echo.on('close', () => echo.send('late', (error) => say('echo', 'sent', { number: -1, code: error.code })));
