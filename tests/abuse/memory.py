"""Attacks that make the server hold bytes, for which a connection has ceilings (ServerOptions::connection)."""

import struct

from attacker import UNARY_CALL, WINDOW_UPDATE, Attacker, request
from floods import CALM, HOLD
from grpc_call import envelope
from raw_http2 import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, frame
from slow import INITIAL_WINDOW_SIZE

MIB = 1 << 20
FRAME = 16 * 1024
HOLD_S = 3  # in which a connection might be ended
ONE_MIB_ANSWER = envelope(b"\x10\x80\x80\x40")  # SimpleRequest{response_size: 1048576}
# SimpleRequest{payload{body: 1 MiB}}
ONE_MIB_REQUEST = envelope(b"\x1a\x84\x80\x40\x12\x80\x80\x40" + bytes(MIB))


class Uploader(Attacker):
    """Knows what the server's windows let it send."""

    def __init__(self, server, obeys=True):
        self.window = 65535  # of the connection
        self.stream_windows = {}
        self._initial_window = 65535
        super().__init__(server)
        self._acknowledge = obeys  # what is not acknowledged does not count yet: the windows stay as they are

    def open(self, stream, path):
        self.stream_windows[stream] = self._initial_window
        return self.send(frame(HEADERS, END_HEADERS, stream, request(path)))

    def may_send(self, stream):
        return max(0, min(FRAME, self.window, self.stream_windows[stream]))

    def upload(self, stream, part, flags=0):
        self.window -= len(part)
        self.stream_windows[stream] -= len(part)
        return self.send(frame(DATA, flags, stream, part))

    def _on_frame(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE and stream == 0:
            self.window += struct.unpack(">I", payload)[0]
        elif kind == WINDOW_UPDATE and stream in self.stream_windows:
            self.stream_windows[stream] += struct.unpack(">I", payload)[0]
        elif kind == SETTINGS and not flags & ACK and self._acknowledge:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW_SIZE:
                    for each in self.stream_windows:
                        self.stream_windows[each] += value - self._initial_window
                    self._initial_window = value
        super()._on_frame(kind, flags, stream, payload)


def answers_that_nobody_takes(server):
    """A hundred times 1 MiB, and every window is shut. The last ones are not even made."""
    attacker = Attacker(server, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
    block = request(UNARY_CALL)
    for stream in range(1, 201, 2):
        attacker.send(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, ONE_MIB_ANSWER))
    attacker.read_until(lambda: attacker.closed, HOLD_S)
    made = sum(stream in attacker.fields for stream in range(1, 201, 2))
    attacker.close()
    return "%d of 100 made" % made


def many_half_messages(server):
    """A quarter of a MiB of each of 1,000 messages that are 4 MiB long; that windows shrink is not acknowledged."""
    attacker = Uploader(server, obeys=False)
    streams = range(1, 2001, 2)
    for stream in streams:
        attacker.open(stream, HOLD)
    part = envelope(bytes(15 * FRAME), length=4 * MIB)
    for stream in streams:
        for i in range(0, len(part), FRAME):
            attacker.read_until(lambda: attacker.window >= FRAME)
            if not attacker.upload(stream, part[i:i + FRAME]):
                break
        if attacker.closed:
            break
    end = attacker.wait_for_end()
    attacker.close()
    return end


def uploads_side_by_side(server):
    """No attack: a hundred requests of 1 MiB, a frame of each in turn, as far as the windows allow. All get answers."""
    client = Uploader(server)
    left = {stream: ONE_MIB_REQUEST for stream in range(1, 201, 2)}
    for stream in left:
        client.open(stream, UNARY_CALL)
    while left and not client.closed:
        able = [stream for stream in left if client.may_send(stream)]
        if not able and not client.read_until(lambda: any(client.may_send(stream) for stream in left)):
            break
        for stream in able:
            count = client.may_send(stream)
            part, left[stream] = left[stream][:count], left[stream][count:]
            client.upload(stream, part, 0 if left[stream] else END_STREAM)
            if not left[stream]:
                del left[stream]
    client.read_until(lambda: all(client.is_over(stream) for stream in client.stream_windows))
    ends = {client.stream_end(stream) for stream in client.stream_windows}
    client.close()
    return ", ".join(sorted(ends))


EXPECTED = {
    answers_that_nobody_takes: "32 of 100 made",
    many_half_messages: CALM + " memory: ",
    uploads_side_by_side: "status 0",
}

# Beside the 32 MiB that any attack may cost.
CEILING_KIB = {
    answers_that_nobody_takes: 32 * 1024,  # memory_soft_bytes
    many_half_messages: 128 * 1024,  # memory_hard_bytes
    uploads_side_by_side: 32 * 1024 + 100 * 64,  # memory_soft_bytes, and windows of 64 KiB
}
