// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const { children, say, watch } = require('./events');

const child = watch('child', fork(children + '/internal.js'));
child.on('internalMessage', (message) => say('child', 'internal', { message }));
