// SPDX-License-Identifier: Apache-2.0
'use strict';
process.on('message', (message) => {
  if (message === 'bye') process.disconnect();
  else process.send(message);
});
