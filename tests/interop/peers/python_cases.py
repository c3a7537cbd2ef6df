"""The official cases with python grpcio. Names and checks as in cases/official_*.cc."""

import queue
import time

import grpc

from python_stream import Stream

REQUEST_BYTES = (27182, 8, 1828, 45904)
RESPONSE_BYTES = (31415, 9, 2653, 58979)


def exchange(trial, request_bytes, response_bytes):
    request = trial.api.StreamingOutputCallRequest()
    request.response_parameters.add(size=response_bytes)
    request.payload.body = bytes(request_bytes)
    return request


def expect_response(trial, stream, what, expected_bytes):
    response = stream.read()
    if response is None:
        return trial.fail("%s: expected %d bytes, got the end %s" % (what, expected_bytes, stream.call.code()))
    return trial.expect_equal(what + " size", expected_bytes, len(response.payload.body))


def empty_unary(trial):
    reply, call = trial.unary(trial.test.EmptyCall, trial.api.Empty())
    if trial.expect_ok("EmptyCall", call):
        trial.expect_equal("EmptyCall reply size", 0, reply.ByteSize())


def cacheable_unary(trial):
    request = trial.api.SimpleRequest()
    request.payload.body = b"1234567890"
    reply, call = trial.unary(trial.test.CacheableUnaryCall, request, metadata=(("x-user-ip", "1.2.3.4"),))
    if trial.expect_ok("CacheableUnaryCall", call):
        trial.expect("the response has a payload", len(reply.payload.body) > 0)
        trial.expect_values("initial metadata", "cache-control", ["max-age=60, public"], call.initial_metadata())


def large_unary(trial):
    trial.expect_large_response("UnaryCall", *trial.unary(trial.test.UnaryCall, trial.large_request()))


def client_streaming(trial):
    requests = []
    for size in REQUEST_BYTES:
        request = trial.api.StreamingInputCallRequest()
        request.payload.body = bytes(size)
        requests.append(request)
    reply, call = trial.unary(trial.test.StreamingInputCall, iter(requests))
    if trial.expect_ok("StreamingInputCall", call):
        trial.expect_equal("aggregated payload size", 74922, reply.aggregated_payload_size)


def server_streaming(trial):
    request = trial.api.StreamingOutputCallRequest()
    for size in RESPONSE_BYTES:
        request.response_parameters.add(size=size)
    call = trial.test.StreamingOutputCall(request)
    try:
        trial.expect_equal("response sizes", list(RESPONSE_BYTES), [len(r.payload.body) for r in call])
    except grpc.RpcError:
        pass
    trial.expect_ok("StreamingOutputCall", call)


def ping_pong(trial):
    stream = Stream(trial.test.FullDuplexCall)
    for request_bytes, response_bytes in zip(REQUEST_BYTES, RESPONSE_BYTES):
        stream.write(exchange(trial, request_bytes, response_bytes))
        if not expect_response(trial, stream, "FullDuplexCall", response_bytes):
            break
    trial.expect_equal("responses after the last", 0, stream.finish())
    trial.expect_ok("FullDuplexCall", stream.call)


def empty_stream(trial):
    stream = Stream(trial.test.FullDuplexCall)
    trial.expect_equal("responses", 0, stream.finish())
    trial.expect_ok("FullDuplexCall", stream.call)


def custom_metadata(trial):
    initial = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
    trailing = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")

    def expect_echo(what, call):
        trial.expect_values(what + " initial metadata", initial[0], [initial[1]], call.initial_metadata())
        trial.expect_values(what + " trailing metadata", trailing[0], [trailing[1]], call.trailing_metadata())

    reply, call = trial.unary(trial.test.UnaryCall, trial.large_request(), metadata=(initial, trailing))
    trial.expect_large_response("UnaryCall", reply, call)
    expect_echo("UnaryCall", call)

    stream = Stream(trial.test.FullDuplexCall, metadata=(initial, trailing))
    stream.write(exchange(trial, 271828, 314159))
    expect_response(trial, stream, "FullDuplexCall", 314159)
    trial.expect_equal("responses after the last", 0, stream.finish())
    trial.expect_ok("FullDuplexCall", stream.call)
    expect_echo("FullDuplexCall", stream.call)


