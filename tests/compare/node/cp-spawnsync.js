// SPDX-License-Identifier: Apache-2.0
'use strict';
const { execFileSync, execSync, spawnSync } = require('node:child_process');
const { fact, failure, say, synchronous } = require('./events');

const r = spawnSync('sh', ['-c', 'echo out; echo err >&2; exit 3']);
synchronous('code', r);
fact('code', 'shape', [typeof r.pid === 'number', r.output.length, r.output[0], String(r.output[1]), String(r.output[2])]);
synchronous('good', spawnSync('true'));
synchronous('signal', spawnSync('sh', ['-c', 'kill -TERM $$']));
synchronous('missing', spawnSync('no-such-program-4711', ['x']));
synchronous('cwd', spawnSync('pwd', { cwd: '/dev' }));
synchronous('shell', spawnSync('echo $((40 + 2))', { shell: true }));
synchronous('ignore', spawnSync('echo', ['x'], { stdio: 'ignore' }));
synchronous('exact', spawnSync('printf', ['12345678'], { maxBuffer: 8 }));
const over = spawnSync('head', ['-c', '3000000', '/dev/zero']);
fact('over', 'cut', [over.error.code, over.stdout.length === 1024 * 1024]);

function thrown(name, run) {
  try {
    fact(name, 'returned', String(run()));
  } catch (error) {
    say(name, 'failed', { code: typeof error.code === 'string' ? error.code : '', status: error.status, signal: error.signal ?? '', out: String(error.stdout ?? ''), err: String(error.stderr ?? '') });
    if (error.code) fact(name, 'call', failure(error));
  }
}
const quiet = { stdio: 'pipe' };
thrown('exec', () => execSync('echo fine', quiet));
thrown('exec-code', () => execSync('echo some; echo why >&2; exit 5', quiet));
thrown('exec-signal', () => execSync('kill -KILL $$', quiet));
thrown('file', () => execFileSync('echo', ['a  b'], quiet));
thrown('file-missing', () => execFileSync('no-such-program-4711', ['x'], quiet));
