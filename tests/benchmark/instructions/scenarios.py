"""What is counted: instructions of one call, one message, one PING.

Each count is the difference of two runs that differ only in how many operations there are, so that what it costs to
start, to connect and to end falls out.
"""

import hashlib
from typing import Callable, NamedTuple

from instructions import callgrind
from instructions.peers import Client, Server, envelope

UNARY, SERVER_STREAM = "/bench.Echo/Unary", "/bench.Echo/ServerStream"


class Scenario(NamedTuple):
    text: str
    few: int  # operations of the shorter run: enough for tables, pools and lazily bound symbols to be in place
    many: int
    count: Callable  # (programs, operations) -> instructions of the whole run


class Programs(NamedTuple):
    """Paths."""
    server: str
    client: str


def instructions(scenario, programs):
    """Per operation."""
    few, many = scenario.count(programs, scenario.few), scenario.count(programs, scenario.many)
    return round((many - few) / (scenario.many - scenario.few))


# --- messages of bench.proto, by hand ---------------------------------------------------------------


def varint(value):
    encoded = b""
    while value >= 0x80:
        encoded, value = encoded + bytes([value & 0x7F | 0x80]), value >> 7
    return encoded + bytes([value])


def payload(size):
    return b"\x0a" + varint(size) + b"x" * size


def stream_request(count, size):
    return b"\x08" + varint(count) + b"\x10" + varint(size)


# --- loads -------------------------------------------------------------------------------------------


def _server(load):
    """A scenario of the server; load(client, operations)."""

    def count(programs, operations):

        def run(port):
            client = Client(port)
            load(client, operations)
            client.close()

        return callgrind.of_server([programs.server, "--port=0", "--threads=1"], run)

    return count


def _unary(size, at_once, metadata=lambda call: ()):

    def load(client, calls):
        message = payload(size)
        for first in range(0, calls, at_once):
            client.calls(UNARY, message, len(envelope(message)), [metadata(call) for call in range(first, first + at_once)])

    return _server(load)


def _stream(size):

    def load(client, messages):
        client.calls(SERVER_STREAM, stream_request(messages, size), messages * len(envelope(payload(size))))

    return _server(load)


def _pings(client, count):
    for opaque in range(count):
        client.ping(opaque)


def _client(size, at_once):

    def count(programs, calls):
        message = payload(size)
        answered = []

        def serve(accepted):
            answered.append(Server(accepted).answer(message, len(envelope(message)), at_once))

        instructions_ = callgrind.of_client([programs.client, str(at_once), str(calls)], serve)
        if answered != [calls]:
            raise RuntimeError("%s: expected %d calls, got %d" % (programs.client, calls, answered[0]))
        return instructions_

    return count


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _many_headers(call):
    """What meshes and gateways put on a call: 20 fields, of which five are new each time."""
    trace, span = _digest("trace %d" % call)[:32], _digest("span %d" % call)[:16]
    return [
        ("grpc-timeout", "%dm" % (40000 + call % 1000)),
        ("traceparent", "00-%s-%s-01" % (trace, span)),
        ("tracestate", "vendor=%s" % span),
        ("x-request-id", _digest("request %d" % call)[:36]),
        ("x-attempt-bin", "AAAAAQ"),
        ("authorization", "Bearer " + _digest("token") * 4),
        ("grpc-accept-encoding", "identity, deflate, gzip"),
        ("accept-encoding", "identity, gzip"),
        ("x-forwarded-for", "10.%d.%d.7" % (call % 4, call % 250)),
        ("x-forwarded-proto", "https"),
        ("x-envoy-expected-rq-timeout-ms", "15000"),
        ("x-client-version", "2.41.0"),
        ("x-client-platform", "linux-x86_64"),
        ("x-tenant", "tenant-0042"),
        ("x-user", "somebody@example.com"),
        ("x-region", "eu-central-1"),
        ("x-zone", "eu-central-1b"),
        ("x-canary", "false"),
        ("x-locale", "en-GB"),
        ("x-session-bin", "c2Vzc2lvbiAwMTIzNDU2Nzg5"),
    ]


SCENARIOS = {
    "unary":
        Scenario("unary call, server, 16 bytes, 100 on 1 connection", 300, 2300, _unary(16, 100)),
    "unary-one":
        Scenario("unary call, server, 16 bytes, one at a time", 200, 1200, _unary(16, 1)),
    "unary-64KiB":
        Scenario("unary call, server, 64 KiB, one at a time", 50, 250, _unary(64 * 1024, 1)),
    "unary-headers":
        Scenario("unary call, server, 16 bytes, 20 fields of metadata, 100 on 1 connection", 300, 1300,
                 _unary(16, 100, _many_headers)),
    "stream-message":
        Scenario("server-stream message, server, 16 bytes", 1000, 21000, _stream(16)),
    "ping":
        # Fewer than a server takes at once of a connection that does nothing else.
        Scenario("PING answered on an idle connection", 20, 95, _server(_pings)),
    "client":
        Scenario("unary call, client, 16 bytes, 100 on 1 connection", 300, 2300, _client(16, 100)),
}
