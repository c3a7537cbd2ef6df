#!/usr/bin/python3
"""10,000 open calls on one server: all echo a message, stay open, echo another one, and end in good order.

  open_streams_test.py --server=echo_server --path=/bench.Echo/BidiEcho
"""

import argparse
import sys

from grpc_call import envelope
from processes import Server
from raw_http2 import (DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Connection, frame, grpc_request, run_until)

MESSAGE = envelope(b"\x0a\x10sixteen bytes ok")


class Calls:
    """What has come on the streams of all connections."""

    def __init__(self):
        self.echoed_bytes = 0
        self.ended = 0
        self.reset = 0

    def on_frame(self, kind, flags, _stream, payload):
        if kind == DATA:
            self.echoed_bytes += len(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended += 1
        if kind == RST_STREAM:
            self.reset += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--path", required=True, help="of a bidi method that sends every message back")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--streams", type=int, default=500, help="per connection")
    parser.add_argument("--most_memory_mib", type=int, default=1024)
    options = parser.parse_args()

    server = Server([options.server, "--port=0"])
    calls = Calls()
    connections = [Connection(server, calls.on_frame) for _ in range(options.connections)]
    ids = range(1, 2 * options.streams, 2)
    total = options.connections * options.streams
    request = grpc_request(options.path)

    def step(name, send, holds):
        for connection in connections:
            for stream in ids:
                send(connection, stream)
        problem = run_until(connections, holds)
        peak_kib, descriptors = server.memory_kib()
        print("%-22s %6d echoed, %5d ended, %d reset; server: %d MiB at most, %d descriptors" %
              (name, calls.echoed_bytes // len(MESSAGE), calls.ended, calls.reset, peak_kib // 1024, descriptors))
        if problem or calls.reset:
            sys.exit("%s: expected %d calls to go on, but %s\n%s" %
                     (name, total, problem or "%d were reset" % calls.reset, server.tail()))
        return peak_kib

    step("open and echo", lambda connection, stream: connection.send(
        frame(HEADERS, END_HEADERS, stream, request), frame(DATA, 0, stream, MESSAGE)),
         lambda: calls.echoed_bytes >= total * len(MESSAGE))
    if calls.ended:
        sys.exit("open and echo: expected %d calls to stay open, but %d ended" % (total, calls.ended))
    step("echo again", lambda connection, stream: connection.send(frame(DATA, 0, stream, MESSAGE)),
         lambda: calls.echoed_bytes >= 2 * total * len(MESSAGE))
    peak_kib = step("end", lambda connection, stream: connection.send(frame(DATA, END_STREAM, stream)),
                    lambda: calls.ended >= total)
    if calls.echoed_bytes != 2 * total * len(MESSAGE):
        sys.exit("expected %d bytes echoed, got %d" % (2 * total * len(MESSAGE), calls.echoed_bytes))
    if peak_kib > options.most_memory_mib * 1024:
        sys.exit("expected at most %d MiB, got %d" % (options.most_memory_mib, peak_kib // 1024))
    for connection in connections:
        connection.socket.close()
    problem = server.stop()
    if problem:
        sys.exit(problem)
    print("PASS %d open calls on %d connections" % (total, options.connections))
    return 0


if __name__ == "__main__":
    sys.exit(main())
