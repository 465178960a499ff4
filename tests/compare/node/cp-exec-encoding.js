// SPDX-License-Identifier: Apache-2.0
'use strict';
const { exec } = require('node:child_process');
const { fact } = require('./events');

function run(name, command, options) {
  exec(command, options, (error, out, err) => {
    fact(name, 'bytes', [Buffer.from(out).toString('hex'), Buffer.from(err).toString('hex')]);
  });
}
run('utf8', 'printf "gr\\303\\274n"; printf "\\303\\244" >&2', { encoding: 'utf8' });
run('utf8-broken', 'printf "a\\377b\\303"', { encoding: 'utf8' });
run('buffer', 'printf "a\\377b\\303"', { encoding: 'buffer' });
run('default', 'printf "a\\377b"', {});
