"""Servers that cost by the number of what they send."""

import struct

from attacker import PRIORITY, WINDOW_UPDATE, literal
from raw_http2 import ACK, DATA, END_HEADERS, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame
from servers.hostile_server import HEAD, trailers
from servers.plays import play

CALM = "GOAWAY ENHANCE_YOUR_CALM"
MOST = 2**31 - 1
PLAYS = []


def calm(text, **options):
    """The connection ends, and its call with it."""
    return play(PLAYS, "UNAVAILABLE", text, CALM, **options)


@calm("SETTINGS: expected at most")
def settings_flood(connection):
    connection.request()
    connection.flood([frame(SETTINGS, 0, 0) * 100] * 1000)


@calm("PING: expected at most")
def ping_flood(connection):
    connection.request()
    for sent in range(20, 20_000, 20):
        if not connection.send(frame(PING, 0, 0, bytes(8)) * 20):
            break
        connection.read_until(lambda: connection.ping_acks >= sent)  # pylint: disable=cell-var-from-loop


@play(PLAYS, "UNAVAILABLE", read=False)
def unread_ping_flood(connection):
    connection.flood([frame(PING, 0, 0, bytes(8)) * 1000] * 2000)


@calm("PRIORITY: expected at most")
def priority_flood(connection):
    connection.request()
    connection.flood([frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 7)) * 100] * 1000)


@calm("WINDOW_UPDATE: expected at most")
def window_update_flood(connection):
    connection.request()
    connection.flood([frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 100] * 1000)


@calm("unknown_frames")
def unknown_frames(connection):
    connection.request()
    connection.flood([frame(0xbe, 0, 0, bytes(16)) * 100] * 1000)


@calm("unknown_frames")
def unasked_ping_acks(connection):
    connection.request()
    connection.flood([frame(PING, ACK, 0, bytes(8)) * 100] * 1000)


@calm("unknown_frames")
def goaway_flood(connection):
    """It lets the call go on, and says so again and again."""
    connection.request()
    connection.flood([frame(GOAWAY, 0, 0, struct.pack(">II", MOST, 0)) * 100] * 1000)


@play(PLAYS, "UNAVAILABLE", "GOAWAY", ask="timeout_ms=3000", connections_max=4)
def goaway_on_every_connection(connection):
    """Nothing is ever processed: a call is made again once, and the back-off holds."""
    connection.request()
    connection.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)))


@play(PLAYS, "DEADLINE_EXCEEDED", "GOAWAY", ask="timeout_ms=2000 wait_for_ready=1", raw=True, connections_max=5)
def goaway_before_any_call(connection):
    """GOAWAY right behind SETTINGS, for ever: the client does not come again and again."""
    connection.send(frame(SETTINGS, 0, 0) + frame(GOAWAY, 0, 0, struct.pack(">II", 0, 11)))


@calm("empty_data_in_a_row_max")
def empty_data(connection):
    stream = connection.request()
    connection.head(stream)
    connection.flood([frame(DATA, 0, stream) * 100] * 1000)


@calm("small_data", ask="shape=download")
def one_octet_data(connection):
    stream = connection.request()
    connection.head(stream)
    body = struct.pack(">BI", 0, 4_000_000) + bytes(200_000)
    connection.flood(b"".join(frame(DATA, 0, stream, body[i:i + 1]) for i in range(k, k + 500))
                     for k in range(0, 200_000, 500))


@play(PLAYS, "CANCELLED|UNAVAILABLE", "", CALM + " RST_STREAM", ask="calls=2")
def resets_of_one_stream(connection):
    """A closed stream is reset again and again, while another call is under way."""
    connection.request(2)
    stream = connection.request()
    connection.head(stream)
    connection.flood([frame(RST_STREAM, 0, stream, struct.pack(">I", 8)) * 100] * 1000)


@play(PLAYS, "INTERNAL", "peer reset stream", ask="calls=90")
def reset_of_every_call(connection):
    for number in range(1, 91):
        connection.send(frame(RST_STREAM, 0, connection.request(number), struct.pack(">I", 2)))


@play(PLAYS, "UNAVAILABLE", "REFUSED_STREAM", ask="calls=45")
def refusal_of_every_call(connection):
    """Each is made again, once."""
    for number in range(1, 91):
        connection.send(frame(RST_STREAM, 0, connection.request(number), struct.pack(">I", 7)))


@play(PLAYS, "UNAVAILABLE", "", "GOAWAY")
def data_behind_the_end(connection):
    """On a stream that the server itself has ended; another call is under way."""
    stream = connection.request()
    connection.head(stream)
    connection.end(stream, trailers(14))
    connection.flood([frame(DATA, 0, stream, b"x") * 100] * 1000)


@play(PLAYS, "DEADLINE_EXCEEDED", "", ask="timeout_ms=200")
def data_behind_the_deadline(connection):
    """The client has reset the stream, and the server does not care."""
    stream = connection.request()
    connection.head(stream)
    connection.read_until(lambda: connection.resets)
    connection.flood([frame(DATA, 0, stream, bytes(16384))] * 1000)


@play(PLAYS, "UNAVAILABLE", "", CALM + " frames for streams that are over", ask="calls=2")
def heads_behind_the_end(connection):
    """On a stream that the server has ended, blocks that have to be decoded; another call is under way."""
    connection.request(2)
    stream = connection.request()
    connection.head(stream)
    connection.end(stream, trailers(14))
    connection.flood([frame(HEADERS, END_HEADERS, stream, HEAD) * 100] * 1000)


@play(PLAYS, "RESOURCE_EXHAUSTED", "ENHANCE_YOUR_CALM")
def interim_responses(connection):
    stream = connection.request()
    connection.flood([frame(HEADERS, END_HEADERS, stream, literal(":status", "100"))] * 1000)


@play(PLAYS, "INTERNAL", "PROTOCOL_ERROR")
def heads_without_end(connection):
    """Head after head, none of which is the last."""
    stream = connection.request()
    connection.head(stream)
    connection.flood([frame(HEADERS, END_HEADERS, stream, HEAD)] * 1000)