def expect_echoed_status(trial, message, duplex):
    request = trial.api.SimpleRequest()
    request.response_status.code = 2
    request.response_status.message = message
    _, call = trial.unary(trial.test.UnaryCall, request)
    trial.expect_status("UnaryCall", grpc.StatusCode.UNKNOWN, message, call)
    if duplex:
        stream = Stream(trial.test.FullDuplexCall)
        request = trial.api.StreamingOutputCallRequest(response_status=request.response_status)
        stream.write(request)
        trial.expect_equal("responses", 0, stream.finish())
        trial.expect_status("FullDuplexCall", grpc.StatusCode.UNKNOWN, message, stream.call)


def status_code_and_message(trial):
    expect_echoed_status(trial, "test status message", duplex=True)


def special_status_message(trial):
    message = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n"
    expect_echoed_status(trial, message, duplex=False)


def unimplemented_method(trial):
    _, call = trial.unary(trial.test.UnimplementedCall, trial.api.Empty())
    trial.expect_code("TestService/UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)


def unimplemented_service(trial):
    _, call = trial.unary(trial.unimplemented.UnimplementedCall, trial.api.Empty())
    trial.expect_code("UnimplementedService/UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)


def cancel_after_begin(trial):
    never = iter(queue.SimpleQueue().get, None)
    future = trial.test.StreamingInputCall.future(never)
    future.cancel()
    trial.expect_code("StreamingInputCall", grpc.StatusCode.CANCELLED, future)


def cancel_after_first_response(trial):
    stream = Stream(trial.test.FullDuplexCall)
    stream.write(exchange(trial, 27182, 31415))
    expect_response(trial, stream, "FullDuplexCall", 31415)
    stream.call.cancel()
    trial.expect_equal("responses after cancel()", 0, stream.finish())
    trial.expect_code("FullDuplexCall", grpc.StatusCode.CANCELLED, stream.call)


def timeout_on_sleeping_server(trial):
    stream = Stream(trial.test.FullDuplexCall, timeout=0.001)
    request = trial.api.StreamingOutputCallRequest()
    request.payload.body = bytes(27182)
    stream.write(request)
    trial.expect("FullDuplexCall sends no response", stream.read() is None)
    trial.expect_code("FullDuplexCall", grpc.StatusCode.DEADLINE_EXCEEDED, stream.call)


def pick_first_unary(trial):
    request = trial.large_request(1, 1)
    request.fill_server_id = True
    ids = set()
    for _ in range(20):
        reply, call = trial.unary(trial.test.UnaryCall, request)
        if not trial.expect_ok("UnaryCall", call):
            return
        ids.add(reply.server_id)
    trial.expect("one server id, not empty, got %s" % ids, len(ids) == 1 and "" not in ids)


def concurrent_large_unary(trial):
    request = trial.large_request()
    futures = [trial.test.UnaryCall.future(request) for _ in range(trial.options.streams)]
    for future in futures:
        error = future.exception()
        trial.expect_large_response("UnaryCall", None if error else future.result(), future)


def very_large_request(trial):
    trial.expect_large_response("UnaryCall", *trial.unary(trial.test.UnaryCall, trial.large_request(4000000)))


def soak(trial, stubs, interval_s):
    options = trial.options
    request = trial.large_request(options.soak_request_size, options.soak_response_size)
    failures = 0
    give_up = time.monotonic() + options.soak_overall_timeout_seconds
    for i in range(options.soak_iterations):
        start = time.monotonic()
        reply, call = trial.unary(stubs().UnaryCall, request, timeout=options.soak_overall_timeout_seconds)
        latency_ms = (time.monotonic() - start) * 1000
        good = (call.code() == grpc.StatusCode.OK and len(reply.payload.body) == options.soak_response_size and
                latency_ms <= options.soak_per_iteration_max_acceptable_latency_ms)
        failures += not good
        if failures > options.soak_max_failures:
            trial.fail("iteration %d: failure %d of at most %d: %s, %d ms" %
                       (i + 1, failures, options.soak_max_failures, call.code(), latency_ms))
            return
        if not trial.expect("iteration %d in time" % (i + 1), time.monotonic() < give_up):
            return
        time.sleep(max(0, interval_s - (time.monotonic() - start)))


def rpc_soak(trial):
    soak(trial, lambda: trial.test, trial.options.soak_min_time_ms_between_rpcs / 1000)


def channel_soak(trial):
    soak(trial, lambda: trial.new_stubs()[0], trial.options.soak_min_time_ms_between_rpcs / 1000)


def long_lived_channel(trial):
    soak(trial, lambda: trial.test, trial.options.iteration_interval)


def orca_per_rpc(trial):
    numbers = dict(cpu_utilization=0.8210, request_cost={"cost": 3456.32}, utilization={"util": 0.30499})
    request = trial.api.SimpleRequest(orca_per_query_report=dict(numbers, memory_utilization=0.5847))
    _, call = trial.unary(trial.test.UnaryCall, request)
    if trial.expect_ok("UnaryCall", call):
        values = [value for key, value in call.trailing_metadata() if key == "endpoint-load-metrics-bin"]
        got = [trial.api.OrcaLoadReport.FromString(value) for value in values]
        trial.expect_equal("reports", [trial.api.OrcaLoadReport(mem_utilization=0.5847, **numbers)], got)


def orca_oob(trial):
    often = trial.api.OrcaLoadReportRequest()
    often.report_interval.FromMilliseconds(50)
    reports = trial.orca.StreamCoreMetrics(often, timeout=20)
    stream = Stream(trial.test.FullDuplexCall, timeout=20)
    for cpu, memory, util in ((0.8210, 0.5847, 0.30499), (0.29309, 0.2, 0.2039)):
        request = trial.api.StreamingOutputCallRequest(
            orca_oob_report=dict(cpu_utilization=cpu, memory_utilization=memory, utilization={"util": util}))
        request.response_parameters.add(size=1)
        stream.write(request)
        expect_response(trial, stream, "FullDuplexCall", 1)
        expected = trial.api.OrcaLoadReport(cpu_utilization=cpu, mem_utilization=memory, utilization={"util": util})
        try:
            trial.expect("the report comes", expected in reports)
        except grpc.RpcError as error:
            trial.fail("StreamCoreMetrics: expected %s, got %s" % (expected, error.code()))
    reports.cancel()
    trial.expect_equal("responses after the last", 0, stream.finish())
    trial.expect_ok("FullDuplexCall", stream.call)


def expecting(trial, value):
    request = trial.large_request()
    request.expect_compressed.value = value
    return request


def client_compressed_unary(trial):
    _, call = trial.unary(trial.test.UnaryCall, expecting(trial, True))
    trial.expect_code("probe that is not compressed", grpc.StatusCode.INVALID_ARGUMENT, call)
    client_compressed_unary_noprobe(trial)


def client_compressed_unary_noprobe(trial):
    compressed = trial.unary(trial.test.UnaryCall, expecting(trial, True), compression=grpc.Compression.Gzip)
    trial.expect_large_response("compressed UnaryCall", *compressed)
    trial.expect_large_response("plain UnaryCall", *trial.unary(trial.test.UnaryCall, expecting(trial, False)))


# The library does not show whether a response was compressed.
def server_compressed_unary(trial):
    for value in (True, False):
        request = trial.large_request()
        request.response_compressed.value = value
        trial.expect_large_response("UnaryCall", *trial.unary(trial.test.UnaryCall, request))


def server_compressed_streaming(trial):
    request = trial.api.StreamingOutputCallRequest()
    for size, value in ((31415, True), (92653, False)):
        request.response_parameters.add(size=size).compressed.value = value
    call = trial.test.StreamingOutputCall(request)
    try:
        trial.expect_equal("response sizes", [31415, 92653], [len(response.payload.body) for response in call])
    except grpc.RpcError:
        pass
    trial.expect_ok("StreamingOutputCall", call)


COMPRESSION_CASES = [
    client_compressed_unary, client_compressed_unary_noprobe, server_compressed_unary, server_compressed_streaming
]
CASES = [
    empty_unary, cacheable_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream,
    custom_metadata, status_code_and_message, special_status_message, unimplemented_method, unimplemented_service,
    cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server, pick_first_unary,
    concurrent_large_unary, very_large_request, rpc_soak, channel_soak, long_lived_channel,
    orca_per_rpc, orca_oob
]
