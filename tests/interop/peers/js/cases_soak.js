'use strict';
// Cases over time. Names and checks as in cases/soak.cc.

const grpc = require('@grpc/grpc-js');
const {Trial, expectEqual, expectStatus, fail, zeros} = require('./trial');

async function soakCall(trial) {
  const flags = trial.flags;
  const start = Date.now();
  const request = {response_size: flags.soak_response_size, payload: zeros(flags.soak_request_size)};
  const deadline = start + flags.soak_overall_timeout_seconds * 1000;
  const {response, status} = await trial.unaryCall(request, {deadline});
  expectStatus('UnaryCall', grpc.status.OK, status);
  expectEqual('UnaryCall response size', flags.soak_response_size, response.payload.body.length);
  const latencyMs = Date.now() - start;
  const mostMs = flags.soak_per_iteration_max_acceptable_latency_ms;
  if (latencyMs > mostMs) fail(`latency: expected at most ${mostMs} ms, got ${latencyMs} ms`);
}

async function soak(flags, intervalMs, call) {
  let failures = 0;
  const giveUp = Date.now() + flags.soak_overall_timeout_seconds * 1000;
  for (let i = 0; i < flags.soak_iterations; ++i) {
    const start = Date.now();
    if (start > giveUp) fail(`expected ${flags.soak_iterations} iterations in time, got ${i}`);
    try {
      await call();
    } catch (error) {
      ++failures;
      if (failures > flags.soak_max_failures) {
        fail(`iteration ${i + 1}: failure ${failures} of at most ${flags.soak_max_failures}: ${error.message}`);
      }
    }
    const restMs = start + intervalMs - Date.now();
    if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs));
  }
}

async function rpc_soak(trial) {
  await soak(trial.flags, trial.flags.soak_min_time_ms_between_rpcs, () => soakCall(trial));
}

async function channel_soak(trial) {
  await soak(trial.flags, trial.flags.soak_min_time_ms_between_rpcs, async () => {
    const fresh = new Trial(trial.flags);
    await soakCall(fresh).finally(() => fresh.close());
  });
}

async function long_lived_channel(trial) {
  await soak(trial.flags, trial.flags.iteration_interval * 1000, () => soakCall(trial));
}

module.exports = [rpc_soak, channel_soak, long_lived_channel];
