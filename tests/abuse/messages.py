"""gRPC requests and messages that are not what they say: an error of their call, and of nothing else."""

import gzip

from attacker import UNARY, named, request
from floods import HOLD
from grpc_call import envelope
from headers import one_call

MIB = 1 << 20


def unary(body, **fields):
    return lambda server: one_call(server, request(**fields), body)


def head(**fields):
    return lambda server: one_call(server, request(**fields))


def packed(data):
    return envelope(gzip.compress(data), flag=1)


ATTACKS = {
    "message_over_the_limit": (unary(envelope(b"", length=5 * MIB)), "status 8"),
    "declared_length_of_4_gib": (unary(envelope(b"x", length=2**32 - 1)), "status 8"),
    "truncated_prefix": (unary(b"\0\0"), "status 13"),
    "truncated_message": (unary(envelope(b"abc", length=10)), "status 13"),
    "flag_7": (unary(envelope(b"", flag=7)), "status 13"),
    "compressed_without_encoding": (unary(packed(b"")), "status 13"),
    "compressed_with_identity": (unary(packed(b""), grpc_encoding="identity"), "status 13"),
    "unknown_encoding": (unary(packed(b""), grpc_encoding="snappy"), "status 12"),
    "corrupt_gzip": (unary(envelope(b"no gzip", flag=1), grpc_encoding="gzip"), "status 13"),
    "cut_gzip": (unary(envelope(gzip.compress(bytes(1000))[:-9], flag=1), grpc_encoding="gzip"), "status 13"),
    "gzip_with_more_behind": (unary(envelope(gzip.compress(b"") + b"more", flag=1), grpc_encoding="gzip"), "status 13"),
    "decompression_bomb": (unary(packed(bytes(64 * MIB)), grpc_encoding="gzip"), "status 8"),
    "no_message": (unary(b""), "status 12"),
    "two_messages": (unary(envelope(b"") * 2), "status 12"),
    "invalid_protobuf": (lambda server: one_call(server, request("/grpc.testing.TestService/UnaryCall"),
                                                 envelope(b"\xff\xff\xff")), "status 13"),
    "wrong_te": (head(te="gzip"), "RST_STREAM PROTOCOL_ERROR"),
    "no_te": (head(te=None), "status 0"),
    "wrong_content_type": (head(content_type="text/html"), "HTTP 415 status"),
    "method_get": (lambda server: one_call(server, request(**{":method": "GET"})), "HTTP 405 status"),
    "unknown_method": (head(path=UNARY + "x"), "status 12"),
    "doubled_slash": (head(path="/" + UNARY), "status 12"),
    "path_with_query": (head(path=UNARY + "?a=b"), "status 12"),
    "absolute_path": (head(path="http://localhost" + UNARY), "status 12"),
    "timeout_of_9_digits": (head(grpc_timeout="123456789S"), "status 13"),
    "empty_timeout": (head(grpc_timeout=""), "status 13"),
    "timeout_with_a_fraction": (head(grpc_timeout="1.5S"), "status 13"),
    "timeout_without_unit": (head(grpc_timeout="5"), "status 13"),
    "negative_timeout": (head(grpc_timeout="-5S"), "status 13"),
    "longest_timeout": (head(grpc_timeout="99999999H"), "status 0"),
    "zero_timeout": (head(path=HOLD, grpc_timeout="0S"), "status 4"),
    "deadline_that_passes": (lambda server: one_call(server, request(HOLD, grpc_timeout="100m"), end=False),
                             "status 4"),
    "content_length_that_lies": (head(content_length="999"), "RST_STREAM PROTOCOL_ERROR"),
}


EXPECTED = {named(name, attack): expected for name, (attack, expected) in ATTACKS.items()}
