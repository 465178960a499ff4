// SPDX-License-Identifier: Apache-2.0
'use strict';
let count = 0;
process.on('message', (message) => console.log('Message from parent:', message));
setInterval(() => process.send({ counter: count++ }), 1000);
process.on('disconnect', () => process.exit());
