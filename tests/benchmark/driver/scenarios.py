"""What is measured, and the goals. The kinds of scenario are in the *_rows.py files.

A scenario has `name`, `quick` (whether `--quick` runs it), `figures`, and `started(programs, system, seconds)`: a context
manager that gives a function, which measures once, for about `seconds`, and returns a value for each figure.
"""

from build_rows import Compile, ProgramSize
from client_rows import ClientLoad
from h2load import Load, payload, stream_request
from memory_rows import IdleConnections, IdleServer, OpenStreams
from server_rows import NewConnections, Stream, Unary
from summary import Goal


def _unary(size, connections, streams):
    return Load("Unary", payload(size), len(payload(size)), connections, streams)


def _stream(count, size):
    return Load("ServerStream", stream_request(count, size), count * len(payload(size)), 1, 1)


_16_B, _64_KIB, _1_MIB = 16, 64 << 10, 1 << 20

SCENARIOS = [
    Unary("unary 16 B, 1 at a time", _unary(_16_B, 1, 1), quick=True, cpu=Goal(0.6, 0.5), p50=Goal(0.95, 0.85)),
    Unary("unary 16 B, 10 on 1 connection", _unary(_16_B, 1, 10)),
    Unary("unary 16 B, 100 on 1 connection", _unary(_16_B, 1, 100), quick=True, cpu=Goal(0.15, 0.10), rate=Goal(3, 4)),
    Unary("unary 16 B, 100 on 10 connections", _unary(_16_B, 10, 10)),
    Unary("unary 1 KiB, 100 on 1 connection", _unary(1 << 10, 1, 100)),
    Unary("unary 64 KiB, 10 on 1 connection", _unary(_64_KIB, 1, 10), quick=True, cpu=Goal(0.8, 0.6)),
    Stream("server stream, 16 B messages", 100_000, _16_B, _stream(100_000, _16_B), quick=True, rate=Goal(20, 100)),
    Stream("server stream, 16 B, buffer hints (1)", 100_000, _16_B, _stream(100_000, _16_B),
           peer_options=["--buffer_hint"]),
    Stream("server stream, 64 KiB messages", 1_000, _64_KIB, _stream(1_000, _64_KIB), quick=True,
           cpu=Goal(0.75, 0.6), throughput=Goal(1.2, 1.5)),
    Stream("server stream, 1 MiB messages", 100, _1_MIB, _stream(100, _1_MIB), quick=True,
           cpu=Goal(1, 0.85), throughput=Goal(0.95, 1)),
    NewConnections("new connection and one call", quick=True, cpu=Goal(0.5, 0.35)),
    ClientLoad("client, unary 16 B, 1 at a time", 1),
    ClientLoad("client, unary 16 B, 10 at a time", 10),
    ClientLoad("client, unary 16 B, 100 at a time", 100, quick=True, cpu=Goal(0.15, 0.08)),
    IdleConnections("1,000 idle connections", 1_000, quick=True, memory=Goal(1, 0.9)),
    OpenStreams("10,000 open bidi streams on 1 conn.", 10_000, quick=True, memory=Goal(0.15, 0.08)),
    # One loop, and the thread that waits for signals.
    IdleServer("idle server", quick=True, memory=Goal(0.5, 0.4), threads=Goal(2, absolute=True)),
    ProgramSize("hello server, stripped", quick=True, static=Goal(0.25, 0.18)),
    Compile("compile hello (2)", "hello", goal=Goal(0.5, 0.35)),
    Compile("compile bench.proto's service (3)", "bench"),
]

# What a mark in a name means.
NOTES = {
    "(1)": "every message but the last of a stream may wait for the next one. That is grpc++'s option set_buffer_hint, for "
           "handlers that know what they will write; weir is the same as above",
    "(2)": "protobuf's .pb.cc, the generated service, and main: g++ -O2 -std=c++20 -c of each",
    "(3)": "protobuf's .pb.cc and the generated service, with methods of all four kinds",
}
