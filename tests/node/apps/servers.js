// SPDX-License-Identifier: Apache-2.0
// One server of each kind, on ports of the primary's choice; nothing here knows of any cluster. When all listen, their
// ports are written to FOLDER/ports-PID.
'use strict';
const dgram = require('dgram');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');

const { FOLDER } = process.env;
const name = `${process.pid} ${process.version}`;
const answer = (request, response) => {
  if (request.url === '/slow') return setTimeout(() => response.end(`slow ${name}`), 500);
  response.end(name);
};
const tls = { key: fs.readFileSync(path.join(FOLDER, 'key.pem')), cert: fs.readFileSync(path.join(FOLDER, 'cert.pem')) };
const udp = dgram.createSocket('udp4');
udp.on('message', (message, from) => udp.send(`${message} ${name}`, from.port, from.address));

const servers = {
  http: http.createServer(answer),
  https: https.createServer(tls, answer),
  net: net.createServer((socket) => socket.end(`net ${name}`)),
  udp,
};
let left = Object.keys(servers).length;
const listening = () => {
  if (--left > 0) return;
  const ports = Object.fromEntries(Object.entries(servers).map(([kind, server]) => [kind, server.address().port]));
  const file = path.join(FOLDER, `ports-${process.pid}`);
  fs.writeFileSync(file + '.part', JSON.stringify(ports));
  fs.renameSync(file + '.part', file);
};
for (const server of [servers.http, servers.https, servers.net]) server.listen(0, '127.0.0.1', listening);
udp.bind(0, '127.0.0.1', listening);
