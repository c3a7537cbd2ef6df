"""Single frames that HTTP/2 forbids: the connection ends, with the code that RFC 9113 names."""

import struct

from attacker import WINDOW_UPDATE, Attacker, named, request
from floods import HOLD
from grpc_call import envelope
from raw_http2 import ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame

HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 2, 4, 5


def one_frame(data):
    """An attack that sends this behind the preface."""
    def attack(server):
        attacker = Attacker(server)
        attacker.send(data)
        end = attacker.wait_for_end()
        attacker.close()
        return end
    return attack


def on_one_stream(data):
    """An attack that sends this behind an open call; it is answered on that stream."""
    def attack(server):
        attacker = Attacker(server)
        attacker.send(OPEN + data)
        attacker.read_until(lambda: attacker.is_over(1))
        end = attacker.stream_end(1)
        attacker.close()
        return end
    return attack


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", name, value) for name, value in pairs))


def setting(name, value):
    return one_frame(settings((name, value)))


OPEN = frame(HEADERS, END_HEADERS, 1, request(HOLD))
DONE = frame(HEADERS, END_HEADERS, 1, request()) + frame(DATA, END_STREAM, 1, envelope(b""))
PROTOCOL, SIZE, FLOW = "GOAWAY PROTOCOL_ERROR", "GOAWAY FRAME_SIZE_ERROR", "GOAWAY FLOW_CONTROL_ERROR"

EXPECTED = {
    named("headers_after_the_end", one_frame(OPEN + frame(DATA, END_STREAM, 1) + OPEN)): "GOAWAY STREAM_CLOSED",
    named("data_after_the_end", one_frame(OPEN + frame(DATA, END_STREAM, 1) + frame(DATA, 0, 1, b"x"))):
        "GOAWAY STREAM_CLOSED",
    named("lower_stream_id", one_frame(frame(HEADERS, END_HEADERS, 5, request(HOLD)) + OPEN)): PROTOCOL,
    named("even_stream_id", one_frame(frame(HEADERS, END_HEADERS, 2, request(HOLD)))): PROTOCOL,
    named("data_on_stream_0", one_frame(frame(DATA, 0, 0, b"x"))): PROTOCOL,
    named("data_on_idle_stream", one_frame(frame(DATA, 0, 9, b"x"))): "GOAWAY",
    named("reset_of_idle_stream", one_frame(frame(RST_STREAM, 0, 9, bytes(4)))): PROTOCOL,
    named("window_update_of_0", one_frame(frame(WINDOW_UPDATE, 0, 0, bytes(4)))): PROTOCOL,
    named("connection_window_overflow", one_frame(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)))): FLOW,
    named("stream_window_overflow", on_one_stream(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 2**31 - 1)))):
        "RST_STREAM FLOW_CONTROL_ERROR",
    named("initial_window_overflow", setting(INITIAL_WINDOW_SIZE, 2**31)): FLOW,
    named("initial_window_overflows_a_stream", one_frame(
        OPEN + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) + settings((INITIAL_WINDOW_SIZE, 2**31 - 1)))): FLOW,
    named("max_frame_size_too_small", setting(MAX_FRAME_SIZE, 16383)): PROTOCOL,
    named("max_frame_size_too_large", setting(MAX_FRAME_SIZE, 2**24)): PROTOCOL,
    named("enable_push_2", setting(ENABLE_PUSH, 2)): PROTOCOL,
    named("settings_of_33_entries", one_frame(settings(*[(0xbe, 0)] * 33))): "GOAWAY ENHANCE_YOUR_CALM",
    named("settings_of_5_octets", one_frame(frame(SETTINGS, 0, 0, bytes(5)))): SIZE,
    named("settings_ack_with_payload", one_frame(frame(SETTINGS, ACK, 0, bytes(6)))): SIZE,
    named("ping_of_7_octets", one_frame(frame(PING, 0, 0, bytes(7)))): SIZE,
    named("frame_over_16384", one_frame(OPEN + frame(DATA, 0, 1, bytes(16385)))): SIZE,
    named("goaway_that_rises", one_frame(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)) +
                                         frame(GOAWAY, 0, 0, struct.pack(">II", 2, 0)))): PROTOCOL,
    named("bad_header_compression", one_frame(frame(HEADERS, END_HEADERS, 1, b"\xff" * 8))): "GOAWAY COMPRESSION_ERROR",
    named("after_a_fatal_error", one_frame(frame(DATA, 0, 0, b"x") + frame(PING, 0, 0, bytes(9999)) +
                                           frame(SETTINGS, 0, 0, bytes(5)) + DONE)): PROTOCOL,  # CVE-2026-27135
}
