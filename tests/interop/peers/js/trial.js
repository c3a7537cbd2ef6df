'use strict';
// One channel to the server with its stubs, calls as promises, and checks that throw what was expected and what came.

const assert = require('assert');
const grpc = require('@grpc/grpc-js');
const {isDeepStrictEqual} = require('util');
const {TestService, UnimplementedService, OpenRcaService, Features} = require('./protos');

function zeros(bytes) {
  return {body: Buffer.alloc(bytes)};
}

function largeRequest() {
  return {response_size: 314159, payload: zeros(271828)};
}

function fail(text) {
  throw new assert.AssertionError({message: text});
}

function expectEqual(what, expected, got) {
  if (!isDeepStrictEqual(expected, got)) {
    fail(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
  }
}

function expectStatus(what, code, status) {
  if (status.code !== code) fail(`${what}: expected code ${code}, got ${status.code} ${JSON.stringify(status.details)}`);
}

function expectLarge(outcome) {
  expectStatus('UnaryCall', grpc.status.OK, outcome.status);
  expectEqual('UnaryCall response size', 314159, outcome.response.payload.body.length);
}

class Trial {
  constructor(flags, channelOptions = {}) {
    this.flags = flags;
    const address = `${flags.server_host}:${flags.server_port}`;
    const credentials = grpc.credentials.createInsecure();
    const options = {...channelOptions, 'grpc.use_local_subchannel_pool': 1};
    this.test = new TestService(address, credentials, options);
    // One channel for all stubs of a trial.
    const shared = {...options, channelOverride: this.test.getChannel()};
    this.unimplemented = new UnimplementedService(address, credentials, shared);
    this.features = new Features(address, credentials, shared);
    this.orca = new OpenRcaService(address, credentials, shared);
  }

  close() {
    this.test.close();
  }

  // --additional_metadata and these pairs.
  metadata(pairs = {}) {
    const metadata = new grpc.Metadata();
    for (const entry of this.flags.additional_metadata.split(';').filter(Boolean)) {
      const colon = entry.indexOf(':');
      metadata.add(entry.slice(0, colon), entry.slice(colon + 1));
    }
    for (const [key, value] of Object.entries(pairs)) metadata.add(key, value);
    return metadata;
  }

  // {response, initial, status} of a unary call of `stub`; status has the trailing metadata.
  unary(stub, method, request, {metadata = this.metadata(), ...options} = {}) {
    return new Promise(resolve => {
      const outcome = {};
      const call = stub[method](request, metadata, options, (_error, response) => outcome.response = response);
      call.on('metadata', initial => outcome.initial = initial);
      call.on('status', status => resolve({...outcome, status}));
    });
  }

  unaryCall(request, options) {
    return this.unary(this.test, 'UnaryCall', request, options);
  }
}

// A call with a stream of responses, which are awaited one by one.
class Responses {
  constructor(call) {
    this.call = call;
    this.iterator = call[Symbol.asyncIterator]();
    this.status = new Promise(resolve => call.on('status', resolve));
    call.on('metadata', initial => this.initial = initial);
    call.on('error', () => {});  // the status says it
  }

  // The next response, or null at the end of the call, however it ended.
  async read() {
    try {
      const {value, done} = await this.iterator.next();
      return done ? null : value;
    } catch (error) {
      return null;
    }
  }

  async expectSize(bytes) {
    const response = await this.read();
    if (response === null) fail(`expected a response of ${bytes} bytes, got ${JSON.stringify(await this.status)}`);
    expectEqual('response size', bytes, response.payload ? response.payload.body.length : 0);
  }

  // No other response; the status of the call.
  async end() {
    expectEqual('response after the last', null, await this.read());
    return this.status;
  }
}

module.exports = {Responses, Trial, expectEqual, expectLarge, expectStatus, fail, largeRequest, zeros};
