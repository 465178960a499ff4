// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, refused, watch } = require('./events');

function start(name, stdio, script = 'echo out; echo err >&2') {
  const child = watch(name, spawn('sh', ['-c', script], stdio === undefined ? {} : { stdio }));
  fact(name, 'pipes', Array.from(child.stdio, (stream) => stream !== null));
  return child;
}
start('default');
start('pipe', 'pipe');
start('overlapped', 'overlapped');
start('ignore', 'ignore');
start('padded', ['ignore']);
start('null', [null, 'ignore', null]);
start('negative', ['pipe', -1, -1]);
start('ignored-4', ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'], 'cat <&3; echo four >&4').stdio[4]
  .on('data', (bytes) => fact('ignored-4', 'fd-4', String(bytes)));
const both = start('both-ways', ['ignore', 'pipe', 'pipe', 'pipe'], 'read line <&3; echo "got $line" >&3');
both.stdio[3].on('data', (bytes) => fact('both-ways', 'fd-3', String(bytes)));
both.stdio[3].write('hello\n');
start('to-descriptor', ['ignore', 'pipe', 1], 'echo "{\\"child\\":\\"to-descriptor\\",\\"event\\":\\"ours\\"}" >&2');
refused('not-open', () => spawn('true', { stdio: [4711] }));

// One child's stream is another's descriptor.
const reader = watch('reader', spawn('cat', { stdio: ['pipe', 'pipe', 'pipe'] }));
watch('writer', spawn('sh', ['-c', 'echo through'], { stdio: ['ignore', reader.stdin, 'pipe'] }))
  .on('exit', () => reader.stdin.end());

// A pipe of ours may be opened by name; Node's is a socket.
start('by-name', ['ignore', 'pipe', 'ignore'], 'echo hi > /dev/stdout');
