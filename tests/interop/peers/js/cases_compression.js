'use strict';
// Compression. Names as in cases/compression.cc; this library does not show the flag of a received message.

const grpc = require('@grpc/grpc-js');
const {Responses, Trial, expectEqual, expectLarge, expectStatus, largeRequest, zeros} = require('./trial');

const NO_COMPRESS = 2;  // gRPC's write flag

// Sends the messages for which `holds` as they are; the channel compresses the others.
function sendPlainIf(holds) {
  class Call extends grpc.InterceptingCall {
    sendMessageWithContext(context, message) {
      super.sendMessageWithContext(holds(message) ? {...context, flags: NO_COMPRESS} : context, message);
    }
  }
  return {interceptors: [(options, nextCall) => new Call(nextCall(options))]};
}

const AS_EXPECTED = sendPlainIf(message => !message.expect_compressed.value);
const PLAIN = sendPlainIf(() => true);

// Runs `body` with a channel that compresses by gzip.
async function withGzip(trial, body) {
  const gzip = new Trial(trial.flags, {
    'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
  });
  await body(gzip).finally(() => gzip.close());
}

function unaryExpecting(trial, value, options) {
  return trial.unaryCall({...largeRequest(), expect_compressed: {value}}, options);
}

async function client_compressed_unary(trial) {
  await withGzip(trial, async gzip => {
    const {status} = await unaryExpecting(gzip, true, PLAIN);
    expectStatus('probe that is not compressed', grpc.status.INVALID_ARGUMENT, status);
  });
  await client_compressed_unary_noprobe(trial);
}

async function client_compressed_unary_noprobe(trial) {
  await withGzip(trial, async gzip => {
    expectLarge(await unaryExpecting(gzip, true, AS_EXPECTED));
    expectLarge(await unaryExpecting(gzip, false, AS_EXPECTED));
  });
}

function upload(trial, requests, options) {
  return new Promise(resolve => {
    let reply;
    const call = trial.test.StreamingInputCall(trial.metadata(), options, (_error, response) => reply = response);
    call.on('status', status => resolve({status, reply}));
    for (const [bytes, value] of requests) call.write({payload: zeros(bytes), expect_compressed: {value}});
    call.end();
  });
}

async function client_compressed_streaming(trial) {
  await withGzip(trial, async gzip => {
    const {status} = await upload(gzip, [[27182, true]], PLAIN);
    expectStatus('probe that is not compressed', grpc.status.INVALID_ARGUMENT, status);
  });
  await client_compressed_streaming_noprobe(trial);
}

async function client_compressed_streaming_noprobe(trial) {
  await withGzip(trial, async gzip => {
    const {status, reply} = await upload(gzip, [[27182, true], [45904, false]], AS_EXPECTED);
    expectStatus('StreamingInputCall', grpc.status.OK, status);
    expectEqual('aggregated payload size', 73086, reply.aggregated_payload_size);
  });
}

async function server_compressed_unary(trial) {
  for (const value of [true, false]) {
    expectLarge(await trial.unaryCall({...largeRequest(), response_compressed: {value}}));
  }
}

async function server_compressed_streaming(trial) {
  const request = {
    response_parameters: [{size: 31415, compressed: {value: true}}, {size: 92653, compressed: {value: false}}],
  };
  const responses = new Responses(trial.test.StreamingOutputCall(request, trial.metadata()));
  await responses.expectSize(31415);
  await responses.expectSize(92653);
  expectStatus('StreamingOutputCall', grpc.status.OK, await responses.end());
}

module.exports = [
  client_compressed_unary, client_compressed_unary_noprobe, server_compressed_unary, client_compressed_streaming,
  client_compressed_streaming_noprobe, server_compressed_streaming,
];
