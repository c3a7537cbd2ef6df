"""Servers that end a call, or the connection below it, in a way of their own."""

import struct

from raw_http2 import GOAWAY, RST_STREAM, frame
from servers.hostile_server import trailers
from servers.plays import Play, named, play

INTERNAL_ERROR, CANCEL, CALM, INSECURE = 2, 8, 11, 12
PLAYS = []


def resets(code):
    """A server that has begun to answer."""
    def script(connection):
        stream = connection.request()
        connection.head(stream)
        connection.send(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))
    return script


def goes_away(code, text):
    """A server that has looked at no call of any connection."""
    def script(connection):
        connection.request()
        connection.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, code) + text))
    return script


for name, script, ends, text in [
        ("reset_by_cancel", resets(CANCEL), "CANCELLED", "peer reset stream 1: CANCEL"),
        ("reset_by_calm", resets(CALM), "RESOURCE_EXHAUSTED", "ENHANCE_YOUR_CALM"),
        ("reset_for_security", resets(INSECURE), "PERMISSION_DENIED", "INADEQUATE_SECURITY"),
        ("goaway_with_a_code", goes_away(INTERNAL_ERROR, b"out of order"), "UNAVAILABLE", "out of order"),
        ("goaway_with_a_long_text", goes_away(INTERNAL_ERROR, b"x" * 16_000), "UNAVAILABLE", "xxxx"),
]:
    PLAYS.append(Play(named(name, script), ends, text, connections_max=4))


@play(PLAYS, "OK")
def reset_behind_the_trailers(connection):
    """RFC 9113 8.1: a server that has answered in full does not want the rest of the request."""
    stream = connection.request()
    connection.head(stream)
    connection.body(stream)
    connection.end(stream, trailers())
    connection.send(frame(RST_STREAM, 0, stream, bytes(4)))


@play(PLAYS, "UNAVAILABLE", "closed by peer")
def close_in_the_middle(connection):
    stream = connection.request()
    connection.head(stream)
    connection.socket.close()
    connection.closed = True
