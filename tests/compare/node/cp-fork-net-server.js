// SPDX-License-Identifier: Apache-2.0
'use strict';
const { fork } = require('node:child_process');
const net = require('node:net');
const { children, fact, say, watch } = require('./events');

const child = watch('child', fork(children + '/server.js'), ['channel']);
const server = net.createServer((socket) => socket.end('parent'));
let fromChild = false;
server.listen(0, '127.0.0.1', () => {
  child.send('server', server, (error) => say('child', 'sent', { code: error ? error.code : '' }));
});

function ask(told) {
  let answer = '';
  net.connect(server.address().port, '127.0.0.1').on('data', (bytes) => { answer += bytes; }).on('close', () => told(answer));
}
// Both accept on one socket: whoever is quicker. First until the child was, then, without it, the parent.
function askUntilChild() {
  ask((answer) => {
    if (answer !== 'child') return askUntilChild();
    fact('child', 'accepts', answer);
    child.send('close');
  });
}
child.on('message', (message) => {
  say('child', 'message', { message });
  if (message === 'listening') askUntilChild();
  if (message === 'closed') ask((answer) => { fact('parent', 'accepts', answer); server.close(); child.disconnect(); });
});
child.on('disconnect', () => say('child', 'disconnect', { connected: child.connected }));
