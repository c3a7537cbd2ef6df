"""Calls of bench.Echo by hand, over plain frames: for what h2load cannot do, as to hold streams open."""

import h2load
from raw_http2 import (DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, WINDOW_UPDATE, Connection, frame,
                       grpc_request)  # of tests/interop/tools

_MESSAGE = h2load.payload(16)
_UNARY = grpc_request("/bench.Echo/Unary")
_BIDI = grpc_request("/bench.Echo/BidiEcho")
_AT_ONCE = 100  # calls that are sent before their replies are read


class Calls:
    """One connection and the calls on it. Every message is of 16 bytes and is echoed."""

    def __init__(self, server):
        self._connection = Connection(server, self._on_frame)
        self._window_bytes = 65535  # RFC 9113 section 6.9.2; what the server adds comes as WINDOW_UPDATE
        self._stream = -1
        self._ended = 0
        self._echoed_bytes = 0

    def unary(self, count):
        """`count` calls at once, and all their replies."""
        self._begin(_UNARY, count, END_STREAM)
        self._await(lambda: self._ended >= count, "%d calls to end" % count)
        self._ended = 0
        self._expect_echoes(count)

    def open_streams(self, count):
        """Opens `count` bidi calls, each of which echoes one message and stays open."""
        for begin in range(0, count, _AT_ONCE):
            some = min(_AT_ONCE, count - begin)
            self._begin(_BIDI, some, 0)
            self._await(lambda: self._echoed_bytes >= some * len(_MESSAGE), "%d messages to be echoed" % some)
            self._expect_echoes(some)

    def close(self):
        self._connection.socket.close()

    def _begin(self, headers, count, end_stream):
        self._await(lambda: self._window_bytes >= count * len(_MESSAGE), "the server's window to open")
        for _ in range(count):
            self._stream += 2
            self._connection.send(frame(HEADERS, END_HEADERS, self._stream, headers),
                                  frame(DATA, end_stream, self._stream, _MESSAGE))
        self._window_bytes -= count * len(_MESSAGE)

    def _await(self, holds, what):
        if not self._connection.read_until(holds):
            raise RuntimeError("expected %s, but the server closed the connection" % what)

    def _expect_echoes(self, count):
        if self._echoed_bytes != count * len(_MESSAGE):
            raise RuntimeError("expected %d bytes echoed, got %d" % (count * len(_MESSAGE), self._echoed_bytes))
        self._echoed_bytes = 0

    def _on_frame(self, kind, flags, stream, payload):
        if kind == DATA:
            self._echoed_bytes += len(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._ended += 1
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window_bytes += int.from_bytes(payload, "big")
        elif kind in (RST_STREAM, GOAWAY):
            raise RuntimeError("expected calls to go on, got frame type %d on stream %d: %r" % (kind, stream, payload))


def open_connections(server, count):
    """`count` connections, each of which has made one call."""
    connections = []
    for _ in range(count):
        connections.append(Calls(server))
        connections[-1].unary(1)
    return connections
