// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { say, watch } = require('./events');

watch('good', spawn('true'));
say('good', 'returned');
watch('bad', spawn('/nonexistent/program'));
say('bad', 'returned');
