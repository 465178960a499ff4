// SPDX-License-Identifier: Apache-2.0
// Sends before anybody listens there, and listens after a message has come here.
'use strict';
process.send('one');
process.send('two', () => {
  console.log('sent');
  setImmediate(() => process.on('message', (message) => {
    if (message === 'bye') process.disconnect();
    else process.send(message);
  }));
});
