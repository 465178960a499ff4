// SPDX-License-Identifier: Apache-2.0
'use strict';
const { execFile } = require('node:child_process');
const { told, watch } = require('./events');

const run = (name, file, args, options = {}) => watch(name, execFile(file, args, options, told(name)), ['out', 'err']);
run('good', 'echo', ['a  b', '$HOME', '*']);
run('code', 'sh', ['-c', 'exit 42']);
run('signal', 'sh', ['-c', 'kill -TERM $$']);
run('no-args', 'true', []);
run('shell', 'echo "$((40 + 2))"', [], { shell: true });

const stop = new AbortController();
run('abort', 'cat', [], { signal: stop.signal });
stop.abort();
const hard = new AbortController();
run('abort-kill-signal', 'cat', [], { signal: hard.signal, killSignal: 'SIGKILL' });
hard.abort();
