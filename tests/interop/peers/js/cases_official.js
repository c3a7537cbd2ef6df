'use strict';
// The official cases. Names and checks as in cases/official_*.cc.

const grpc = require('@grpc/grpc-js');
const {Responses, expectEqual, expectLarge, expectStatus, largeRequest, zeros} = require('./trial');

const {OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED} = grpc.status;
const REQUEST_BYTES = [27182, 8, 1828, 45904];
const RESPONSE_BYTES = [31415, 9, 2653, 58979];
const ECHO_INITIAL = 'x-grpc-test-echo-initial';
const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';

function exchange(requestBytes, responseBytes) {
  return {response_parameters: [{size: responseBytes}], payload: zeros(requestBytes)};
}

async function empty_unary(trial) {
  const {response, status} = await trial.unary(trial.test, 'EmptyCall', {});
  expectStatus('EmptyCall', OK, status);
  expectEqual('EmptyCall reply', {}, {...response});
}

async function cacheable_unary(trial) {
  const metadata = trial.metadata({'x-user-ip': '1.2.3.4'});
  const request = {payload: {body: Buffer.from('1234567890')}};
  const {response, initial, status} = await trial.unary(trial.test, 'CacheableUnaryCall', request, {metadata});
  expectStatus('CacheableUnaryCall', OK, status);
  expectEqual('the response has a payload', true, response.payload.body.length > 0);
  expectEqual('cache-control', ['max-age=60, public'], initial.get('cache-control'));
}

async function large_unary(trial) {
  expectLarge(await trial.unaryCall(largeRequest()));
}

async function client_streaming(trial) {
  const outcome = await new Promise(resolve => {
    let reply;
    const call = trial.test.StreamingInputCall(trial.metadata(), (_error, response) => reply = response);
    call.on('status', status => resolve({status, reply}));
    for (const bytes of REQUEST_BYTES) call.write({payload: zeros(bytes)});
    call.end();
  });
  expectStatus('StreamingInputCall', OK, outcome.status);
  expectEqual('aggregated payload size', 74922, outcome.reply.aggregated_payload_size);
}

async function server_streaming(trial) {
  const request = {response_parameters: RESPONSE_BYTES.map(size => ({size}))};
  const responses = new Responses(trial.test.StreamingOutputCall(request, trial.metadata()));
  for (const bytes of RESPONSE_BYTES) await responses.expectSize(bytes);
  expectStatus('StreamingOutputCall', OK, await responses.end());
}

async function ping_pong(trial) {
  const call = trial.test.FullDuplexCall(trial.metadata());
  const responses = new Responses(call);
  for (let i = 0; i < REQUEST_BYTES.length; ++i) {
    call.write(exchange(REQUEST_BYTES[i], RESPONSE_BYTES[i]));
    await responses.expectSize(RESPONSE_BYTES[i]);
  }
  call.end();
  expectStatus('FullDuplexCall', OK, await responses.end());
}

async function empty_stream(trial) {
  const call = trial.test.FullDuplexCall(trial.metadata());
  const responses = new Responses(call);
  call.end();
  expectStatus('FullDuplexCall', OK, await responses.end());
}

function expectEcho(what, initial, trailing) {
  expectEqual(`${what} initial metadata`, ['test_initial_metadata_value'], initial.get(ECHO_INITIAL));
  expectEqual(`${what} trailing metadata`, [Buffer.from('ababab', 'hex')], trailing.get(ECHO_TRAILING));
}

async function custom_metadata(trial) {
  const metadata = trial.metadata(
      {[ECHO_INITIAL]: 'test_initial_metadata_value', [ECHO_TRAILING]: Buffer.from('ababab', 'hex')});
  const unary = await trial.unaryCall(largeRequest(), {metadata});
  expectLarge(unary);
  expectEcho('UnaryCall', unary.initial, unary.status.metadata);

  const call = trial.test.FullDuplexCall(metadata);
  const responses = new Responses(call);
  call.write(exchange(271828, 314159));
  await responses.expectSize(314159);
  call.end();
  const status = await responses.end();
  expectStatus('FullDuplexCall', OK, status);
  expectEcho('FullDuplexCall', responses.initial, status.metadata);
}

function expectUnknown(what, message, status) {
  expectStatus(what, UNKNOWN, status);
  expectEqual(`${what} status message`, message, status.details);
}

async function status_code_and_message(trial) {
  const message = 'test status message';
  const response_status = {code: UNKNOWN, message};
  expectUnknown('UnaryCall', message, (await trial.unaryCall({response_status})).status);

  const call = trial.test.FullDuplexCall(trial.metadata());
  const responses = new Responses(call);
  call.write({response_status});
  call.end();
  expectUnknown('FullDuplexCall', message, await responses.end());
}

async function special_status_message(trial) {
  const message = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n';
  expectUnknown('UnaryCall', message, (await trial.unaryCall({response_status: {code: UNKNOWN, message}})).status);
}

async function unimplemented_method(trial) {
  const {status} = await trial.unary(trial.test, 'UnimplementedCall', {});
  expectStatus('TestService/UnimplementedCall', UNIMPLEMENTED, status);
}

async function unimplemented_service(trial) {
  const {status} = await trial.unary(trial.unimplemented, 'UnimplementedCall', {});
  expectStatus('UnimplementedService/UnimplementedCall', UNIMPLEMENTED, status);
}

async function cancel_after_begin(trial) {
  const call = trial.test.StreamingInputCall(trial.metadata(), () => {});
  const status = new Promise(resolve => call.on('status', resolve));
  call.cancel();
  expectStatus('StreamingInputCall', CANCELLED, await status);
}

async function cancel_after_first_response(trial) {
  const call = trial.test.FullDuplexCall(trial.metadata());
  const responses = new Responses(call);
  call.write(exchange(27182, 31415));
  await responses.expectSize(31415);
  call.cancel();
  expectStatus('FullDuplexCall', CANCELLED, await responses.end());
}

async function timeout_on_sleeping_server(trial) {
  const call = trial.test.FullDuplexCall(trial.metadata(), {deadline: Date.now() + 1});
  const responses = new Responses(call);
  call.write({payload: zeros(27182)});
  expectStatus('FullDuplexCall', DEADLINE_EXCEEDED, await responses.end());
}

async function pick_first_unary(trial) {
  const ids = new Set();
  for (let i = 0; i < 20; ++i) {
    const {response, status} = await trial.unaryCall({response_size: 1, payload: zeros(1), fill_server_id: true});
    expectStatus('UnaryCall', OK, status);
    ids.add(response.server_id);
  }
  expectEqual('number of server ids', 1, ids.size);
  expectEqual('a server id is empty', false, ids.has(''));
}

async function concurrent_large_unary(trial) {
  const calls = [];
  for (let i = 0; i < trial.flags.streams; ++i) calls.push(trial.unaryCall(largeRequest()));
  for (const call of calls) expectLarge(await call);
}

async function very_large_request(trial) {
  expectLarge(await trial.unaryCall({...largeRequest(), payload: zeros(4000000)}));
}

module.exports = [
  empty_unary, cacheable_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream,
  custom_metadata, status_code_and_message, special_status_message, unimplemented_method, unimplemented_service,
  cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server, pick_first_unary,
  concurrent_large_unary, very_large_request,
];
