'use strict';
// The cases of group "features". Names and checks as in cases/feature_*.cc.

const grpc = require('@grpc/grpc-js');
const {randomUUID} = require('crypto');
const {toMetadata} = require('./features');
const {TestService} = require('./protos');
const {Responses, Trial, expectEqual, expectLarge, expectStatus, fail, largeRequest, zeros} = require('./trial');

const {OK, CANCELLED, DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, UNAVAILABLE} =
    grpc.status;
const LIMIT_BYTES = 4 * 1024 * 1024;
const RESPONSE_BYTES = [31415, 9, 2653, 58979];

function sleep(ms) {
  return new Promise(resolve => setTimeout(resolve, ms));
}

function inspect(trial, request, options) {
  return trial.unary(trial.features, 'Inspect', request, options);
}

async function half_duplex(trial) {
  const call = trial.test.HalfDuplexCall(trial.metadata());
  const responses = new Responses(call);
  for (const size of RESPONSE_BYTES) call.write({response_parameters: [{size}]});
  call.end();
  for (const size of RESPONSE_BYTES) await responses.expectSize(size);
  expectStatus('HalfDuplexCall', OK, await responses.end());
}

async function deadline_seen_by_server(trial) {
  const {response, status} = await inspect(trial, {}, {deadline: Date.now() + 20000});
  expectStatus('Inspect with a deadline', OK, status);
  const left = response.remaining_ms;
  if (left <= 15000 || left > 20100) fail(`time left at the server: expected 15000 to 20100 ms, got ${left}`);
  const without = await inspect(trial, {});
  expectStatus('Inspect without a deadline', OK, without.status);
  expectEqual('time left at the server', -1, without.response.remaining_ms);
}

// A Hold, whose notes are awaited.
class Hold {
  constructor(trial, options = {}) {
    this.id = randomUUID();
    this.call = trial.features.Hold(trial.metadata(), options);
    this.notes = new Responses(this.call);
  }

  async exchange(body, last = false) {
    this.call.write({call_id: this.id, body: Buffer.from(body), last});
    const echo = await this.notes.read();
    if (echo === null) fail(`expected an echo of "${body}", got ${JSON.stringify(await this.notes.status)}`);
    expectEqual('echo', body, (echo.body || '').toString());
  }

  async end() {
    await this.exchange('bye', true);
    this.call.end();
    expectStatus('Hold', OK, await this.notes.end());
  }
}

// Asks until `holds`, or for ten seconds.
async function observe(trial, call_id, holds) {
  const giveUp = Date.now() + 10000;
  for (;;) {
    const {response, status} = await trial.unary(trial.features, 'Observe', {call_id});
    expectStatus('Observe', OK, status);
    const seen = {known: false, running: false, cancelled: false, sent: 0, ...response};
    if (holds(seen) || Date.now() > giveUp) return seen;
    await sleep(10);
  }
}

// `cancel` or a deadline ends the call: both sides see it.
async function expectCancelled(trial, hold, cancel, code) {
  await hold.exchange('hello');
  cancel();
  expectStatus('Hold', code, await hold.notes.end());
  const seen = await observe(trial, hold.id, ({known, running}) => known && !running);
  expectEqual('the handler has ended', false, seen.running);
  expectEqual('the handler saw the cancellation', true, seen.cancelled);
}

async function deadline_cancels_handler(trial) {
  await expectCancelled(trial, new Hold(trial, {deadline: Date.now() + 300}), () => {}, DEADLINE_EXCEEDED);
}

async function cancel_seen_by_handler(trial) {
  const hold = new Hold(trial);
  await expectCancelled(trial, hold, () => hold.call.cancel(), CANCELLED);
}

async function expectAskedStatus(trial, code, message) {
  const {status} = await inspect(trial, {code, message});
  expectStatus('Inspect', code, status);
  expectEqual('status message', message, status.details);
}

async function all_status_codes(trial) {
  for (let code = 1; code <= 16; ++code) await expectAskedStatus(trial, code, `this is code ${code}`);
}

async function unicode_status(trial) {
  for (const message of [
    '', '100% sure, %41 is no A, and % neither %zz', 'Grüße aus 東京 \u{1F608} שלום',
    'control \x01\x1f\x7f and \ttab\r\nline', '.'.repeat(3000) + '\u263a',
  ]) {
    await expectAskedStatus(trial, FAILED_PRECONDITION, message);
  }
  // Spaces around the text may be dropped: see UnicodeStatus in cases/feature_calls.cc.
  const {status} = await inspect(trial, {code: ABORTED, message: '  space around  '});
  expectStatus('Inspect', ABORTED, status);
  expectEqual('status message', 'space around', status.details.trim());
}

