"""The server's side of a connection of plain frames: reads requests, honours flow control, and leaves the rest to a case.

Does not decode header blocks: a request has come in full when its END_STREAM has.
"""

import collections
import struct

from raw_http2 import (ACK, DATA, END_STREAM, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame)

MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
PADDED = 8
FRAME_BYTES = 16384
DEFAULT_WINDOW = 65535


class ServerConnection:
    """One accepted socket. `case` has settings, on_frame, on_request, on_close: see http2_server.Answer."""

    def __init__(self, accepted, case):
        self.settings_acknowledged = False
        self._socket = accepted
        self._case = case
        self._in = bytearray()
        self._requests = collections.deque()  # streams whose request has come and waits for its answer
        self._window = DEFAULT_WINDOW
        self._initial_window = DEFAULT_WINDOW
        self._stream_windows = {}

    def run(self):
        """Until the client closes."""
        try:
            settings = {INITIAL_WINDOW_SIZE: 2**30, **self._case.settings}
            self.send(frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in settings.items())),
                      frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30)))
            self._fill(len(PREFACE))
            del self._in[:len(PREFACE)]
            while True:
                self._read_frame()
                while self._requests:
                    self._case.on_request(self, self._requests.popleft())
        except (ConnectionError, EOFError):
            self._case.on_close(self)
        finally:
            self._socket.close()

    def send(self, *frames):
        self._socket.sendall(b"".join(frames))

    def send_data(self, stream, data, padding=None):
        """As many DATA frames as it takes; reads on while the client's windows are shut. `padding`: bytes per frame."""
        overhead = 0 if padding is None else 1 + padding
        while data:
            room = min(FRAME_BYTES, self._window, self._stream_windows.get(stream, 0)) - overhead
            if room <= 0:
                self._read_frame()
                continue
            chunk, data = data[:room], data[room:]
            if padding is None:
                self.send(frame(DATA, 0, stream, chunk))
            else:
                self.send(frame(DATA, PADDED, stream, bytes([padding]) + chunk + bytes(padding)))
            self._window -= len(chunk) + overhead
            self._stream_windows[stream] -= len(chunk) + overhead

    def read_until(self, holds):
        """Takes what comes; requests among it wait."""
        while not holds():
            self._read_frame()

    def _fill(self, length):
        while len(self._in) < length:
            chunk = self._socket.recv(1 << 16)
            if not chunk:
                raise EOFError
            self._in += chunk

    def _read_frame(self):
        self._fill(9)
        length = int.from_bytes(self._in[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self._in[3:9])
        self._fill(9 + length)
        payload = bytes(self._in[9:9 + length])
        del self._in[:9 + length]
        self._on_frame(kind, flags, stream, payload)
        self._case.on_frame(self, kind, flags, stream, payload)

    def _on_frame(self, kind, flags, stream, payload):
        if kind == SETTINGS and flags & ACK:
            self.settings_acknowledged = True
        elif kind == SETTINGS:
            self._apply_settings(payload)
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            increment = struct.unpack(">I", payload)[0]
            if stream == 0:
                self._window += increment
            elif stream in self._stream_windows:
                self._stream_windows[stream] += increment
        elif kind == HEADERS:
            self._stream_windows[stream] = self._initial_window
        elif kind == RST_STREAM:
            self._stream_windows.pop(stream, None)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._requests.append(stream)

    def _apply_settings(self, payload):
        for name, value in struct.iter_unpack(">HI", payload):
            if name == INITIAL_WINDOW_SIZE:
                for stream in self._stream_windows:
                    self._stream_windows[stream] += value - self._initial_window
                self._initial_window = value
