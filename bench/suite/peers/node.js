// SPDX-License-Identifier: Apache-2.0
// node.js ROOT WORKERS: the Node peers of bench/run; 0 workers is no cluster. Prints its port when all listen.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const root = process.argv[2];
const workers = Number(process.argv[3]);
const hello = Buffer.from('Hello, World!');

function file(name, answer) {
  fs.stat(name, (error, stat) => {
    if (error) return answer.writeHead(404).end();
    answer.writeHead(200, {'Content-Type': 'text/plain', 'Content-Length': stat.size});
    fs.createReadStream(name).pipe(answer);
  });
}

function answer(request, response) {
  if (request.url === '/' || request.url.startsWith('/?')) {
    response.writeHead(200, {'Content-Type': 'text/plain', 'Content-Length': hello.length});
    response.end(hello);
  } else if (request.url === '/json') {
    const text = JSON.stringify({message: 'Hello, World!'});
    response.writeHead(200, {'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text)});
    response.end(text);
  } else if (request.url === '/echo') {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      response.writeHead(200, {'Content-Type': 'application/octet-stream', 'Content-Length': body.length});
      response.end(body);
    });
  } else {
    file(path.join(root, path.basename(request.url)), response);
  }
}

if (workers > 0 && cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (_, address) => {
    if (++listening === workers) console.log(address.port);
  });
  for (let i = 0; i < workers; ++i) cluster.fork();
} else {
  const server = http.createServer(answer);
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = server.headersTimeout = 0;
  server.listen({port: 0, host: '127.0.0.1', backlog: 4096}, () => {
    if (workers === 0) console.log(server.address().port);
  });
}
