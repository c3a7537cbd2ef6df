"""Clients that change what has been agreed on, within what HTTP/2 allows: their calls go on."""

import struct

from attacker import UNARY_CALL, WINDOW_UPDATE, Attacker, named, request
from frames import HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, settings
from grpc_call import envelope
from raw_http2 import DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, frame

LAST_STREAM = 2**31 - 1
ANSWER_OF_100_KIB = envelope(b"\x10\x80\xa0\x06")  # SimpleRequest{response_size: 102400}


def call_after(data):
    """Two calls, with this between them."""
    def attack(server):
        attacker = Attacker(server)
        got = [attacker.call(1, request(), envelope(b""))]
        attacker.send(data)
        got.append(attacker.call(3, request(), envelope(b"")))
        attacker.close()
        return ", ".join(got)
    return attack


def header_table_up_and_down(server):
    """Its decoder is strict: what the server encodes must fit the table that it was told, at every time."""
    attacker = Attacker(server)
    got, stream = set(), 1
    for size in (0, 1, 65536, 4096, 0, 4096):
        attacker.send(settings((HEADER_TABLE_SIZE, size)))
        for _ in range(3):
            got.add(attacker.call(stream, request(), envelope(b"")))
            stream += 2
    attacker.close()
    return ", ".join(sorted(got))


def window_that_shrinks_below_0(server):
    """The answer stops, waits, and comes whole."""
    attacker = Attacker(server)
    attacker.send(frame(HEADERS, END_HEADERS, 1, request(UNARY_CALL)) + frame(DATA, END_STREAM, 1, ANSWER_OF_100_KIB))
    attacker.read_until(lambda: attacker.data.get(1, 0) >= 65535)
    attacker.send(settings((INITIAL_WINDOW_SIZE, 0)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20)))
    attacker.send(frame(PING, 0, 0, bytes(8)))
    attacker.read_until(lambda: attacker.ping_acks)
    before = attacker.data[1]
    attacker.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1 << 20)))
    attacker.read_until(lambda: attacker.is_over(1))
    end = "%d octets, then %d, %s" % (before, attacker.data[1] - before, attacker.stream_end(1))
    attacker.close()
    return end


def goaway_from_a_client(server):
    """Its open call ends well; then the connection does."""
    attacker = Attacker(server)
    attacker.send(frame(HEADERS, END_HEADERS, 1, request()) + frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)))
    attacker.send(frame(DATA, END_STREAM, 1, envelope(b"")))
    attacker.read_until(lambda: attacker.closed)
    end = attacker.stream_end(1) + (", then closed" if attacker.closed else ", then open")
    attacker.close()
    return end


def last_stream_id(server):
    attacker = Attacker(server)
    end = attacker.call(LAST_STREAM, request(), envelope(b""))
    attacker.close()
    return end


EXPECTED = {
    header_table_up_and_down: "status 0",
    window_that_shrinks_below_0: "65535 octets, then 36",
    goaway_from_a_client: "status 0, then closed",
    last_stream_id: "status 0",
}


EXPECTED.update({named(name, call_after(data)): "status 0, status 0" for name, data in {
    "frames_of_16_mib_are_allowed": settings((MAX_FRAME_SIZE, 2**24 - 1)),
    "settings_that_nobody_knows": settings((0xbe, 1), (0xef, 2)),
}.items()})
