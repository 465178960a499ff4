// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

const script = 'echo "${HELLO-unset} ${OTHER-unset} ${EMPTY-unset}"';
const sh = (name, options) => watch(name, spawn('/bin/sh', ['-c', script], options));
sh('inherited', {});
sh('replaced', { env: { OTHER: 'there' } });
sh('changed', { env: { ...process.env, HELLO: 'changed', EMPTY: '' } });
sh('undefined', { env: { HELLO: undefined, OTHER: 'there' } });
sh('none', { env: {} });
watch('path', spawn('sh', ['-c', 'true'], { env: { PATH: '/nonexistent' } }));
