// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, fact, watch } = require('./events');

const text = 'ßü€𝄞'.repeat(100000);
const echo = watch('echo', fork(children + '/echo.js'), ['channel']);
echo.send(text);
echo.send({ '€': '\u2028\0"\\\n' });
let seen = 0;
echo.on('message', (message) => {
  if (++seen === 1) fact('echo', 'same', [message === text, Buffer.byteLength(message)]);
  if (seen === 2) fact('echo', 'small', message);
  if (seen === 2) echo.send('bye');
});
