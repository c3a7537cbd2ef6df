"""Scripted peers: an HTTP/2 client and a server that send whole batches and wait for whole batches.

A program that talks to one of them always finds the same frames in its socket when it wakes up, so what it does, and the
instructions that it takes, do not depend on time. They check every answer: a count of calls that fail is worth nothing.
"""

import socket
import struct

from instructions.hpack import Deflater, Inflater

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_BYTES_MAX = 16384
_WINDOW_BYTES_MAX = 2**31 - 1
_WINDOW_BYTES_AT_FIRST = 65535  # of a connection, RFC 9113 section 6.9.2
_PATIENCE_S = 60


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def envelope(message):
    """A message behind the five bytes of gRPC's Length-Prefixed-Message."""
    return struct.pack(">BI", 0, len(message)) + message


class _Peer:
    """What both sides do. Never returns window: the other side may send 2 GiB, more than any load here."""

    def __init__(self, connected_socket):
        self._socket = connected_socket
        self._socket.settimeout(_PATIENCE_S)
        self._deflater = Deflater()
        self._inflater = Inflater()
        self._received = b""
        self._window_bytes = _WINDOW_BYTES_AT_FIRST  # of the connection; that of a stream is larger than any message here
        self._socket.sendall(frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, _WINDOW_BYTES_MAX)) +
                             frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW_BYTES_MAX - _WINDOW_BYTES_AT_FIRST)))

    def close(self):
        self._socket.close()

    def _headers(self, stream, fields, flags=0):
        return frame(HEADERS, END_HEADERS | flags, stream, self._deflater.block(fields))

    def _body(self, stream, body, flags=0):
        frames = []
        for begin in range(0, len(body), _FRAME_BYTES_MAX):
            end = min(begin + _FRAME_BYTES_MAX, len(body))
            frames.append(frame(DATA, flags if end == len(body) else 0, stream, body[begin:end]))
        return b"".join(frames)

    def _receive(self):
        """The next frames, those of one recv: [(kind, flags, stream, payload)]. None at the end of the connection."""
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            return None
        bytes_, at, frames = self._received + chunk, 0, []
        while at + 9 <= len(bytes_):
            end = at + 9 + int.from_bytes(bytes_[at:at + 3], "big")
            if end > len(bytes_):
                break
            kind, flags, stream = struct.unpack_from(">BBI", bytes_, at + 3)
            frames.append((kind, flags, stream, bytes_[at + 9:end]))
            at = end
        self._received = bytes_[at:]
        for kind, flags, stream, payload in frames:
            if kind == SETTINGS and not flags & ACK:
                self._socket.sendall(frame(SETTINGS, ACK, 0))
            elif kind == WINDOW_UPDATE and stream == 0:
                self._window_bytes += struct.unpack(">I", payload)[0]
            elif kind in (RST_STREAM, GOAWAY):
                self._on_end(kind, stream, payload)
        return frames

    def _receive_until(self, holds, on_frame=lambda *_: None):
        while not holds():
            frames = self._receive()
            if frames is None:
                raise RuntimeError("the program closed the connection before it had answered")
            for received in frames:
                on_frame(*received)

    def _on_end(self, kind, stream, payload):
        raise RuntimeError("the program sent %s %d %r" % ("GOAWAY" if kind == GOAWAY else "RST_STREAM", stream, payload))


class Client(_Peer):
    """Calls a server."""

    def __init__(self, port):
        connected = socket.create_connection(("127.0.0.1", port), _PATIENCE_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.sendall(_PREFACE)
        super().__init__(connected)
        self._authority = "127.0.0.1:%d" % port
        self._next_stream = 1
        settled = []
        self._receive_until(lambda: settled, lambda kind, flags, *_: kind == SETTINGS and flags & ACK and settled.append(True))

    def calls(self, path, message, reply_bytes, metadata=((),)):
        """One call for each element of `metadata`, [(name, value)]: all requests in one write, then all the replies. As
        h2load does, all heads go before all bodies.

        Each reply must have `reply_bytes` bytes of body, envelopes and all, and status 0.
        """
        body = envelope(message)
        heads, bodies, body_bytes = [], [], {}
        for fields in metadata:
            stream, self._next_stream = self._next_stream, self._next_stream + 2
            heads.append(self._headers(stream, self._request_head(path, len(body), fields)))
            bodies.append(self._body(stream, body, END_STREAM))
            body_bytes[stream] = 0
        self._receive_until(lambda: self._window_bytes >= len(metadata) * len(body))
        self._window_bytes -= len(metadata) * len(body)
        self._socket.sendall(b"".join(heads + bodies))

        def on_frame(kind, flags, stream, payload):
            if kind == DATA:
                body_bytes[stream] += len(payload)
            elif kind == HEADERS:
                fields = self._inflater.fields(payload)
                if flags & END_STREAM:
                    _expect(stream, "grpc-status", "0", fields.get("grpc-status"))
                    _expect(stream, "bytes of body", reply_bytes, body_bytes.pop(stream))

        self._receive_until(lambda: not body_bytes, on_frame)

    def ping(self, opaque):
        """A PING, and its ACK."""
        answers = []
        self._socket.sendall(frame(PING, 0, 0, struct.pack(">Q", opaque)))
        self._receive_until(lambda: answers, lambda *received: received[0] == PING and answers.append(received))
        _expect(0, "PING", [(PING, ACK, 0, struct.pack(">Q", opaque))], answers)

    def _request_head(self, path, body_bytes, metadata):
        """The fields that h2load sends, in its order."""
        return [(":path", path), (":scheme", "http"), (":authority", self._authority), (":method", "POST"),
                ("user-agent", "h2load nghttp2/1.52.0"), ("content-type", "application/grpc"), ("te", "trailers"),
                ("content-length", str(body_bytes)), *metadata]


class Server(_Peer):
    """Answers the calls of one client."""

    def __init__(self, accepted_socket):
        accepted_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(accepted_socket)
        while len(self._received) < len(_PREFACE):
            self._received += self._socket.recv(len(_PREFACE) - len(self._received))
        _expect(0, "preface", _PREFACE, self._received)
        self._received = b""

    def answer(self, message, request_bytes, at_once):
        """Waits for `at_once` requests with bodies of `request_bytes`, then answers all of them in one write; and again,
        until the client closes. Returns how many it has answered."""
        answered, bodies, complete = 0, {}, []
        while True:
            frames = self._receive()
            if frames is None:
                return answered
            for kind, flags, stream, payload in frames:
                if kind == HEADERS:
                    bodies[stream] = 0
                elif kind == DATA:
                    bodies[stream] += len(payload)
                    if flags & END_STREAM:
                        _expect(stream, "bytes of body", request_bytes, bodies.pop(stream))
                        complete.append(stream)
            if len(complete) >= at_once:
                self._socket.sendall(b"".join(self._reply(stream, message) for stream in complete))
                answered += len(complete)
                complete = []

    def _reply(self, stream, message):
        return (self._headers(stream, [(":status", "200"), ("content-type", "application/grpc")]) +
                self._body(stream, envelope(message)) +
                self._headers(stream, [("grpc-status", "0")], END_STREAM))

    def _on_end(self, kind, stream, payload):
        if kind != GOAWAY or payload[4:8] != bytes(4):  # NO_ERROR: how a client says goodbye
            super()._on_end(kind, stream, payload)


def _expect(stream, what, expected, came):
    if came != expected:
        raise RuntimeError("stream %d, %s: expected %r, got %r" % (stream, what, expected, came))
