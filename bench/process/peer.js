// SPDX-License-Identifier: Apache-2.0
// Node's side of bench/process/run: what peer.cpp does, with child_process. One JSON line at the end.
//   node peer.js spawn N inherit|pipe | messages N BYTES | pingpong N BYTES | handles N
'use strict';
const { fork, spawn } = require('child_process');
const net = require('net');

const [what, count, detail = ''] = process.argv.slice(2);
const n = Number(count);
let began;

function report() {
  console.log(JSON.stringify({ n, wall_us: Number(process.hrtime.bigint() - began) / 1000 }));
}

// A message whose JSON text has exactly this many bytes.
function message(bytes) {
  const rest = JSON.stringify({ id: 123456, body: '' }).length;
  return { id: 123456, body: 'x'.repeat(bytes - rest) };
}

function spawnAll() {
  let left = n;
  const next = () => {
    if (left-- === 0) return report();
    const child = spawn('/bin/true', [], { stdio: detail });
    child.on('error', (e) => { throw e; });
    child.on('close', (code) => {
      if (code !== 0) throw new Error(`exit ${code}`);
      next();
    });
  };
  next();
}

// Sends n times; after a false from send() it waits until all of it has left.
function pump(send) {
  let left = n;
  let unsent = 0;
  let waiting = false;
  const sent = () => {
    if (--unsent > 0 || !waiting) return;
    waiting = false;
    more();
  };
  const more = () => {
    while (left > 0 && !waiting) {
      left--;
      unsent++;
      waiting = !send(sent);
    }
  };
  more();
}

function parent() {
  const child = fork(__filename, [what, count, detail], { env: { ...process.env, PEER: '1' } });
  const m = message(what === 'handles' ? 100 : Number(detail));
  let pings = n;
  let end = () => {};
  const start = {
    messages: () => pump((sent) => child.send(m, sent)),
    pingpong: () => child.send(m),
    handles: () => {
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        const socket = net.connect(server.address().port, '127.0.0.1', () => {
          end = () => { socket.destroy(); server.close(); };
          pump((sent) => child.send('handle', socket, { keepOpen: true }, sent));
        });
        server.once('connection', (other) => other.unref());
      });
    },
  };
  child.on('message', (got) => {
    if (got.ready) {
      began = process.hrtime.bigint();
      start[what]();
    } else if (got.done !== undefined) {
      report();
      if (got.done !== n) throw new Error(`the child counted ${got.done}`);
      child.disconnect();
      end();
    } else if (--pings > 0) {
      child.send(m);
    }
  });
}

function child() {
  let got = 0;
  process.on('message', (m, handle) => {
    got++;
    if (what === 'messages' && m.body.length === 0) throw new Error('a message without its body');
    if (what === 'handles') handle.destroy();
    if (got === n) process.send({ done: got });
    else if (what === 'pingpong') process.send(m);
  });
  process.send({ ready: true });
}

if (process.env.PEER) {
  child();
} else if (what === 'spawn') {
  began = process.hrtime.bigint();
  spawnAll();
} else {
  parent();
}
