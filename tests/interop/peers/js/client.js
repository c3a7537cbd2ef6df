'use strict';
// grpc-js's interop client: the same flags, cases and output as the C++ clients (cases/client_main.cc).
//
//   node client.js --server_host=127.0.0.1 --server_port=PORT --test_case=all

const {parseFlags} = require('./flags');
const {Trial} = require('./trial');

const GROUPS = {
  all: [...require('./cases_official'), ...require('./cases_soak'), ...require('./cases_orca')],
  compression: require('./cases_compression'),
  features: require('./cases_features'),
  http2: require('./cases_http2'),
};

const flags = parseFlags({
  server_host: 'localhost',
  server_port: 0,
  server_host_override: '',
  test_case: 'large_unary',
  except: '',
  use_tls: 'false',
  use_test_ca: 'false',
  additional_metadata: '',
  soak_iterations: 10,
  soak_max_failures: 0,
  soak_per_iteration_max_acceptable_latency_ms: 1000,
  soak_overall_timeout_seconds: 10,
  soak_min_time_ms_between_rpcs: 0,
  soak_request_size: 271828,
  soak_response_size: 314159,
  iteration_interval: 10,
  streams: 1000,
});

// Comma separated names of cases and groups, without those of --except.
function selectCases() {
  const names = flags.test_case.split(',');
  const left = new Set(flags.except.split(','));
  return Object.entries(GROUPS).flatMap(
      ([group, cases]) =>
          cases.filter(({name}) => (names.includes(group) || names.includes(name)) && !left.has(name)));
}

async function runCase(test) {
  const start = Date.now();
  const trial = new Trial(flags);
  let problem = null;
  try {
    await test(trial);
  } catch (error) {
    problem = error;
  }
  trial.close();
  const verdict = problem === null ? 'PASS' : 'FAIL';
  console.log(`${verdict} ${test.name.padEnd(28)} ${String(Date.now() - start).padStart(6)} ms`);
  if (problem !== null) console.log(`     ${problem.name}: ${problem.message}`);
  return problem === null;
}

async function main() {
  const cases = selectCases();
  if (cases.length === 0) {
    console.error(`--test_case: expected known cases, got "${flags.test_case}"`);
    return 2;
  }
  let passed = 0;
  for (const test of cases) passed += await runCase(test) ? 1 : 0;
  console.log(`js client: ${passed} of ${cases.length} cases passed`);
  return passed === cases.length ? 0 : 1;
}

main().then(code => process.exit(code));
