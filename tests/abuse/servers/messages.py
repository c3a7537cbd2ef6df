"""Answers that are not what they say: an error of their call, and of nothing else."""

import gzip

from attacker import literal
from grpc_call import envelope
from raw_http2 import END_STREAM
from servers.hostile_server import HEAD, trailers
from servers.plays import Play, named

MIB = 1 << 20
GZIP = literal("grpc-encoding", "gzip")


def packed(data):
    return envelope(gzip.compress(data), flag=1)


def answer(body=envelope(b""), head=HEAD, end=trailers()):
    """A server that answers so; `end` None: with the last of the body."""
    def script(connection):
        stream = connection.request()
        connection.head(stream, head)
        connection.body(stream, body, END_STREAM if end is None else 0)
        if end is not None:
            connection.end(stream, end)
    return script


def only(block):
    """A server whose answer is one block."""
    return lambda connection: connection.end(connection.request(), block)


def http(status, content_type="text/html"):
    return literal(":status", str(status)) + literal("content-type", content_type)


PLAYS = [Play(named(name, script), ends, text) for name, script, ends, text in [
    ("message_over_the_limit", answer(envelope(b"", length=5 * MIB)), "RESOURCE_EXHAUSTED",
     "max_receive_message_bytes"),
    ("declared_length_of_4_gib", answer(envelope(b"x", length=2**32 - 1)), "RESOURCE_EXHAUSTED",
     "max_receive_message_bytes"),
    ("truncated_prefix", answer(b"\0\0"), "INTERNAL", "stream ended inside"),
    ("truncated_message", answer(envelope(b"abc", length=10)), "INTERNAL", "stream ended inside a message"),
    ("flag_7", answer(envelope(b"", flag=7)), "INTERNAL", "compressed-flag"),
    ("compressed_without_encoding", answer(packed(b"")), "INTERNAL", "no grpc-encoding"),
    ("compressed_with_identity", answer(packed(b""), HEAD + literal("grpc-encoding", "identity")), "INTERNAL",
     "no grpc-encoding"),
    ("unknown_encoding", answer(packed(b""), HEAD + literal("grpc-encoding", "snappy")), "INTERNAL", "snappy"),
    ("corrupt_gzip", answer(envelope(b"no gzip", flag=1), HEAD + GZIP), "INTERNAL", "gzip"),
    ("cut_gzip", answer(envelope(gzip.compress(bytes(1000))[:-9], flag=1), HEAD + GZIP), "INTERNAL", "gzip"),
    ("gzip_with_more_behind", answer(envelope(gzip.compress(b"") + b"more", flag=1), HEAD + GZIP), "INTERNAL", "gzip"),
    ("decompression_bomb", answer(packed(bytes(64 * MIB)), HEAD + GZIP), "RESOURCE_EXHAUSTED",
     "max_receive_message_bytes"),
    ("no_message", answer(b""), "UNIMPLEMENTED", "exactly one message"),
    ("two_messages", answer(envelope(b"") * 2), "UNIMPLEMENTED", "exactly one message"),
    ("invalid_protobuf", answer(envelope(b"\xff\xff\xff")), "INTERNAL", "not a valid"),
    ("no_trailers", answer(end=None), "UNKNOWN", "without trailers"),
    ("trailers_without_status", answer(end=literal("a", "b")), "UNKNOWN", "without grpc-status"),
    ("status_99", answer(end=trailers(99)), "UNKNOWN", "from 0 to 16"),
    ("status_in_words", answer(end=trailers("NOT_FOUND")), "UNKNOWN", "from 0 to 16"),
    ("two_statuses", answer(end=trailers(5, "first") + trailers(13, "second")), "NOT_FOUND", "first"),
    ("broken_percent_encoding", only(HEAD + trailers(3, "50% of %zz")), "INVALID_ARGUMENT", "50% of %zz"),
    ("status_ok_without_message", only(HEAD + trailers()), "UNIMPLEMENTED", "exactly one message"),
    ("html_with_200", answer(b"<html>", http(200), literal("a", "b")), "UNKNOWN", "text/html"),
    ("html_with_400", answer(b"<html>", http(400), literal("a", "b")), "INTERNAL", "HTTP 400"),
    ("html_with_401", answer(b"<html>", http(401), literal("a", "b")), "UNAUTHENTICATED", "HTTP 401"),
    ("html_with_403", answer(b"<html>", http(403), literal("a", "b")), "PERMISSION_DENIED", "HTTP 403"),
    ("html_with_404", answer(b"<html>", http(404), literal("a", "b")), "UNIMPLEMENTED", "HTTP 404"),
    ("html_with_429", answer(b"<html>", http(429), literal("a", "b")), "UNAVAILABLE", "HTTP 429"),
    ("html_with_502", answer(b"<html>", http(502), literal("a", "b")), "UNAVAILABLE", "HTTP 502"),
    ("html_with_504", answer(b"<html>", http(504), literal("a", "b")), "UNAVAILABLE", "HTTP 504"),
    ("html_with_503", answer(b"<html>" * 100_000, http(503), None), "UNAVAILABLE", "HTTP 503"),
    ("content_length_that_lies", answer(head=HEAD + literal("content-length", "999")), "INTERNAL", "PROTOCOL_ERROR"),
]]
