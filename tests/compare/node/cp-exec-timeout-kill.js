// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec } = require('node:child_process');
const { told, watch } = require('./events');

watch('trap', exec('trap "" TERM; echo ready; while :; do sleep 0.01; done', { timeout: 2000, killSignal: 'SIGKILL' }, told('trap')), ['out', 'err']);
