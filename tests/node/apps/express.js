// SPDX-License-Identifier: Apache-2.0
// An express application as its users write it; nothing here knows of any cluster.
'use strict';
const express = require('express');

const app = express();
app.use(express.json());
app.use((request, response, next) => {
  response.set('X-Worker', String(process.pid));
  next();
});
app.get('/', (request, response) => response.send('Hello, World!'));
app.get('/users/:id', (request, response) => response.json({ id: Number(request.params.id) }));
app.post('/sum', (request, response) => response.json({ sum: request.body.numbers.reduce((a, b) => a + b, 0) }));
app.use((request, response) => response.status(404).send('nothing here'));
app.listen(Number(process.env.PORT || 0), '127.0.0.1');
