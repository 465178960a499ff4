// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, watch } = require('./events');

watch('exits', fork(children + '/send-and-exit.js', ['7']));
const killed = watch('by-signal', fork(children + '/echo.js'));
killed.send('up');
killed.once('message', () => killed.kill('SIGKILL'));
