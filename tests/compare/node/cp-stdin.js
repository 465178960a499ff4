// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, say, watch } = require('./events');

const cat = watch('cat', spawn('cat'));
fact('cat', 'writable', [cat.stdin.writable, cat.stdin.readable ?? false]);
fact('cat', 'readable', [cat.stdout.writable ?? false, cat.stdout.readable]);
cat.stdin.write('hello');
cat.stdin.write(' ');
cat.stdin.write('world', () => say('cat', 'written'));
cat.stdin.on('finish', () => say('cat', 'finish'));
cat.stdin.end('!\n');

// What nobody reads: EPIPE comes as the stream's error, and the child's end is told as ever.
const deaf = watch('deaf', spawn('sh', ['-c', 'exec <&-; echo closed; read x <&3'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }));
deaf.stdin.on('error', (error) => say('deaf', 'in-error', { code: error.code }));
deaf.stdin.on('close', () => {
  say('deaf', 'in-close');
  deaf.stdio[3].end('\n');
});
deaf.stdout.once('data', () => deaf.stdin.write('x'));
