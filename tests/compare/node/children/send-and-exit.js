// SPDX-License-Identifier: Apache-2.0
'use strict';
process.send('one');
process.send('two', () => process.exit(Number(process.argv[2])));
