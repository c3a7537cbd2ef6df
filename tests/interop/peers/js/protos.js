'use strict';
// The services of the interop cases, as constructors of grpc-js, from the .proto files.

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const path = require('path');

const WORKSPACE = path.resolve(__dirname, '../../../..');
const options = {
  keepCase: true,
  longs: Number,
  enums: String,
  includeDirs: ['/usr/share/grpc-proto', '/usr/include', WORKSPACE],
};

const services = grpc.loadPackageDefinition(
    loader.loadSync([
      'grpc/testing/test.proto', 'tests/interop/cases/orca_service.proto', 'tests/interop/cases/features.proto',
    ], options));

// Message types of the load reports, to read and to write them as bytes of metadata.
const reports = loader.loadSync('tests/interop/cases/orca_service.proto', options);
const streamCoreMetrics = reports['xds.service.orca.v3.OpenRcaService'].StreamCoreMetrics;

module.exports = {
  TestService: services.grpc.testing.TestService,
  UnimplementedService: services.grpc.testing.UnimplementedService,
  Features: services.weir.interop.Features,
  OpenRcaService: services.xds.service.orca.v3.OpenRcaService,
  encodeLoadReport: streamCoreMetrics.responseSerialize,
  decodeLoadReport: streamCoreMetrics.responseDeserialize,
  LOAD_TRAILER: 'endpoint-load-metrics-bin',  // gRFC A51: the report of one call, in its trailers
};
