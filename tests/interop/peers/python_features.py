"""The cases of group "features" with python grpcio. Names and checks as in cases/feature_*.cc."""

import time
import uuid

import grpc

from python_cases import RESPONSE_BYTES, expect_response
from python_stream import Stream

LIMIT_BYTES = 4 * 1024 * 1024
INTERESTING_METADATA = (
    ("x-many", "first"),
    ("x-many", "second, with comma"),
    ("x-many", "third"),
    ("x-many-bin", bytes(range(256))),
    ("x-many-bin", b"\0"),
    ("x-many-bin", b"\xff\xfe"),
    ("x-punctuation", "a b!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~"),
    ("x-large", "m" * 4000),
    ("x-empty-bin", b""),
    ("x-digits_and.dots-1", "1"),
)


def expect_interesting(trial, what, metadata):
    for key in sorted({key for key, _ in INTERESTING_METADATA}):
        trial.expect_values(what, key, [value for name, value in INTERESTING_METADATA if name == key], metadata)


def add_interesting(pairs):
    for key, value in INTERESTING_METADATA:
        pairs.add(key=key, value=value if isinstance(value, bytes) else value.encode())


def code_of(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def open_hold(trial, call_id, **kwargs):
    stream = Stream(trial.features.Hold, **kwargs)
    stream.write(trial.api.Note(call_id=call_id))
    trial.expect("Hold echoes the note", stream.read() is not None)
    return stream


def observe_until(trial, call_id, holds):
    give_up = time.monotonic() + 10
    while True:
        seen = trial.features.Observe(trial.api.ObserveRequest(call_id=call_id))
        if holds(seen) or time.monotonic() > give_up:
            return seen
        time.sleep(0.01)


def expect_handler_cancelled(trial, call_id):
    seen = observe_until(trial, call_id, lambda seen: seen.known and not seen.running)
    trial.expect("the handler has returned", seen.known and not seen.running)
    trial.expect("the handler saw the cancellation", seen.cancelled)


def half_duplex(trial):
    stream = Stream(trial.test.HalfDuplexCall)
    for size in RESPONSE_BYTES:
        request = trial.api.StreamingOutputCallRequest()
        request.response_parameters.add(size=size)
        stream.write(request)
    stream.done()
    for size in RESPONSE_BYTES:
        expect_response(trial, stream, "HalfDuplexCall", size)
    trial.expect("HalfDuplexCall sends no fifth response", stream.read() is None)
    trial.expect_ok("HalfDuplexCall", stream.call)


def deadline_seen_by_server(trial):
    reply, call = trial.unary(trial.features.Inspect, trial.api.InspectRequest(), timeout=20)
    if trial.expect_ok("Inspect with a deadline", call):
        left_ms = reply.remaining_ms
        trial.expect("15000 < time left <= 20100 ms at the server, got %d" % left_ms, 15000 < left_ms <= 20100)
    reply, call = trial.unary(trial.features.Inspect, trial.api.InspectRequest())
    if trial.expect_ok("Inspect without a deadline", call):
        trial.expect_equal("time left at the server", -1, reply.remaining_ms)


def deadline_cancels_handler(trial):
    call_id = str(uuid.uuid4())
    stream = open_hold(trial, call_id, timeout=0.3)
    trial.expect("Hold gives nothing more", stream.read() is None)
    trial.expect_code("Hold", grpc.StatusCode.DEADLINE_EXCEEDED, stream.call)
    expect_handler_cancelled(trial, call_id)


def cancel_seen_by_handler(trial):
    call_id = str(uuid.uuid4())
    stream = open_hold(trial, call_id)
    stream.call.cancel()
    trial.expect("Hold gives nothing after cancel()", stream.read() is None)
    trial.expect_code("Hold", grpc.StatusCode.CANCELLED, stream.call)
    expect_handler_cancelled(trial, call_id)


def expect_asked_status(trial, number, message):
    _, call = trial.unary(trial.features.Inspect, trial.api.InspectRequest(code=number, message=message))
    trial.expect_status("Inspect", code_of(number), message, call)


def all_status_codes(trial):
    for number in range(1, 17):
        expect_asked_status(trial, number, "this is code %d" % number)


def unicode_status(trial):
    for message in ("", "100% sure, %41 is no A, and % neither %zz", "Grüße aus 東京 \U0001F608 שלום",
                    "control \x01\x1f\x7f and \ttab\r\nline", "." * 3000 + "\u263a"):
        expect_asked_status(trial, 9, message)
    # See UnicodeStatus in cases/feature_calls.cc.
    _, call = trial.unary(trial.features.Inspect, trial.api.InspectRequest(code=10, message="  space around  "))
    trial.expect_equal("Inspect", (grpc.StatusCode.ABORTED, "space around"), (call.code(), call.details().strip()))


def status_while_writing(trial):
    first = trial.api.StreamingOutputCallRequest()
    first.response_status.code = 5
    first.response_status.message = "stop writing"
    more = trial.api.StreamingOutputCallRequest()
    more.payload.body = bytes(10000)
    written = [0]

    def requests():
        yield first
        while written[0] < 100000:
            written[0] += 1
            yield more

    call = trial.test.FullDuplexCall(requests(), timeout=20)
    try:
        trial.expect("no response", next(call, None) is None)
    except grpc.RpcError:
        pass
    trial.expect_status("FullDuplexCall", grpc.StatusCode.NOT_FOUND, "stop writing", call)
    trial.expect("writing stops, got %d writes" % written[0], written[0] < 100000)


def metadata_to_server(trial):
    reply, call = trial.unary(trial.features.Inspect, trial.api.InspectRequest(), metadata=INTERESTING_METADATA)
    if trial.expect_ok("Inspect", call):
        seen = [(p.key, p.value if p.key.endswith("-bin") else p.value.decode()) for p in reply.metadata]
        expect_interesting(trial, "metadata at the server", seen)


def metadata_to_client(trial):
    request = trial.api.InspectRequest()
    add_interesting(request.initial)
    add_interesting(request.trailing)
    _, call = trial.unary(trial.features.Inspect, request)
    if trial.expect_ok("Inspect", call):
        expect_interesting(trial, "initial metadata at the client", call.initial_metadata())
        expect_interesting(trial, "trailing metadata at the client", call.trailing_metadata())


def metadata_with_error(trial):
    request = trial.api.InspectRequest(code=10, message="with metadata")
    add_interesting(request.trailing)
    _, call = trial.unary(trial.features.Inspect, request)
    trial.expect_status("Inspect", grpc.StatusCode.ABORTED, "with metadata", call)
    expect_interesting(trial, "trailing metadata at the client", call.trailing_metadata())


def message_of(message, size_bytes):
    """A message with a payload whose serialized size is exactly `size_bytes`."""
    body_bytes = size_bytes
    while message.ByteSize() != size_bytes:
        body_bytes -= 1
        message.payload.body = bytes(body_bytes)
    return message


def ask_for(trial, response_bytes):
    size = len(message_of(trial.api.SimpleResponse(), response_bytes).payload.body)
    return trial.api.SimpleRequest(response_size=size)


def message_at_limit(trial):
    request = message_of(trial.api.SimpleRequest(), LIMIT_BYTES)
    _, call = trial.unary(trial.test.UnaryCall, request)
    trial.expect_ok("UnaryCall with a request of 4 MiB", call)
    reply, call = trial.unary(trial.test.UnaryCall, ask_for(trial, LIMIT_BYTES))
    if trial.expect_ok("UnaryCall with a response of 4 MiB", call):
        trial.expect_equal("response size", LIMIT_BYTES, reply.ByteSize())


def expect_too_large(trial, request):
    _, call = trial.unary(trial.test.UnaryCall, request)
    trial.expect_code("UnaryCall with 4 MiB + 1", grpc.StatusCode.RESOURCE_EXHAUSTED, call)
    _, call = trial.unary(trial.test.EmptyCall, trial.api.Empty())
    trial.expect_ok("EmptyCall afterwards", call)


def request_above_limit(trial):
    expect_too_large(trial, message_of(trial.api.SimpleRequest(), LIMIT_BYTES + 1))


def response_above_limit(trial):
    expect_too_large(trial, ask_for(trial, LIMIT_BYTES + 1))


def exchange_note(trial, stream, what, note):
    stream.write(note)
    echo = stream.read()
    if echo is None:
        return trial.fail("%s: expected an echo, got the end: %s" % (what, stream.call.code()))
    return trial.expect_equal(what + " echo", note.body, echo.body)


def end_hold(trial, stream, what, note):
    note.last = True
    if exchange_note(trial, stream, what + " last note", note):
        trial.expect_equal(what + " notes after the last", 0, stream.finish())
        trial.expect_ok(what, stream.call)


def thousand_streams(trial):
    streams = [Stream(trial.features.Hold, timeout=60) for _ in range(trial.options.streams)]
    for round_number in range(3):
        for i, stream in enumerate(streams):
            what = "round %d stream %d" % (round_number + 1, i + 1)
            if not exchange_note(trial, stream, what, trial.api.Note(call_id=what, body=what.encode())):
                return
    for i, stream in enumerate(streams):
        end_hold(trial, stream, "stream %d" % (i + 1), trial.api.Note(call_id="bye"))


def slow_reader(trial):
    count, blob_bytes = 2048, 64 * 1024
    call_id = str(uuid.uuid4())
    request = trial.api.FloodRequest(call_id=call_id, count=count, size_bytes=blob_bytes)
    call = trial.features.Flood(request, timeout=60)
    try:
        trial.expect("Flood sends a blob", next(call, None) is not None)
        still = [0, time.monotonic()]

        def stands_still(seen):
            if seen.sent != still[0]:
                still[:] = [seen.sent, time.monotonic()]
            return time.monotonic() - still[1] > 0.3

        seen = observe_until(trial, call_id, stands_still)
        trial.expect("the handler still runs", seen.running)
        trial.expect("the server stops before %d blobs, got %d" % (count // 2, seen.sent), seen.sent < count // 2)
        sizes = [len(blob.body) for blob in call]
        trial.expect_equal("blobs of 64 KiB", count, sizes.count(blob_bytes) + 1)
    except grpc.RpcError:
        pass
    trial.expect_ok("Flood", call)


def unread_calls(trial):
    unread = []
    for _ in range(20):
        request = trial.api.FloodRequest(call_id=str(uuid.uuid4()), count=32, size_bytes=64 * 1024)
        unread.append(trial.features.Flood(request, timeout=20))
    _, call = trial.unary(trial.test.UnaryCall, trial.api.SimpleRequest(response_size=314159), timeout=5)
    trial.expect_ok("UnaryCall beside 20 calls that are not read", call)
    for flood in unread:
        try:
            trial.expect_equal("blobs when read at last", 32, len(list(flood)))
        except grpc.RpcError:
            pass
        trial.expect_ok("Flood", flood)


def push_back_both_ways(trial):
    count, call_id = 2048, str(uuid.uuid4())
    note = trial.api.Note(call_id=call_id, body=bytes(64 * 1024))
    taken = [0]

    def requests():
        for taken[0] in range(count):
            yield note
        yield trial.api.Note(call_id=call_id, last=True)

    call = trial.features.Hold(requests(), timeout=60)
    echoes = 0
    try:
        echoes += next(call, None) is not None
        still = [0, time.monotonic()]

        def stands_still(seen):
            if seen.sent != still[0]:
                still[:] = [seen.sent, time.monotonic()]
            return time.monotonic() - still[1] > 0.3

        trial.expect("the handler still runs", observe_until(trial, call_id, stands_still).running)
        trial.expect("the client stops before %d notes, got %d" % (count // 2, taken[0]), taken[0] < count // 2)
        echoes += sum(1 for _ in call)
    except grpc.RpcError:
        pass
    trial.expect_equal("echoes", count + 1, echoes)
    trial.expect_ok("Hold", call)


def expect_no_new_calls(trial, what, stub):
    give_up = time.monotonic() + 5
    while True:
        _, call = trial.unary(stub.EmptyCall, trial.api.Empty(), timeout=5)
        # grpc's own servers answer CANCELLED to calls that cross with their GOAWAY.
        if call.code() not in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED) or time.monotonic() > give_up:
            break
        time.sleep(0.005)
    trial.expect_code(what, grpc.StatusCode.UNAVAILABLE, call)


def drain_in_flight(trial):
    stream = Stream(trial.features.Hold, timeout=20)
    note = trial.api.Note(call_id=str(uuid.uuid4()), body=b"in flight")
    if not exchange_note(trial, stream, "before the drain", note):
        return
    _, call = trial.unary(trial.features.Drain, trial.api.DrainRequest())
    if not trial.expect_ok("Drain", call):
        return
    expect_no_new_calls(trial, "EmptyCall on a new channel while draining", trial.new_stubs()[0])
    expect_no_new_calls(trial, "EmptyCall on the same channel while draining", trial.test)
    for _ in range(3):
        if not exchange_note(trial, stream, "exchange while draining", note):
            return
    end_hold(trial, stream, "Hold while draining", note)


CASES = [
    half_duplex, deadline_seen_by_server, deadline_cancels_handler, cancel_seen_by_handler, all_status_codes,
    unicode_status, status_while_writing, metadata_to_server, metadata_to_client, metadata_with_error,
    message_at_limit, request_above_limit, response_above_limit, thousand_streams, slow_reader, unread_calls,
    push_back_both_ways, drain_in_flight
]
