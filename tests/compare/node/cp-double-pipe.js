// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

const echo = watch('echo', spawn('printf', ['hello\\nnode\\nand\\nworld\\n']), ['out']);
const grep = watch('grep', spawn('grep', ['o']), ['out']);
const sed = watch('sed', spawn('sed', ['s/o/O/']));
echo.stdout.pipe(grep.stdin);
grep.stdout.pipe(sed.stdin);
