"""A connection that may break rules, and what it got for it."""

import os
import select
import struct
import sys
import time

from raw_http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../benchmark/instructions"))
import hpack  # pylint: disable=wrong-import-position

PATIENCE_S = 20
CODES = ("NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR "
         "REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY "
         "HTTP_1_1_REQUIRED").split()


def code_name(code):
    return CODES[code] if code < len(CODES) else "code %d" % code


class Peer:
    """Sends what it is told, reads what comes while it does so, and remembers how it ended.

    `opening` is what it begins with; empty: nothing is sent or waited for. `skip` octets of what comes are no frames.
    """

    def __init__(self, connected, opening, acknowledge=True, read=True, skip=0, answer_pings=True):
        self.socket = connected
        self.socket.setblocking(False)
        self.goaway = None  # (last stream, code, text)
        self.opened = []  # streams, as their first HEADERS came
        self.resets = []  # (stream, code)
        self.fields = {}  # stream -> fields of its blocks
        self.ended = set()  # streams
        self.data = {}  # stream -> octets
        self.ping_acks = 0
        self.closed = False
        self.sent = 0
        self.stuck = False
        self._in = bytearray()
        self._skip = skip
        self._acknowledge = acknowledge
        self._acknowledged = False
        self._answers_pings = answer_pings
        self._reads = read
        self._inflater = hpack.Inflater()
        self._out = bytearray()
        if opening:
            self.send(opening)
        if opening and acknowledge and read:
            # Now, and not in the middle of what is sent later.
            self.read_until(lambda: self._acknowledged)
            self.send(b"")

    def send(self, data, patience_s=PATIENCE_S):
        """False: the server has closed, or takes no more (`stuck`)."""
        self._out += data
        give_up = time.monotonic() + patience_s
        while self._out and not self.closed:
            left = give_up - time.monotonic()
            if left <= 0:
                self.stuck = True
                return False
            readable, writable, _ = select.select([self.socket] if self._reads else [], [self.socket], [], left)
            if readable:
                self._read()
            if writable:
                try:
                    count = self.socket.send(self._out)
                    self.sent += count
                    del self._out[:count]
                except BlockingIOError:
                    pass
                except OSError:
                    self._drain()
        return not self.closed

    def read_until(self, holds, patience_s=PATIENCE_S):
        """True once `holds()`; False when the server has closed before, or the time is over."""
        give_up = time.monotonic() + patience_s
        while not holds():
            left = give_up - time.monotonic()
            if self.closed or left <= 0:
                return holds()
            if select.select([self.socket], [], [], left)[0]:
                self._read()
            if self._out:
                self.send(b"")
        return True

    def is_over(self, stream):
        return stream in self.ended or any(reset[0] == stream for reset in self.resets)

    def stream_end(self, stream):
        """In words: "status 12", "RST_STREAM PROTOCOL_ERROR", "HTTP 415 status 13", or the connection's end."""
        fields = self.fields.get(stream, {})
        if "grpc-status" in fields:
            http = fields.get(":status", "200")
            return ("" if http == "200" else "HTTP %s " % http) + "status " + fields["grpc-status"]
        for reset, code in self.resets:
            if reset == stream:
                return "RST_STREAM " + code_name(code)
        return self.connection_end()

    def connection_end(self):
        """In words: "GOAWAY ENHANCE_YOUR_CALM too_many_pings", "closed", "open"."""
        if self.goaway is not None and (self.goaway[1] != 0 or self.closed):
            return "GOAWAY %s %s" % (code_name(self.goaway[1]), self.goaway[2])
        return "closed" if self.closed else "open"

    def wait_for_end(self, patience_s=PATIENCE_S):
        self.read_until(lambda: self.closed, patience_s)
        return self.connection_end()

    def close(self):
        self.socket.close()

    def _drain(self):
        """After a failed write: what the server said before is still there to be read."""
        while not self.closed:
            self._read(wait=True)

    def _read(self, wait=False):
        try:
            if wait and not select.select([self.socket], [], [], 1)[0]:
                self.closed = True
                return
            chunk = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.closed = True
        self._in += chunk
        skipped = min(self._skip, len(self._in))
        self._skip -= skipped
        del self._in[:skipped]
        while not self._skip and len(self._in) >= 9:
            length = int.from_bytes(self._in[:3], "big")
            if len(self._in) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self._in[3:9])
            payload = bytes(self._in[9:9 + length])
            del self._in[:9 + length]
            self._on_frame(kind, flags, stream, payload)

    def _on_frame(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK and self._acknowledge:
            self._out += frame(SETTINGS, ACK, 0)
            self._acknowledged = True
        elif kind == PING and flags & ACK:
            self.ping_acks += 1
        elif kind == PING and self._answers_pings:
            self._out += frame(PING, ACK, 0, payload)
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", payload[:8])
            self.goaway = (last, code, payload[8:].decode(errors="replace"))
        elif kind == RST_STREAM:
            self.resets.append((stream, struct.unpack(">I", payload)[0]))
        elif kind == HEADERS:
            if stream not in self.fields:
                self.opened.append(stream)
            self.fields.setdefault(stream, {}).update(self._inflater.fields(payload))
        elif kind == DATA:
            self.data[stream] = self.data.get(stream, 0) + len(payload)
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.ended.add(stream)
