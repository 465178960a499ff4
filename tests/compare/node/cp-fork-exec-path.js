// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { fact, watch } = require('./events');

// A shell speaks the channel too: lines of JSON to descriptor 3.
const script = 'printf \'{"args":"%s %s","fd":"%s","mode":"%s"}\\n\' "$0" "$1" "$NODE_CHANNEL_FD" "$NODE_CHANNEL_SERIALIZATION_MODE" >&3';
const sh = watch('sh', fork(script, ['zero', 'one'], { execPath: '/bin/sh', execArgv: ['-c'] }));
fact('sh', 'spawnfile', sh.spawnfile);
fact('sh', 'pipes', [sh.stdin, sh.stdout, sh.stderr].map((stream) => stream !== null));
const silent = watch('silent', fork('echo out; echo err >&2', [], { execPath: '/bin/sh', execArgv: ['-c'], silent: true }));
fact('silent', 'pipes', [silent.stdin, silent.stdout, silent.stderr].map((stream) => stream !== null));
watch('word', fork('echo 42 >&3', [], { execPath: '/bin/sh', execArgv: ['-c'], stdio: 'ignore' }));
const missing = watch('missing', fork('x', [], { execPath: '/nonexistent/program' }));
fact('missing', 'sent', missing.send('lost'));
