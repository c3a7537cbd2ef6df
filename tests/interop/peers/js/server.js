'use strict';
// grpc-js's interop server: TestService, ORCA's out-of-band service and Features.
//
//   node server.js --port=0     prints "listening on 127.0.0.1:PORT"; SIGTERM ends it with 0

const grpc = require('@grpc/grpc-js');
const {parseFlags} = require('./flags');
const {Features} = require('./features');
const {LoadReports, toLoadReport} = require('./load_reports');
const {TestService, OpenRcaService, Features: FeaturesService, encodeLoadReport, LOAD_TRAILER} = require('./protos');

const ECHO_INITIAL = 'x-grpc-test-echo-initial';
const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin';

const load = new LoadReports();

function zeros(bytes) {
  return {body: Buffer.alloc(bytes)};
}

function sleep(ms) {
  return new Promise(resolve => setTimeout(resolve, ms));
}

// Answers the metadata of custom_metadata: the initial part at once; returns the trailing part.
function echoMetadata(call) {
  const [initial] = call.metadata.get(ECHO_INITIAL);
  if (initial !== undefined) {
    const metadata = new grpc.Metadata();
    metadata.set(ECHO_INITIAL, initial);
    call.sendMetadata(metadata);
  }
  const trailer = new grpc.Metadata();
  for (const value of call.metadata.get(ECHO_TRAILING)) trailer.add(ECHO_TRAILING, value);
  return trailer;
}

// The error that ends a call as asked, or null.
function askedStatus(asked) {
  return asked && asked.code ? {code: asked.code, details: asked.message} : null;
}

function emptyCall(call, callback) {
  callback(null, {}, echoMetadata(call));
}

function unaryCall(call, callback) {
  const request = call.request;
  const trailer = echoMetadata(call);
  if (request.orca_per_query_report) {
    trailer.set(LOAD_TRAILER, encodeLoadReport(toLoadReport(request.orca_per_query_report)));
  }
  const error = askedStatus(request.response_status);
  if (error) return callback({...error, metadata: trailer});
  const response = {payload: zeros(request.response_size || 0)};
  if (request.fill_server_id) response.server_id = `js-${process.pid}`;
  callback(null, response, trailer);
}

function cacheableUnaryCall(call, callback) {
  const metadata = new grpc.Metadata();
  metadata.set('cache-control', 'max-age=60, public');
  call.sendMetadata(metadata);
  callback(null, {payload: {body: Buffer.from(String(process.hrtime.bigint()))}});
}

function streamingInputCall(call, callback) {
  let total = 0;
  call.on('data', request => total += request.payload ? request.payload.body.length : 0);
  call.on('end', () => callback(null, {aggregated_payload_size: total}));
  call.on('error', () => {});  // a cancelled call has nobody to answer
}

// Sends what one request asks for. Returns the error that ends the call, or null.
async function writeResponses(call, request) {
  if (request.orca_oob_report) load.set(request.orca_oob_report);
  for (const {size = 0, interval_us = 0} of request.response_parameters || []) {
    if (interval_us > 0) await sleep(interval_us / 1000);
    call.write({payload: zeros(size)});
  }
  return askedStatus(request.response_status);
}

// Answers requests in turn, and ends the call with its status after the last one or the first that asks for an error.
// By events: the async iterator of a server's call stops after its first request.
function serveRequests(call, trailer) {
  let ended = false;
  const end = error => {
    if (ended) return;
    ended = true;
    if (error) call.emit('error', {...error, metadata: trailer});
    else call.end(trailer);
  };
  let answered = Promise.resolve();
  call.on('data', request => {
    answered = answered.then(() => ended ? null : writeResponses(call, request)).then(error => error && end(error));
  });
  call.on('end', () => answered.then(() => end(null)));
}

async function streamingOutputCall(call) {
  const trailer = echoMetadata(call);
  const error = await writeResponses(call, call.request);
  if (error) call.emit('error', {...error, metadata: trailer});
  else call.end(trailer);
}

function halfDuplexCall(call) {
  const trailer = echoMetadata(call);
  const requests = [];
  call.on('data', request => requests.push(request));
  call.on('end', async () => {
    for (const request of requests) await writeResponses(call, request);
    call.end(trailer);
  });
}

const server = new grpc.Server();
server.addService(TestService.service, {
  EmptyCall: emptyCall,
  UnaryCall: unaryCall,
  CacheableUnaryCall: cacheableUnaryCall,
  StreamingInputCall: streamingInputCall,
  StreamingOutputCall: streamingOutputCall,
  FullDuplexCall: call => serveRequests(call, echoMetadata(call)),
  HalfDuplexCall: halfDuplexCall,
});
server.addService(OpenRcaService.service, load.handlers());
server.addService(FeaturesService.service, new Features().handlers());

const flags = parseFlags({port: 0, use_tls: 'false'});
server.bindAsync(`127.0.0.1:${flags.port}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(`listening on 127.0.0.1:${port}`);
});
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => server.tryShutdown(() => process.exit(0)));
}
