// SPDX-License-Identifier: Apache-2.0
// The application of bench/cluster/run: the same file under `pronghorn run`, Node's own cluster and PM2.
'use strict';
const http = require('http');

http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  response.end(request.url === '/pid' ? String(process.pid) : 'Hello, World!');
}).listen(Number(process.env.PORT || 0), '127.0.0.1');
