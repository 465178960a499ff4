// SPDX-License-Identifier: Apache-2.0
// The same with fastify.
'use strict';
const fastify = require('fastify')();

fastify.addHook('onSend', async (request, reply) => {
  reply.header('X-Worker', String(process.pid));
});
fastify.get('/', async () => 'Hello, World!');
fastify.get('/users/:id', async (request) => ({ id: Number(request.params.id) }));
fastify.post('/sum', async (request) => ({ sum: request.body.numbers.reduce((a, b) => a + b, 0) }));
fastify.setNotFoundHandler((request, reply) => reply.code(404).send('nothing here'));
fastify.listen({ port: Number(process.env.PORT || 0), host: '127.0.0.1' }).catch((error) => {
  console.error(error);
  process.exit(1);
});
