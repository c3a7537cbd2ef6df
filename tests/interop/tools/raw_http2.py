"""HTTP/2 by hand: a client of plain frames, for many streams at little cost and for misbehaviour.

Sends header blocks without compression and does not decode those that it receives: it counts frames.
"""

import selectors
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_S = 30


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header_block(pairs):
    """Literal header fields without indexing and without Huffman coding: RFC 7541 section 6.2.2."""
    block = b""
    for name, value in pairs:
        block += b"\0"
        for text in (name.encode(), value.encode()):
            assert len(text) < 127
            block += bytes([len(text)]) + text
    return block


def grpc_request(path, authority="localhost"):
    return header_block([(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
                         ("te", "trailers"), ("content-type", "application/grpc")])


class Connection:
    """One connection. Frames to send pile up until flush(); received ones go to on_frame(kind, flags, stream, payload)."""

    def __init__(self, server, on_frame=lambda kind, flags, stream, payload: None):
        self.socket = socket.create_connection((server.host, server.port), PATIENCE_S)
        self.on_frame = on_frame
        self.goaway = None
        self._out = bytearray(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**30)))
        self._out += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**30))
        self._in = bytearray()
        self.closed = False

    def send(self, *frames):
        self._out += b"".join(frames)

    def wants_to_write(self):
        return len(self._out) > 0

    def flush(self):
        """Everything out, blocking."""
        self.socket.sendall(self._out)
        self._out.clear()

    def write_some(self):
        del self._out[:self.socket.send(self._out)]

    def read_some(self):
        """One recv and all the frames that it completes. False: the server has closed."""
        try:
            chunk = self.socket.recv(1 << 16)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self.closed = True
            return False
        self._in += chunk
        while len(self._in) >= 9:
            length = int.from_bytes(self._in[:3], "big")
            if len(self._in) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self._in[3:9])
            payload = bytes(self._in[9:9 + length])
            del self._in[:9 + length]
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.send(frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                self.goaway = payload
            self.on_frame(kind, flags, stream, payload)
        return True

    def read_until(self, holds):
        """Reads, and answers what must be answered, until `holds()`; False if the server closes first."""
        while not holds():
            if self.wants_to_write():
                self.flush()
            if not self.read_some():
                return False
        return True

    def vanish(self):
        """Gone without a word: TCP reset instead of a close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def run_until(connections, holds):
    """Moves bytes of all connections until `holds()`. Fails when nothing moves for a while."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        connection.socket.setblocking(False)
        selector.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
    try:
        while not holds():
            for connection in connections:
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_to_write() else 0)
                selector.modify(connection.socket, events, connection)
            ready = selector.select(PATIENCE_S)
            if not ready:
                return "nothing moved for %d s" % PATIENCE_S
            for key, events in ready:
                if events & selectors.EVENT_WRITE:
                    key.data.write_some()
                if events & selectors.EVENT_READ and not key.data.read_some():
                    return "the server closed a connection, GOAWAY %r" % key.data.goaway
        return None
    finally:
        selector.close()
