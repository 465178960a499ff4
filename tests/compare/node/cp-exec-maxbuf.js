// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec, execFile } = require('node:child_process');
const { fact } = require('./events');

const done = (name) => (error, out, err) => fact(name, 'told', [error ? error.code : '', out.length, err.length]);
const million = 1024 * 1024;
execFile('head', ['-c', String(million), '/dev/zero'], done('default-exact'));
execFile('head', ['-c', String(million + 1), '/dev/zero'], done('default-over'));
exec('printf 12345678', { maxBuffer: 8 }, done('exact'));
exec('printf 123456789', { maxBuffer: 8 }, done('over'));
exec('printf 123456789 >&2', { maxBuffer: 8 }, done('over-stderr'));
exec('printf 1234; printf 1234 >&2', { maxBuffer: 4 }, done('each-stream'));
exec('head -c 3000000 /dev/zero', { maxBuffer: Infinity }, done('unlimited'));
exec('printf "\\303\\251\\303\\251\\303\\251\\303\\251"', { maxBuffer: 3 },
  (error, out) => fact('characters', 'told', [error.code, Buffer.byteLength(out)]));
