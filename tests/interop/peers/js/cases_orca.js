'use strict';
// Load reports, per call and out of band. Names and checks as in cases/orca.cc.

const grpc = require('@grpc/grpc-js');
const {isDeepStrictEqual} = require('util');
const {decodeLoadReport, LOAD_TRAILER} = require('./protos');
const {Responses, expectEqual, expectStatus, fail} = require('./trial');

const PATIENCE_MS = 20000;
const INTERVAL = {seconds: 0, nanos: 50e6};

// The fields that are set, in an order that does not depend on the sender.
function fieldsOf({cpu_utilization, mem_utilization, request_cost, utilization}) {
  return {cpu_utilization, mem_utilization, request_cost: {...request_cost}, utilization: {...utilization}};
}

async function orca_per_rpc(trial) {
  const numbers = {cpu_utilization: 0.8210, request_cost: {cost: 3456.32}, utilization: {util: 0.30499}};
  const {status} = await trial.unaryCall({orca_per_query_report: {...numbers, memory_utilization: 0.5847}});
  expectStatus('UnaryCall', grpc.status.OK, status);
  const values = status.metadata.get(LOAD_TRAILER);
  expectEqual(`values of ${LOAD_TRAILER}`, 1, values.length);
  expectEqual(LOAD_TRAILER, fieldsOf({...numbers, mem_utilization: 0.5847}), fieldsOf(decodeLoadReport(values[0])));
}

// Reads until the wanted report comes; the deadline of the call ends the wait.
async function awaitReport(reports, {memory_utilization, ...rest}) {
  const expected = fieldsOf({...rest, mem_utilization: memory_utilization});
  for (;;) {
    const report = await reports.read();
    if (report === null) fail(`expected the report ${JSON.stringify(expected)} in time, got the end`);
    if (isDeepStrictEqual(fieldsOf(report), expected)) return;
  }
}

async function orca_oob(trial) {
  const deadline = Date.now() + PATIENCE_MS;
  const watch = trial.orca.StreamCoreMetrics({report_interval: INTERVAL}, trial.metadata(), {deadline});
  const reports = new Responses(watch);
  const call = trial.test.FullDuplexCall(trial.metadata(), {deadline});
  const responses = new Responses(call);
  for (const report of [
    {cpu_utilization: 0.8210, memory_utilization: 0.5847, utilization: {util: 0.30499}},
    {cpu_utilization: 0.29309, memory_utilization: 0.2, utilization: {util: 0.2039}},
  ]) {
    call.write({orca_oob_report: report, response_parameters: [{size: 1}]});
    await responses.expectSize(1);
    await awaitReport(reports, report);
  }
  call.end();
  expectStatus('FullDuplexCall', grpc.status.OK, await responses.end());
  watch.cancel();
}

module.exports = [orca_per_rpc, orca_oob];
