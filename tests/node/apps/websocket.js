// SPDX-License-Identifier: Apache-2.0
// The package ws against the example's /echo: one line of JSON with the outcome of each scenario,
// then one with the code that a connection which stays open is closed with.
'use strict';
const WebSocket = require('ws');
const url = process.argv[2];
const large = Buffer.alloc(16 << 20, 'pronghorn ');

// What comes until the connection closes; `talk` is called when it is open, `hear` with each message.
function scenario(talk, hear, protocols = []) {
  return new Promise((resolve) => {
    const ws = new WebSocket(url, protocols, {maxPayload: 32 << 20, perMessageDeflate: true});
    const told = {messages: [], pongs: []};
    ws.on('open', () => talk(ws));
    ws.on('message', (data, isBinary) => {
      told.messages.push(data.length > 100 ? data.equals(large) : (isBinary ? 'b:' : 't:') + data);
      if (hear) hear(ws, told);
    });
    ws.on('pong', (data) => told.pongs.push(String(data)));
    ws.on('error', (error) => { told.error = error.message; });
    ws.on('close', (code, reason) => resolve({...told, code, reason: String(reason), protocol: ws.protocol}));
  });
}

const close = (ws) => ws.close(4001, 'bye');
const scenarios = {
  messages: [(ws) => { ws.send('hello'); ws.send(Buffer.from('bytes')); ws.send(''); },
             (ws, told) => told.messages.length === 3 && close(ws)],
  fragments: [(ws) => { ws.send('a', {fin: false}); ws.ping('p'); ws.send('b', {fin: false}); ws.send('c'); }, close],
  large: [(ws) => ws.send(large), close],
  'large fragments': [(ws) => { ws.send(large.subarray(0, 9 << 20), {fin: false}); ws.send(large.subarray(9 << 20)); }, close],
  'too large': [(ws) => ws.send(Buffer.alloc((16 << 20) + 1))],
  'not UTF-8': [(ws) => ws.send(Buffer.from([0x61, 0xff]), {binary: false})],
  'without a mask': [(ws) => ws.send('hello', {mask: false})],
  'close without a code': [(ws) => ws.close()],
  'close by us': [close],
  protocol: [close, null, ['other', 'echo']],
};

(async () => {
  const outcome = {};
  for (const [name, parts] of Object.entries(scenarios)) outcome[name] = await scenario(...parts);
  console.log(JSON.stringify(outcome));
  const last = await scenario(() => console.log('open'));
  console.log(JSON.stringify(last));
})();
