"""Attacks that cost by not going on, until the server's time is over: played against a server that is impatient.

What a server of the defaults does with them in the meantime is in slow.py. EXPECTED says what the attackers get;
COUNTED which of the server's times was over for them, and how often at least.
"""

import socket
import struct
import time

from attacker import WINDOW_UPDATE, Attacker, named, request
from floods import HOLD
from grpc_call import envelope
from peer import PATIENCE_S
from raw_http2 import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame
from slow import INITIAL_WINDOW_SIZE, LARGE_ANSWER, STREAMING_OUTPUT

ATTACKERS = 20
STREAMS_MAX = 50  # of the server
CONNECTIONS = 300  # three times its descriptors


def ends(attackers, end):
    """What they all got."""
    got = sorted({end(attacker) for attacker in attackers})
    for attacker in attackers:
        attacker.close()
    return ", ".join(got)


def connection_ends(attackers):
    return ends(attackers, lambda attacker: attacker.wait_for_end())


def begin_with(octets):
    """Connections that begin so and go no further."""
    def attack(server):
        attackers = [Attacker(server, preface=b"", acknowledge=False) for _ in range(ATTACKERS)]
        for attacker in attackers:
            attacker.send(octets)
        return connection_ends(attackers)
    return attack


def settings_are_never_acknowledged(server):
    return connection_ends([Attacker(server, acknowledge=False) for _ in range(ATTACKERS)])


def header_blocks_never_end(server):
    attackers = [Attacker(server) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, 0, 1, request()[:20]))
    return connection_ends(attackers)


def messages_never_end(server):
    """Their calls end, and nothing else on their connections."""
    attackers = [Attacker(server) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request(HOLD)) +
                      frame(DATA, 0, 1, envelope(b"abcd", length=4 << 20)))
    for attacker in attackers:
        attacker.read_until(lambda: attacker.is_over(1))  # pylint: disable=cell-var-from-loop
    return ends(attackers, lambda attacker: attacker.stream_end(1) + ", then " +
                attacker.call(3, request(), envelope(b"")))


def windows_never_open(server):
    """The answers wait in their handlers, whose time it is."""
    attackers = [Attacker(server, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request(STREAMING_OUTPUT)) +
                      frame(DATA, END_STREAM, 1, LARGE_ANSWER))
    for attacker in attackers:
        attacker.read_until(lambda: attacker.is_over(1))  # pylint: disable=cell-var-from-loop
    return ends(attackers, lambda attacker: attacker.stream_end(1))


def sockets_are_never_read(server):
    """The windows are open, so each call's queue is full. The server cannot say goodbye where nothing is read."""
    attacker = Attacker(server, struct.pack(">HI", INITIAL_WINDOW_SIZE, 2**31 - 1), read=False)
    # Unread as they are, the server's SETTINGS are acknowledged: or it would be for that that it closes.
    attacker.send(frame(SETTINGS, ACK, 0) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30)))
    for stream in range(1, 2 * STREAMS_MAX, 2):
        attacker.send(frame(HEADERS, END_HEADERS, stream, request(STREAMING_OUTPUT)) +
                      frame(DATA, END_STREAM, stream, LARGE_ANSWER))
    time.sleep(1)
    return ends([attacker], lambda attacker: "closed" if attacker.wait_for_end() != "open" else "open")


def pings_are_never_answered(server):
    """A call keeps the connection from being idle."""
    attackers = [Attacker(server, answer_pings=False) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.send(frame(HEADERS, END_HEADERS, 1, request(HOLD)))
    return connection_ends(attackers)


def connections_without_calls(server):
    """They answer its PINGs, all of them."""
    attackers = [Attacker(server) for _ in range(ATTACKERS)]
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up and "open" in [attacker.wait_for_end(0.02) for attacker in attackers]:
        pass
    return connection_ends(attackers)


def too_many_streams(server):
    """One more than the SETTINGS allow, which the client has acknowledged."""
    attacker = Attacker(server)
    for stream in range(1, 2 * STREAMS_MAX + 2, 2):
        attacker.send(frame(HEADERS, END_HEADERS, stream, request(HOLD)))
    return connection_ends([attacker])


def too_many_streams_early(server):
    """One more than allowed by SETTINGS that the client may not have seen yet."""
    attacker = Attacker(server, acknowledge=False)
    last = 2 * STREAMS_MAX + 1
    for stream in range(1, last + 1, 2):
        attacker.send(frame(HEADERS, END_HEADERS, stream, request(HOLD)))
    attacker.read_until(lambda: attacker.is_over(last))
    return ends([attacker], lambda attacker: attacker.stream_end(last))


def accept_storm(server):
    """More connections than the process may have descriptors: none is answered by a crash, and those before go on."""
    sockets = []
    for _ in range(CONNECTIONS):
        peer = socket.socket()
        peer.setblocking(False)
        peer.connect_ex((server.host, server.port))
        sockets.append(peer)
    time.sleep(1)
    for peer in sockets:
        peer.close()
    return "open"


TIMEOUT, CALM = "GOAWAY SETTINGS_TIMEOUT ", "GOAWAY ENHANCE_YOUR_CALM "

EXPECTED = {
    named("no_preface", begin_with(b"")): TIMEOUT + "handshake: expected the client's preface and SETTINGS within",
    named("preface_never_ends", begin_with(PREFACE[:10])): TIMEOUT + "handshake",
    named("preface_without_settings", begin_with(PREFACE)): TIMEOUT + "handshake",
    settings_are_never_acknowledged: TIMEOUT + "SETTINGS: expected their acknowledgement within",
    header_blocks_never_end: CALM + "header block: expected its end within 400 ms",
    messages_never_end: "RST_STREAM CANCEL, then status 0",
    windows_never_open: "status 1",
    sockets_are_never_read: "closed",
    pings_are_never_answered: "GOAWAY NO_ERROR",
    connections_without_calls: "GOAWAY NO_ERROR max_idle",
    too_many_streams: "GOAWAY PROTOCOL_ERROR",
    too_many_streams_early: "RST_STREAM REFUSED_STREAM",
    accept_storm: "open",
}

COUNTED = {
    "handshake_timeout": 3 * ATTACKERS, "settings_ack_timeout": ATTACKERS, "header_block_timeout": ATTACKERS,
    "message_timeout": ATTACKERS, "stream_write_stall_timeout": ATTACKERS, "write_timeout": 1,
    "keepalive.timeout": ATTACKERS, "max_idle": ATTACKERS,
}