async function status_while_writing(trial) {
  const call = trial.test.FullDuplexCall(trial.metadata(), {deadline: Date.now() + 20000});
  let status = null;
  const ended = new Promise(resolve => call.on('status', got => resolve(status = got)));
  call.on('error', () => {});
  call.resume();
  call.write({response_status: {code: NOT_FOUND, message: 'stop writing'}});
  let writes = 0;
  for (; status === null && writes < 100000; ++writes) {
    await Promise.race([ended, new Promise(resolve => call.write({payload: zeros(10000)}, resolve))]);
  }
  expectStatus('FullDuplexCall', NOT_FOUND, await ended);
  expectEqual('status message', 'stop writing', status.details);
}

const INTERESTING = [
  ['x-many', 'first'], ['x-many', 'second, with comma'], ['x-many', 'third'],
  ['x-many-bin', Buffer.from(Array.from({length: 256}, (_, i) => i))], ['x-many-bin', Buffer.from([0])],
  ['x-many-bin', Buffer.from([255, 254])], ['x-punctuation', 'a b!"#$%&\'()*+-./:;<=>?@[\\]^_`{|}~'],
  ['x-large', 'm'.repeat(4000)], ['x-empty-bin', Buffer.alloc(0)], ['x-digits_and.dots-1', '1'],
].map(([key, value]) => ({key, value: Buffer.from(value)}));

// node joins the texts that come for one key, as HTTP lets it.
function valuesOf(metadata, key) {
  return key.endsWith('-bin') ? metadata.get(key) : metadata.get(key).join(', ');
}

function expectInteresting(what, got) {
  const expected = toMetadata(INTERESTING);
  for (const key of Object.keys(expected.toJSON())) {
    expectEqual(`${what} ${key}`, valuesOf(expected, key), valuesOf(got, key));
  }
}

async function metadata_to_server(trial) {
  const {response, status} = await inspect(trial, {}, {metadata: toMetadata(INTERESTING)});
  expectStatus('Inspect', OK, status);
  expectInteresting('metadata at the server', toMetadata(response.metadata));
}

async function metadata_to_client(trial) {
  const {initial, status} = await inspect(trial, {initial: INTERESTING, trailing: INTERESTING});
  expectStatus('Inspect', OK, status);
  expectInteresting('initial metadata at the client', initial);
  expectInteresting('trailing metadata at the client', status.metadata);
}

async function metadata_with_error(trial) {
  const {status} = await inspect(trial, {code: ABORTED, message: 'with metadata', trailing: INTERESTING});
  expectStatus('Inspect', ABORTED, status);
  expectEqual('status message', 'with metadata', status.details);
  expectInteresting('trailing metadata at the client', status.metadata);
}

// Bytes of payload with which `message` (of this payload) has exactly `bytes`.
function bodyBytes(bytes, message) {
  let body = bytes;
  while (message(zeros(body)).length > bytes) --body;
  return body;
}

function requestOf(bytes) {
  const {requestSerialize} = TestService.service.UnaryCall;
  return {payload: zeros(bodyBytes(bytes, payload => requestSerialize({payload})))};
}

function askFor(bytes) {
  const {responseSerialize} = TestService.service.UnaryCall;
  return {response_size: bodyBytes(bytes, payload => responseSerialize({payload}))};
}

async function message_at_limit(trial) {
  expectStatus('UnaryCall with a request of 4 MiB', OK, (await trial.unaryCall(requestOf(LIMIT_BYTES))).status);
  const request = askFor(LIMIT_BYTES);
  const {response, status} = await trial.unaryCall(request);
  expectStatus('UnaryCall with a response of 4 MiB', OK, status);
  expectEqual('response size', request.response_size, response.payload.body.length);
}

async function expectTooLarge(trial, request) {
  expectStatus('UnaryCall with 4 MiB + 1', RESOURCE_EXHAUSTED, (await trial.unaryCall(request)).status);
  expectStatus('EmptyCall afterwards', OK, (await trial.unary(trial.test, 'EmptyCall', {})).status);
}

async function request_above_limit(trial) {
  await expectTooLarge(trial, requestOf(LIMIT_BYTES + 1));
}

