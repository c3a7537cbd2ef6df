"""Servers that do not go on, or let their clients go on by the octet only."""

import struct
import time

from attacker import WINDOW_UPDATE
from grpc_call import envelope
from raw_http2 import SETTINGS, frame
from servers.plays import play

MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
LATE = "timeout_ms=600"
PLAYS = []


def setting(name, value):
    return struct.pack(">HI", name, value)


@play(PLAYS, "DEADLINE_EXCEEDED", "waiting for a place", ask=LATE + " calls=50",
      settings=setting(MAX_CONCURRENT_STREAMS, 0))
def no_stream_is_allowed(connection):
    """SETTINGS_MAX_CONCURRENT_STREAMS 0, for ever."""


@play(PLAYS, "DEADLINE_EXCEEDED", "waiting for the response", ask=LATE + " calls=50")
def no_answer(connection):
    connection.request()


@play(PLAYS, "DEADLINE_EXCEEDED", "in the middle of the response", ask=LATE)
def half_a_message(connection):
    stream = connection.request()
    connection.head(stream)
    connection.body(stream, envelope(b"abcd", length=4 << 20))


@play(PLAYS, "DEADLINE_EXCEEDED", ask=LATE + " shape=upload calls=4", settings=setting(INITIAL_WINDOW_SIZE, 0))
def window_that_stays_shut(connection):
    connection.request()


@play(PLAYS, "DEADLINE_EXCEEDED", ask=LATE + " shape=upload", settings=setting(INITIAL_WINDOW_SIZE, 0))
def window_of_one_octet(connection):
    """Each octet of an upload is asked for."""
    stream = connection.request()
    for taken in range(20_000):
        if not connection.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1))):
            break
        # pylint: disable=cell-var-from-loop
        connection.read_until(lambda: connection.data.get(stream, 0) > taken or connection.is_over(stream))
        if connection.is_over(stream):
            break


@play(PLAYS, "DEADLINE_EXCEEDED", ask=LATE + " shape=upload")
def window_that_shrinks_below_0(connection):
    connection.request()
    connection.read_until(lambda: sum(connection.data.values()) > 0)
    connection.send(frame(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 0)))


@play(PLAYS, "INTERNAL", "FLOW_CONTROL_ERROR", ask="shape=upload")
def stream_window_that_overflows(connection):
    stream = connection.request()
    connection.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 2**31 - 1)) * 2)


@play(PLAYS, "UNAVAILABLE", "", ask="shape=upload write_timeout_ms=500 calls=4", read=False,
      settings=setting(INITIAL_WINDOW_SIZE, 2**31 - 1))
def socket_that_is_not_read(connection):
    """The windows are open, and nothing of what comes is read."""
    connection.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30)))
    time.sleep(2)


@play(PLAYS, "UNAVAILABLE", "sent no SETTINGS frame", ask="connect_timeout_ms=300", raw=True, acknowledge=False)
def silence(connection):
    """Connected, and never a word."""


@play(PLAYS, "UNAVAILABLE", "sent no SETTINGS frame", ask="connect_timeout_ms=300", raw=True, acknowledge=False)
def half_of_settings(connection):
    connection.send(frame(SETTINGS, 0, 0)[:5])


@play(PLAYS, "UNAVAILABLE", "settings_ack_timeout", "GOAWAY SETTINGS_TIMEOUT", ask="settings_ack_timeout_ms=300",
      acknowledge=False)
def settings_that_are_not_acknowledged(connection):
    connection.request()


@play(PLAYS, "DEADLINE_EXCEEDED", "", ask="timeout_ms=3000 wait_for_ready=1", raw=True, connections_max=4)
def accept_and_close(connection):
    """The back-off holds: a second, and 1.6 times as much each time (up to 20 % less by chance)."""
    connection.socket.close()
    connection.closed = True


@play(PLAYS, "UNAVAILABLE|DEADLINE_EXCEEDED", "", ask="timeout_ms=3000 wait_for_ready=1", connections_max=4)
def settings_and_close(connection):
    """It looks like a server for a moment, perhaps long enough for the call to be sent."""
    connection.socket.close()
    connection.closed = True


@play(PLAYS, "UNAVAILABLE", "HTTP/1.1", raw=True)
def http_1_1_answer(connection):
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@play(PLAYS, "UNAVAILABLE", "TLS", raw=True)
def tls_answer(connection):
    """What a server of TLS says to a client of plaintext: alert protocol_version."""
    connection.send(b"\x15\x03\x01\x00\x02\x02\x46")


@play(PLAYS, "UNAVAILABLE", "", raw=True)
def noise(connection):
    connection.send(bytes(range(256)) * 64)


@play(PLAYS, "UNAVAILABLE", "", raw=True)
def other_protocol(connection):
    """A server that speaks first."""
    connection.send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
