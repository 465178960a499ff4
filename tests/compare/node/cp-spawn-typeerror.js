// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork, spawn, spawnSync, exec } = require('node:child_process');
const { refused, watch } = require('./events');

refused('empty-file', () => spawn(''));
refused('nul-in-file', () => spawn('a\0b'));
refused('nul-in-args', () => spawn('true', ['a\0b']));
refused('nul-in-cwd', () => spawn('true', { cwd: 'a\0b' }));
refused('nul-in-env', () => spawn('true', { env: { A: 'a\0b' } }));
refused('nul-in-argv0', () => spawn('true', { argv0: 'a\0b' }));
refused('nul-in-shell', () => spawn('true', { shell: 'a\0b' }));
refused('nul-in-command', () => exec('a\0b', () => {}));
refused('negative-timeout', () => spawn('true', { timeout: -1 }));
refused('unknown-signal', () => spawn('true', { killSignal: 'SIGNOPE' }));
refused('unknown-signal-number', () => spawn('true', { killSignal: 999 }));
refused('two-channels', () => spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 'ipc', 'ipc'] }));
refused('fork-without-channel', () => fork('x.js', { stdio: ['pipe', 'pipe', 'pipe'] }));
refused('channel-in-sync', () => spawnSync('true', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] }));
refused('input-in-async', () => spawn('true', { stdio: [Buffer.from('text')] }));
refused('advanced', () => spawn('true', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' }));
refused('args-beside-shell', () => spawn('true', ['x'], { shell: true }));

// What may be left out.
watch('file', spawn('true'));
watch('args', spawn('sh', ['-c', 'exit 3']));
watch('no-args', spawn('true', []));
watch('options', spawn('true', [], {}));
