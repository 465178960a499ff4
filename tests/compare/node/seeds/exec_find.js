// SPDX-License-Identifier: Apache-2.0
'use strict';
require('node:child_process').exec('find . -type f | wc -l', (error, out) => {
  if (error) return console.error('exec error: ' + error);
  console.log('Number of files ' + out);
});
