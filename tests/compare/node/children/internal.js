// SPDX-License-Identifier: Apache-2.0
'use strict';
for (const cmd of ['NODE_', 'node_x', 'NODE', 'NODE_x', 'xNODE_x', 5, '']) process.send({ cmd });
process.send(['NODE_x']);
process.send('NODE_x');
process.send({ inner: { cmd: 'NODE_x' } });
