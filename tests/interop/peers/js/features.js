'use strict';
// weir.interop.Features: what the server sees of a call, how handlers end, draining.

const grpc = require('@grpc/grpc-js');

const CANCEL_PATIENCE_MS = 2000;

function toMetadata(pairs = []) {
  const metadata = new grpc.Metadata();
  for (const {key, value = Buffer.alloc(0)} of pairs) metadata.add(key, key.endsWith('-bin') ? value : value.toString());
  return metadata;
}

class Features {
  constructor() {
    this.calls = new Map();
  }

  // What is known of a call, from now on.
  begin(id) {
    if (!this.calls.has(id)) this.calls.set(id, {known: true, running: true, cancelled: false, sent: 0});
    return this.calls.get(id);
  }

  inspect(call, callback) {
    const {code = 0, message = '', initial, trailing} = call.request;
    call.sendMetadata(toMetadata(initial));
    const trailer = toMetadata(trailing);
    if (code !== 0) return callback({code, details: message, metadata: trailer});
    const metadata = [];
    for (const [key, values] of Object.entries(call.metadata.toJSON())) {
      if (!key.startsWith('x-')) continue;
      for (const value of values) metadata.push({key, value: Buffer.from(value)});
    }
    const deadline = call.getDeadline();
    const remaining_ms = deadline === Infinity ? -1 : Math.round(deadline - Date.now());
    callback(null, {metadata, remaining_ms}, trailer);
  }

  hold(call) {
    let seen = null;
    let last = false;
    const end = cancelled => {
      if (seen !== null) Object.assign(seen, {running: false, cancelled});
      seen = null;
    };
    call.on('data', note => {
      seen = this.begin(note.call_id);
      last = note.last;
      const {sent} = seen;
      call.pause();  // until the echo is taken: a client that does not read must not be read from
      call.write(note, () => {
        this.calls.get(note.call_id).sent = sent + 1;
        call.resume();
      });
    });
    call.on('cancelled', () => end(true));
    call.on('end', () => {
      // The requests of a cancelled call may end before the call does.
      setTimeout(() => {
        end(false);
        call.end();
      }, last ? 0 : CANCEL_PATIENCE_MS);
    });
  }

  async flood(call) {
    const {call_id, count = 0, size_bytes = 0} = call.request;
    const seen = this.begin(call_id);
    const cancelled = new Promise(resolve => call.on('cancelled', resolve));
    const blob = {body: Buffer.alloc(size_bytes)};
    for (let i = 0; i < count && !call.cancelled; ++i) {
      await Promise.race([cancelled, new Promise(resolve => call.write(blob, resolve))]);
      ++seen.sent;
    }
    Object.assign(seen, {running: false, cancelled: call.cancelled});
    call.end();
  }

  handlers() {
    return {
      Inspect: (call, callback) => this.inspect(call, callback),
      Hold: call => this.hold(call),
      Flood: call => this.flood(call),
      Observe: (call, callback) => callback(null, this.calls.get(call.request.call_id) || {}),
      Drain: (call, callback) => {
        process.kill(process.pid, 'SIGTERM');
        callback(null, {});
      },
    };
  }
}

module.exports = {Features, toMetadata};
