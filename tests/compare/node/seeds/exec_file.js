// SPDX-License-Identifier: Apache-2.0
'use strict';
const { execFile } = require('node:child_process');

require('node:util').promisify(execFile)('node', ['--version']).then(({ stdout }) => console.log(stdout));
