// SPDX-License-Identifier: Apache-2.0
'use strict';
const { execSync, spawnSync } = require('node:child_process');
const { say, synchronous } = require('./events');

synchronous('late', spawnSync('sh', ['-c', 'echo partial; exec sleep 60'], { timeout: 2000 }));
synchronous('kill', spawnSync('sleep', ['60'], { timeout: 50, killSignal: 'SIGKILL' }));
synchronous('in-time', spawnSync('echo', ['whole'], { timeout: 60000 }));
try {
  execSync('exec sleep 60', { timeout: 50 });
} catch (error) {
  say('exec', 'failed', { code: error.code, status: error.status, signal: error.signal });
}
