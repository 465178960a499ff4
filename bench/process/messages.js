// SPDX-License-Identifier: Apache-2.0
// The same as messages.cpp, in Node. usage: node messages.js COUNT SIZE|fd
const { fork } = require('child_process');
const net = require('net');
let count = Number(process.argv[2]);
const handles = process.argv[3] === 'fd';
if (process.send) {
  process.on('message', (m, handle) => {
    if (handle) handle.close ? handle.close() : handle.destroy();
    if (--count === 0) process.send('done');
  });
} else {
  const message = { n: 1, text: 'x'.repeat(handles ? 1 : Number(process.argv[3])) };
  const child = fork(__filename, process.argv.slice(2));
  const total = count;
  let sent = 0;
  const begin = process.hrtime.bigint();
  const usage = process.cpuUsage();
  const server = net.createServer();
  function more() {
    for (let go = true; sent < total && go;) {
      ++sent;
      if (handles) {
        go = false;
        child.send(message, server, more);
      } else if (sent % 100 === 0) {
        go = false;
        child.send(message, more);
      } else {
        child.send(message);
      }
    }
  }
  child.on('message', () => { child.disconnect(); server.close(); });
  child.on('exit', () => {
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    console.log(`${Math.round(total / seconds)} a second, CPU us each: sender ` +
      `${(process.cpuUsage(usage).user + process.cpuUsage(usage).system) / total}`);
  });
  if (handles) server.listen(0, '127.0.0.1', more); else more();
}
