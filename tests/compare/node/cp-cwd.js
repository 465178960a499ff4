// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, watch } = require('./events');

watch('given', spawn('pwd', { cwd: '/dev' }));
watch('inherited', spawn('pwd'));
const child = watch('missing', spawn('pwd', { cwd: '/nonexistent-4711' }));
fact('missing', 'pid', child.pid ?? null);
child.on('error', (error) => fact('missing', 'named', error.message.includes('nonexistent')));
