// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

watch('little', spawn('echo', ['123']), ['out', 'err']);
watch('much', spawn('head', ['-c', '40000', '/dev/zero']), ['out', 'err']);
const read = watch('read', spawn('echo', ['123']), ['out', 'err']);
read.on('exit', () => read.stdout.resume());
