// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec } = require('node:child_process');
const { told, watch } = require('./events');

watch('given', exec('pwd', { cwd: '/dev' }, told('given')), ['out', 'err']);
watch('inherited', exec('pwd', told('inherited')), ['out', 'err']);
