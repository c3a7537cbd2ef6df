"""Requests that are HTTP/2 but not gRPC as it should be: each is answered with a status that says what is wrong."""

from expect import INTERNAL, OK, RESOURCE_EXHAUSTED, SERVICE, UNIMPLEMENTED, expect, expect_status
from grpc_call import envelope, post

UNARY = SERVICE + "UnaryCall"


def truncated_message(server, _options):
    answer = post(server, UNARY, envelope(b"abc", length=10))
    expect_status("3 of 10 bytes", answer, INTERNAL)
    answer = post(server, UNARY, b"\0\0\0")
    expect_status("3 bytes of a prefix", answer, INTERNAL)


def missing_message(server, _options):
    answer = post(server, UNARY, b"")
    expect(answer.grpc_status not in (None, OK), "unary call without a message: expected an error, got %s" % answer)


def second_message(server, _options):
    answer = post(server, UNARY, envelope(b"") + envelope(b""))
    expect(answer.grpc_status not in (None, OK), "unary call with two messages: expected an error, got %s" % answer)


def oversized_message(server, _options):
    answer = post(server, UNARY, envelope(b"abc", length=4 * 1024 * 1024 + 1))
    expect_status("prefix of 4 MiB + 1", answer, RESOURCE_EXHAUSTED, "4194304", "4194305")
    answer = post(server, UNARY, envelope(b"abc", length=2**32 - 1))
    expect_status("prefix of 4 GiB - 1", answer, RESOURCE_EXHAUSTED, "4194304")
    answer = post(server, UNARY, envelope(bytes(8 * 1024 * 1024)))
    expect_status("8 MiB sent in full", answer, RESOURCE_EXHAUSTED)


def undecodable_message(server, _options):
    answer = post(server, UNARY, envelope(b"\xff\xff\xff"))
    expect_status("3 bytes that are no protobuf", answer, INTERNAL)


def unexpected_compression(server, _options):
    answer = post(server, UNARY, envelope(b"", flag=1))
    expect_status("compressed flag without grpc-encoding", answer, INTERNAL)
    answer = post(server, UNARY, envelope(b"", flag=1), headers=[("grpc-encoding", "snappy")])
    expect_status("unknown grpc-encoding", answer, UNIMPLEMENTED)
    answer = post(server, UNARY, envelope(b"", flag=7))
    expect_status("flag 7", answer, INTERNAL)


def unknown_names(server, _options):
    for path in (SERVICE + "NoSuchMethod", "/no.such.Service/Method", "/onlyoneslash", "/", "/a/b/c",
                 "/GRPC.testing.TestService/EmptyCall", SERVICE + "EmptyCall/"):
        expect_status(path, post(server, path, envelope(b"")), UNIMPLEMENTED, path)


def not_grpc(server, _options):
    for content_type in ("text/plain", "application/json", "application/grpcx", "grpc"):
        answer = post(server, UNARY, envelope(b""), headers=[("content-type", content_type)])
        expect(answer.http_status == 415, "content-type \"%s\": expected HTTP 415, got %s" % (content_type, answer))
    answer = post(server, UNARY, b"", method="GET")
    expect(answer.http_status == 405, "GET: expected HTTP 405, got %s" % answer)


def bad_timeouts(server, _options):
    for timeout in ("5sec", "123456789S", "-1S", "S", "1", "1x"):
        answer = post(server, UNARY, envelope(b""), headers=[("grpc-timeout", timeout)])
        expect(answer.grpc_status not in (None, OK), "grpc-timeout \"%s\": expected an error, got %s" % (timeout, answer))
        expect("grpc-timeout" in answer.grpc_message and timeout in answer.grpc_message,
               "grpc-timeout \"%s\": expected both in the message, got %s" % (timeout, answer))


def bad_metadata(server, _options):
    inspect = "/weir.interop.Features/Inspect"
    for name, value in (("x-padded-bin", "AAEC"), ("x-padded-bin", "AA=="), ("x-unpadded-bin", "AA")):
        expect_status("%s: %s" % (name, value), post(server, inspect, envelope(b""), headers=[(name, value)]), OK)
    answer = post(server, inspect, envelope(b""), headers=[("x-broken-bin", "!!!")])
    expect(answer.grpc_status is not None, "base64 that is none: expected an answer, got %s" % answer)
    answer = post(server, inspect, envelope(b""), headers=[("x-large-%d" % i, "v" * 8000) for i in range(30)])
    expect(answer.exit_code != 0 or answer.grpc_status != OK or answer.http_status == 431,
           "240 kB of headers: expected a refusal, got %s" % answer)


CHECKS = [
    truncated_message, missing_message, second_message, oversized_message, undecodable_message,
    unexpected_compression, unknown_names, not_grpc, bad_timeouts, bad_metadata
]
