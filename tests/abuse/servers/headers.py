"""Servers that attack by header blocks."""

from attacker import CONTINUATION, integer, literal
from raw_http2 import END_HEADERS, END_STREAM, HEADERS, frame
from servers.floods import CALM
from servers.hostile_server import HEAD, trailers
from servers.plays import Play, named, play

PLAYS = []


def in_parts(connection, stream, block, flags=0):
    """A block of any length, in HEADERS and CONTINUATION."""
    parts = [block[i:i + 16384] for i in range(0, len(block), 16384)]
    for i, part in enumerate(parts):
        last = END_HEADERS if i == len(parts) - 1 else 0
        if not connection.send(frame(CONTINUATION, last, stream, part) if i else
                               frame(HEADERS, last | flags, stream, part)):
            break


def head(block):
    """A server that answers with this head."""
    return lambda connection: in_parts(connection, connection.request(), block)


def tail(block):
    """A server that answers as usual, but for its trailers."""
    def script(connection):
        stream = connection.request()
        connection.head(stream)
        connection.body(stream)
        in_parts(connection, stream, block, END_STREAM)
    return script


BOMB = literal("bomb", "x" * 3500, indexed=True) + integer(62, 7, 0x80) * 12_000
LARGE, MANY = literal("x", "y" * 20_000), literal("a", "") * 200

for name, script, ends, text, got in [
        ("hpack_bomb", head(HEAD + BOMB), "UNAVAILABLE", "header block", CALM),  # CVE-2016-6581
        ("hpack_bomb_in_trailers", tail(trailers() + BOMB), "UNAVAILABLE", "header block", CALM),
        ("head_over_the_limit", head(HEAD + LARGE), "RESOURCE_EXHAUSTED", "max_metadata_bytes", ""),
        ("trailers_over_the_limit", tail(trailers() + LARGE), "RESOURCE_EXHAUSTED", "max_metadata_bytes", ""),
        ("too_many_fields", head(HEAD + MANY), "RESOURCE_EXHAUSTED", "max_metadata_fields", ""),
        ("too_many_fields_in_trailers", tail(trailers() + MANY), "RESOURCE_EXHAUSTED", "max_metadata_fields", ""),
        ("long_integers", head(HEAD + b"\0\x7f" + b"\x80" * 1000 + b"\0"), "UNAVAILABLE", "COMPRESSION_ERROR",
         "GOAWAY COMPRESSION_ERROR"),  # CVE-2023-33953
        ("bad_header_compression", head(b"\xff" * 8), "UNAVAILABLE", "COMPRESSION_ERROR", "GOAWAY COMPRESSION_ERROR"),
        ("empty_names", head(HEAD + literal("", "") * 10), "INTERNAL", "PROTOCOL_ERROR", ""),  # CVE-2019-9516
        ("pseudo_header_in_trailers", tail(literal(":status", "200") + trailers()), "INTERNAL", "PROTOCOL_ERROR", ""),
        ("bad_base64", tail(trailers() + literal("x-bin", "!!!")), "OK", "", ""),  # CVE-2023-32732
        ("invalid_values", tail(trailers() + literal("odd", b"caf\xe9 \x80\xff")), "OK", "", ""),
]:
    PLAYS.append(Play(named(name, script), ends, text, got))


@play(PLAYS, "UNAVAILABLE", "header block", CALM)
def continuation_flood(connection):
    """CVE-2024-27316, CVE-2024-28182"""
    stream = connection.request()
    connection.send(frame(HEADERS, 0, stream, HEAD))
    connection.flood([frame(CONTINUATION, 0, stream, literal("a", "b") * 2000)] * 1000)


@play(PLAYS, "UNAVAILABLE", "CONTINUATION", CALM)
def trailers_that_never_end(connection):
    """An octet at a time."""
    stream = connection.request()
    connection.head(stream)
    connection.body(stream)
    connection.send(frame(HEADERS, END_STREAM, stream, trailers()))
    connection.flood([frame(CONTINUATION, 0, stream)] * 1000)


@play(PLAYS, "UNAVAILABLE", "header_block_timeout", CALM, ask="header_block_timeout_ms=300")
def half_a_header_block(connection):
    stream = connection.request()
    connection.head(stream)
    connection.send(frame(HEADERS, END_STREAM, stream, trailers()[:5]))
