"""What a call, a message of a stream and a connection cost a server."""

import contextlib

from calls import Calls
from summary import Better, Figure, percentile

_WARM_UP_SHARE = 8  # the run that finds out how many calls to make aims at this part of a measurement
_LATENCY_SHARE = 4  # of the calls of a measurement
_NEW_CONNECTIONS = 500


def _calibrate(load, server, seconds):
    """How many calls take about `seconds`. Warms the server up at the same time."""
    calls = load.connections * load.streams
    while True:
        took = load.run(server, calls).seconds
        if took >= seconds / _WARM_UP_SHARE:
            return max(round(calls * seconds / took), load.connections * load.streams)
        calls *= 4


class Unary:

    def __init__(self, name, load, quick=False, cpu=None, rate=None, p50=None):
        self.name, self.load, self.quick = name, load, quick
        self.figures = [
            Figure("server CPU, us/call", goal=cpu),
            Figure("calls/s", Better.HIGHER, rate),
            Figure("p50, us", goal=p50),
            Figure("p99, us"),
        ]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with programs.start_server(system) as server:
            calls = _calibrate(self.load, server, seconds)

            def measure():
                before = server.cpu_us()
                took = self.load.run(server, calls).seconds
                cpu_us = server.cpu_us() - before
                latencies_us = self.load.latencies_us(server, max(calls // _LATENCY_SHARE, 1))
                return (cpu_us / calls, calls / took, percentile(latencies_us, 0.5), percentile(latencies_us, 0.99))

            yield measure


class Stream:
    """One stream after the other, of `count` messages of `size` bytes."""

    def __init__(self, name, count, size, load, quick=False, cpu=None, rate=None, throughput=None, peer_options=()):
        self.name, self.count, self.size, self.load, self.quick = name, count, size, load, quick
        self.peer_options = list(peer_options)
        self.figures = [
            Figure("server CPU, us/message", goal=cpu),
            Figure("messages/s", Better.HIGHER, rate, brief=bool(peer_options)),
            Figure("MB/s", Better.HIGHER, throughput),
        ]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with programs.start_server(system, *(self.peer_options if system.startswith("grpc++") else [])) as server:
            calls = _calibrate(self.load, server, seconds)

            def measure():
                before = server.cpu_us()
                took = self.load.run(server, calls).seconds
                messages = calls * self.count
                return ((server.cpu_us() - before) / messages, messages / took, messages * self.size / took / 1e6)

            yield measure


class NewConnections:
    """One after the other: connect, SETTINGS both ways, one call, close."""

    def __init__(self, name, quick=False, cpu=None):
        self.name, self.quick = name, quick
        self.figures = [Figure("server CPU, us", goal=cpu)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with programs.start_server(system) as server:

            def measure():
                before = server.cpu_us()
                for _ in range(_NEW_CONNECTIONS):
                    connection = Calls(server)
                    connection.unary(1)
                    connection.close()
                return ((server.cpu_us() - before) / _NEW_CONNECTIONS,)

            measure()
            yield measure
