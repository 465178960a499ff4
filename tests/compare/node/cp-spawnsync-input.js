// SPDX-License-Identifier: Apache-2.0
'use strict';
const { execFileSync, execSync, spawnSync } = require('node:child_process');
const { fact, synchronous } = require('./events');

synchronous('string', spawnSync('cat', { input: 'some text' }));
synchronous('bytes', spawnSync('cat', { input: Buffer.from([0, 255, 10]) }));
synchronous('to-stderr', spawnSync('sh', ['-c', 'cat >&2'], { input: 'aside' }));
synchronous('empty', spawnSync('cat', { input: '' }));
synchronous('none', spawnSync('cat'));
synchronous('unread', spawnSync('true', { input: 'x'.repeat(1 << 20) }));
fact('large', 'length', spawnSync('cat', { input: 'x'.repeat(1 << 20) }).stdout.length);
fact('exec', 'returned', String(execSync('cat', { input: 'in' })));
fact('file', 'returned', String(execFileSync('cat', [], { input: 'in' })));
