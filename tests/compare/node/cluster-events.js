// SPDX-License-Identifier: Apache-2.0
// What a cluster tells, one line of JSON an event; the C++ side of this file is cluster_stage.h.
'use strict';
const cluster = require('node:cluster');
const { say } = require('./events');

// A worker as its primary sees it at this moment.
const now = (worker) => ({
  connected: worker.isConnected(), dead: worker.isDead(), left: Boolean(worker.exitedAfterDisconnect),
  state: worker.state ?? 'none', member: worker.id in cluster.workers,
});
const place = ({ address, port, addressType }) => ({ address, port: port > 0, type: addressType });
// A number is a port, which is another one each time.
const shown = (message) => ({ message: typeof message === 'number' ? 'number' : message });
const name = (worker) => 'w' + worker.id;

// Both levels of all events; the cluster's have words of their own.
function watch() {
  cluster.on('setup', (settings) => say('cluster', 'setup', { silent: settings.silent, args: settings.args.slice(1) }));
  cluster.on('fork', (w) => say(name(w), 'fork', now(w)));
  cluster.on('online', (w) => say(name(w), 'cluster-online', now(w)));
  cluster.on('listening', (w, address) => say(name(w), 'cluster-listening', place(address)));
  cluster.on('message', (w, message) => say(name(w), 'cluster-message', shown(message)));
  cluster.on('disconnect', (w) => say(name(w), 'cluster-disconnect', now(w)));
  cluster.on('exit', (w, code, signal) => say(name(w), 'cluster-exit', { code, signal: signal ?? '', ...now(w) }));
}

function fork(env) {
  const worker = cluster.fork(env);
  worker.on('online', () => say(name(worker), 'online', now(worker)));
  worker.on('listening', (address) => say(name(worker), 'listening', place(address)));
  worker.on('message', (message) => say(name(worker), 'message', shown(message)));
  worker.on('disconnect', () => say(name(worker), 'disconnect', now(worker)));
  worker.on('exit', (code, signal) => say(name(worker), 'exit', { code, signal: signal ?? '' }));
  return worker;
}

// What a worker says of itself.
const own = (event, fields) => say(name(cluster.worker), event, fields);

// A server of a worker that answers with its worker's number.
function serve(where, told = () => {}) {
  const server = require('node:http').createServer((request, response) => response.end(String(cluster.worker.id)));
  server.on('error', (error) => own('server-error', { code: error.code }));
  server.listen(where, () => told(server));
  return server;
}

module.exports = { watch, fork, own, serve, now };
