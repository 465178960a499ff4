// SPDX-License-Identifier: Apache-2.0
'use strict';
process.on('disconnect', () => {
  console.log('disconnected ' + process.connected);
  if (process.argv[2] === 'leave') process.stdin.on('end', () => console.log('still here')).resume();
});
if (process.argv[2] === 'leave') {
  process.send('leaving');
  process.disconnect();
  console.log('returned ' + process.connected);
} else {
  process.send('waiting');
}
