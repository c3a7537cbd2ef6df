"""A client that breaks rules, and the octets that clients and servers break them with."""

import socket

from peer import PATIENCE_S, Peer
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame

UNARY = "/grpc.testing.TestService/EmptyCall"
UNARY_CALL = "/grpc.testing.TestService/UnaryCall"
CONTINUATION, PRIORITY, PRIORITY_UPDATE, WINDOW_UPDATE = 9, 2, 16, 8


def named(name, attack):
    attack.__name__ = name
    return attack


def integer(value, prefix_bits, first=0):
    """RFC 7541 section 5.1."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return integer(len(data), 7) + data


def literal(name, value, indexed=False):
    """A field as itself; `indexed`: it enters the dynamic table."""
    return (b"\x40" if indexed else b"\0") + text(name) + text(value)


def request(path=UNARY, extra=(), **replaced):
    """The block of a call; `replaced` by name with _ for -, None leaves a field out; `extra` pairs follow."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost", "te": "trailers",
              "content-type": "application/grpc"}
    fields.update((name.replace("_", "-"), value) for name, value in replaced.items())
    pairs = [(name, value) for name, value in fields.items() if value is not None] + list(extra)
    return b"".join(literal(name, value) for name, value in pairs)


class Attacker(Peer):
    """A connection to `server`, with preface and SETTINGS sent, or nothing if `preface` is empty."""

    def __init__(self, server, settings=b"", acknowledge=True, preface=PREFACE, **options):
        opening = preface + frame(SETTINGS, 0, 0, settings) if preface else b""
        super().__init__(socket.create_connection((server.host, server.port), PATIENCE_S), opening, acknowledge,
                         **options)

    def call(self, stream, block, body=b"", end=True):
        """A request, and what its stream got."""
        self.send(frame(HEADERS, END_HEADERS, stream, block))
        for i in range(0, max(len(body), 1), 16384):
            last = END_STREAM if end and i + 16384 >= len(body) else 0
            self.send(frame(DATA, last, stream, body[i:i + 16384]))
        self.read_until(lambda: self.is_over(stream))
        return self.stream_end(stream)
