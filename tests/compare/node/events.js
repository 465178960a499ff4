// SPDX-License-Identifier: Apache-2.0
// What a scenario observes, one line of JSON an event; the C++ side of this file is report.h.
'use strict';
const fs = require('node:fs');
const os = require('node:os');

function say(child, event, fields = {}) {
  fs.writeSync(1, JSON.stringify({ child, event, ...fields }) + '\n');
}

const fact = (child, name, value) => say(child, 'fact', { name, value });

function failure(error) {
  const { code = '', errno = 0, syscall = '', path = '', spawnargs = [] } = error;
  return { code: typeof code === 'string' ? code : '', errno, syscall, path, spawnargs };
}

const end = (code, signal) => ({ code, signal: signal ?? '' });

// All that a child process tells. `quiet` names what is not listened to: 'out', 'err', 'message' …
function watch(name, child, quiet = []) {
  const on = (source, event, listener) => source.on(event, listener);
  on(child, 'spawn', () => say(name, 'spawn'));
  on(child, 'error', (error) => say(name, 'error', failure(error)));
  on(child, 'exit', (code, signal) => say(name, 'exit', end(code, signal)));
  on(child, 'close', (code, signal) => say(name, 'close', end(code, signal)));
  for (const [word, stream] of [['out', child.stdout], ['err', child.stderr]]) {
    if (!stream || quiet.includes(word)) continue;
    on(stream, 'data', (bytes) => say(name, word, { text: bytes.toString('latin1') }));
    on(stream, 'end', () => say(name, word + '-end'));
  }
  if (child.channel && !quiet.includes('channel')) {
    on(child, 'message', (message) => say(name, 'message', { message }));
    on(child, 'disconnect', () => say(name, 'disconnect', { connected: child.connected }));
  }
  return child;
}

// What is refused before anything starts; what is not refused is only named.
function refused(name, start) {
  try {
    const child = start();
    if (child && child.on) child.on('error', () => {});
    say(name, 'accepted');
  } catch (error) {
    say(name, 'refused', failure(error));
  }
}

// The callback of exec and execFile.
function told(name, then = () => {}) {
  return (error, stdout, stderr) => {
    say(name, 'callback', {
      error: error ? (typeof error.code === 'string' ? error.code : 'failed') : '',
      code: error && typeof error.code === 'number' ? error.code : null,
      signal: (error && error.signal) || '',
      killed: Boolean(error && error.killed),
      out: stdout.toString('latin1'), err: stderr.toString('latin1'),
    });
    then(error, stdout, stderr);
  };
}

function synchronous(name, r) {
  say(name, 'sync', {
    code: r.status, signal: r.signal ?? '',
    error: r.error ? failure(r.error) : null,
    out: r.stdout ? r.stdout.toString('latin1') : '', err: r.stderr ? r.stderr.toString('latin1') : '',
  });
}

const children = __dirname + '/children';
module.exports = { say, fact, failure, watch, refused, told, synchronous, children, signals: os.constants.signals };
