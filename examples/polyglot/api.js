// SPDX-License-Identifier: Apache-2.0
// A plain Node program: it knows nothing of the server that runs it. node api.js PORT
const http = require('node:http');

http
  .createServer((request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(request.url === '/hello' ? 'hello from Node\n' : `${request.method} ${request.url} in Node\n`);
  })
  .listen(Number(process.argv[2] ?? 3000), '127.0.0.1');
