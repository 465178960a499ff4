// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec, execFile } = require('node:child_process');
const { fact, told, watch } = require('./events');

watch('shell', exec('no-such-command-4711 2>/dev/null', told('shell')), ['out', 'err']);
watch('file', execFile('no-such-command-4711', ['x'], told('file', (error) => fact('file', 'call', [error.errno, error.syscall, error.path, error.spawnargs]))), ['out', 'err']);
watch('failing', exec('echo some; echo why >&2; exit 5', told('failing', (error) => fact('failing', 'text', error.message))), ['out', 'err']);
watch('signal', exec('kill -KILL $$', told('signal')), ['out', 'err']);
watch('good', exec('echo fine', told('good')), ['out', 'err']);
