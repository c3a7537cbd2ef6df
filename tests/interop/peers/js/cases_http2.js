'use strict';
// The negative HTTP/2 cases, against tools/http2_server.py, which checks its half. Names and checks as in cases/http2.cc.

const grpc = require('@grpc/grpc-js');
const {expectLarge, fail, largeRequest} = require('./trial');

function patientCall(trial) {
  return trial.unaryCall(largeRequest(), {deadline: Date.now() + 30000});
}

async function goaway(trial) {
  expectLarge(await patientCall(trial));
  expectLarge(await patientCall(trial));
}

// The call fails, and not by our deadline.
async function expectReset(trial) {
  const {status} = await patientCall(trial);
  if (status.code === grpc.status.OK || status.code === grpc.status.DEADLINE_EXCEEDED) {
    fail(`UnaryCall: expected to fail at once, got ${JSON.stringify(status)}`);
  }
}

async function expectSuccess(trial) {
  expectLarge(await patientCall(trial));
}

async function max_streams(trial) {
  expectLarge(await patientCall(trial));
  const calls = Array.from({length: 10}, () => patientCall(trial));
  for (const call of calls) expectLarge(await call);
}

// A function may be a case under several names.
function named(name, run) {
  return Object.defineProperty(trial => run(trial), 'name', {value: name});
}

module.exports = [
  goaway,
  ...['rst_after_header', 'rst_during_data', 'rst_after_data'].map(name => named(name, expectReset)),
  named('ping', expectSuccess),
  max_streams,
  ...['data_frame_padding', 'no_df_padding_sanity_test'].map(name => named(name, expectSuccess)),
];