async function response_above_limit(trial) {
  await expectTooLarge(trial, askFor(LIMIT_BYTES + 1));
}

async function thousand_streams(trial) {
  const holds = Array.from({length: trial.flags.streams}, () => new Hold(trial));
  for (let round = 1; round <= 3; ++round) {
    for (const hold of holds) await hold.exchange(`round ${round}`);
  }
  for (const hold of holds) await hold.end();
}

function flood(trial, call_id, count) {
  const deadline = Date.now() + 60000;
  return new Responses(trial.features.Flood({call_id, count, size_bytes: 65536}, trial.metadata(), {deadline}));
}

async function expectBlobs(blobs, count) {
  for (let i = 0; i < count; ++i) {
    const blob = await blobs.read();
    if (blob === null) fail(`expected ${count} blobs, got ${i}: ${JSON.stringify(await blobs.status)}`);
    expectEqual('blob size', 65536, blob.body.length);
  }
  expectStatus('Flood', OK, await blobs.end());
}

// Asks until the handler has written nothing for a while.
function observeStandstill(trial, id) {
  let sent = -1;
  let since = Date.now();
  return observe(trial, id, seen => {
    if (seen.sent !== sent) [sent, since] = [seen.sent, Date.now()];
    return Date.now() - since > 300;
  });
}

async function slow_reader(trial) {
  const count = 2048;
  const id = randomUUID();
  const blobs = flood(trial, id, count);
  expectEqual('size of the first blob', 65536, (await blobs.read() || {body: ''}).body.length);
  const seen = await observeStandstill(trial, id);
  if (!seen.running || seen.sent >= count / 2) fail(`expected the server to wait, got ${JSON.stringify(seen)}`);
  await expectBlobs(blobs, count - 1);
}

async function unread_calls(trial) {
  const unread = Array.from({length: 20}, () => flood(trial, randomUUID(), 32));
  expectLarge(await trial.unaryCall(largeRequest(), {deadline: Date.now() + 5000}));
  for (const blobs of unread) await expectBlobs(blobs, 32);
}

// The handler cannot write, hence does not read, and the client's writes must wait.
async function push_back_both_ways(trial) {
  const count = 2048;
  const hold = new Hold(trial, {deadline: Date.now() + 60000});
  await hold.exchange('first');
  let written = 0;
  let ended = false;
  hold.notes.status.then(() => ended = true);
  const note = {call_id: hold.id, body: Buffer.alloc(65536)};
  const writing = (async () => {
    for (; written < count && !ended; ++written) {
      await Promise.race([hold.notes.status, new Promise(resolve => hold.call.write(note, resolve))]);
    }
    hold.call.write({call_id: hold.id, last: true});
    hold.call.end();
  })();
  const seen = await observeStandstill(trial, hold.id);
  if (!seen.running || written >= count / 2) fail(`expected the client to wait, got ${written}; ${JSON.stringify(seen)}`);
  let echoes = 0;
  while (await hold.notes.read() !== null) ++echoes;
  await writing;
  expectEqual('echoes', count + 1, echoes);
  expectStatus('Hold', OK, await hold.notes.status);
}

// They fail with UNAVAILABLE once the server drains; how soon is its affair.
async function expectNoNewCalls(what, trial) {
  const giveUp = Date.now() + 5000;
  for (;;) {
    const {status} = await trial.unary(trial.test, 'EmptyCall', {}, {deadline: Date.now() + 5000});
    if (status.code !== OK || Date.now() > giveUp) return expectStatus(what, UNAVAILABLE, status);
    await sleep(5);
  }
}

async function drain_in_flight(trial) {
  const hold = new Hold(trial);
  await hold.exchange('before the drain');
  expectStatus('Drain', OK, (await trial.unary(trial.features, 'Drain', {})).status);
  const fresh = new Trial(trial.flags);
  await expectNoNewCalls('EmptyCall on a new channel while draining', fresh).finally(() => fresh.close());
  await expectNoNewCalls('EmptyCall on the same channel while draining', trial);
  for (let i = 0; i < 3; ++i) await hold.exchange('while draining');
  await hold.end();
}

module.exports = [
  half_duplex, deadline_seen_by_server, deadline_cancels_handler, cancel_seen_by_handler, all_status_codes,
  unicode_status, status_while_writing, metadata_to_server, metadata_to_client, metadata_with_error, message_at_limit,
  request_above_limit, response_above_limit, thousand_streams, slow_reader, unread_calls,
  push_back_both_ways, drain_in_flight,
];
