"""Single frames that HTTP/2 forbids a server: the connection ends, with the code that RFC 9113 names."""

import struct

from attacker import WINDOW_UPDATE
from raw_http2 import ACK, DATA, END_HEADERS, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame
from servers.hostile_server import HEAD
from servers.plays import Play, named

HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 2, 4, 5
PUSH_PROMISE = 5


def sends(data):
    """A server that sends this behind the request, in place of an answer."""
    def script(connection):
        connection.request()
        connection.send(data)
    return script


def setting(name, value):
    return frame(SETTINGS, 0, 0, struct.pack(">HI", name, value))


def goaway(last):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, 0))


SETTINGS_OF_33_ENTRIES = frame(SETTINGS, 0, 0, struct.pack(">HI", 0xbe, 0) * 33)

PLAYS = [Play(named(name, sends(data)), "UNAVAILABLE", code, "GOAWAY " + code) for name, data, code in [
    ("push_promise", frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + HEAD), "PROTOCOL_ERROR"),
    ("response_to_no_request", frame(HEADERS, END_HEADERS, 99, HEAD), "PROTOCOL_ERROR"),
    ("response_on_an_even_stream", frame(HEADERS, END_HEADERS, 2, HEAD), "PROTOCOL_ERROR"),
    ("data_before_a_head", frame(DATA, 0, 1, b"x"), "PROTOCOL_ERROR"),
    ("data_on_stream_0", frame(DATA, 0, 0, b"x"), "PROTOCOL_ERROR"),
    ("data_on_idle_stream", frame(DATA, 0, 9, b"x"), "PROTOCOL_ERROR"),
    ("reset_of_idle_stream", frame(RST_STREAM, 0, 9, bytes(4)), "PROTOCOL_ERROR"),
    ("window_update_of_0", frame(WINDOW_UPDATE, 0, 0, bytes(4)), "PROTOCOL_ERROR"),
    ("connection_window_overflow", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)), "FLOW_CONTROL_ERROR"),
    ("initial_window_overflow", setting(INITIAL_WINDOW_SIZE, 2**31), "FLOW_CONTROL_ERROR"),
    ("max_frame_size_too_small", setting(MAX_FRAME_SIZE, 16383), "PROTOCOL_ERROR"),
    ("max_frame_size_too_large", setting(MAX_FRAME_SIZE, 2**24), "PROTOCOL_ERROR"),
    ("enable_push_2", setting(ENABLE_PUSH, 2), "PROTOCOL_ERROR"),
    ("enable_push_1", setting(ENABLE_PUSH, 1), "PROTOCOL_ERROR"),
    ("settings_of_33_entries", SETTINGS_OF_33_ENTRIES, "ENHANCE_YOUR_CALM"),
    ("settings_of_5_octets", frame(SETTINGS, 0, 0, bytes(5)), "FRAME_SIZE_ERROR"),
    ("settings_ack_with_payload", frame(SETTINGS, ACK, 0, bytes(6)), "FRAME_SIZE_ERROR"),
    ("ping_of_7_octets", frame(PING, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
    ("frame_over_16384", frame(HEADERS, END_HEADERS, 1, HEAD) + frame(DATA, 0, 1, bytes(16385)), "FRAME_SIZE_ERROR"),
    ("goaway_that_rises", goaway(1) + goaway(3), "PROTOCOL_ERROR"),
]]
