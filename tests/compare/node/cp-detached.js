// SPDX-License-Identifier: Apache-2.0
'use strict';
const { spawn } = require('node:child_process');
const { watch } = require('./events');

const script = 'set -- $(cat /proc/$$/stat); [ $1 = $5 ] && echo group; [ $1 = $6 ] && echo session; true';
watch('leader', spawn('sh', ['-c', script], { detached: true }));
watch('member', spawn('sh', ['-c', script]));

// Nothing of it keeps us here; it says that it lives once we are gone (the end of its standard input).
const last = 'cat > ended; echo "{\\"child\\":\\"survivor\\",\\"event\\":\\"survived\\"}"';
const survivor = spawn('sh', ['-c', last], { detached: true, stdio: ['pipe', 'inherit', 'inherit'] });
survivor.unref();
survivor.stdin.unref();
