// SPDX-License-Identifier: Apache-2.0
'use strict';
process.on('message', (message, server) => {
  if (message === 'server') {
    global.server = server;
    server.on('connection', (socket) => socket.end('child'));
    process.send('listening');
  } else {
    global.server.close(() => process.send('closed'));
  }
});
