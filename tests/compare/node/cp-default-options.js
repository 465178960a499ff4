// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

process.env.LATER = 'set';
watch('empty', spawn('sh', ['-c', 'echo $HELLO $LATER'], {}));
watch('left-out', spawn('sh', ['-c', 'echo $HELLO $LATER']));
