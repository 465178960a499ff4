// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { fact, refused, signals, watch } = require('./events');

const cat = watch('cat', spawn('cat'));
fact('cat', 'killed-before', cat.killed);
fact('cat', 'kill', cat.kill());
fact('cat', 'killed-after', cat.killed);
cat.on('close', () => {
  fact('cat', 'signal', [cat.exitCode, signals[cat.signalCode]]);
  fact('cat', 'kill-when-gone', cat.kill());
});

const other = watch('other', spawn('cat'));
refused('unknown', () => other.kill('SIGNOPE'));
fact('other', 'kill-0', other.kill(0));
fact('other', 'killed-by-0', other.killed);
fact('other', 'kill-by-name', other.kill('sigkill'));

// Delivered is not dead.
const trap = watch('trap', spawn('sh', ['-c', 'trap "echo trapped; exit 9" TERM; echo ready; while read x; do :; done']));
trap.stdout.once('data', () => {
  trap.kill();
  fact('trap', 'killed', trap.killed);
  trap.stdin.end();
});

// Its children are not touched: one holds the pipe, until it is told to let go.
const family = watch('family', spawn('sh', ['-c', 'cat <&3 & echo ready; wait'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }));
family.stdout.once('data', () => family.kill());
family.on('exit', () => family.stdio[3].end('alive'));
