#!/usr/bin/python3
"""A gRPC server that is no library but a script of HTTP/2 frames, and misbehaves: gRPC's negative HTTP/2 cases.

  http2_server.py --port=0 --test_case=goaway

Prints "listening on HOST:PORT". Answers every call with a SimpleResponse of 314159 zeros, in the way that the case asks
for. At SIGTERM it waits for the clients to be gone, says what was wrong with what they did, and ends with 0 or 1.
"""

import argparse
import signal
import socket
import struct
import sys
import threading

from grpc_call import envelope
from http2_cases import HTTP2_CASES
from raw_http2 import ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, frame, header_block
from raw_http2_server import MAX_CONCURRENT_STREAMS, ServerConnection

RESPONSE_BYTES = 314159
LINGER_S = 10  # for clients to close their connections, after SIGTERM


def varint(number):
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def field(number, content):
    """A length-delimited field of a protobuf message."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


RESPONSE = envelope(field(1, field(2, bytes(RESPONSE_BYTES))))  # SimpleResponse.payload.body
HEAD = header_block([(":status", "200"), ("content-type", "application/grpc")])
TRAILERS = header_block([("grpc-status", "0")])


class Answer:
    """Well-behaved: head, data, trailers. The cases differ from it in one step each."""

    settings = {}  # that the server sends first

    def __init__(self):
        self.requests = []  # (connection, stream) of every request that has come in full
        self.problems = []

    def on_frame(self, connection, kind, flags, stream, payload):
        """Of every frame that comes."""

    def on_close(self, connection):
        """The client has closed."""

    def on_request(self, connection, stream):
        self.requests.append((connection, stream))
        self.send_head(connection, stream)
        self.send_data(connection, stream)
        self.send_end(connection, stream)

    def send_head(self, connection, stream):
        connection.send(frame(HEADERS, END_HEADERS, stream, HEAD))

    def send_data(self, connection, stream):
        connection.send_data(stream, RESPONSE)

    def send_end(self, connection, stream):
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, TRAILERS))

    def reset(self, connection, stream):
        connection.send(frame(RST_STREAM, 0, stream, struct.pack(">I", 0)))

    def check(self):
        """Called at the end; adds to `problems`."""
        if not self.requests:
            self.problems.append("expected a request, got none")


class Goaway(Answer):
    """GOAWAY after the first request, which is answered: the second one must come on another connection."""

    def on_request(self, connection, stream):
        if not self.requests:
            connection.send(frame(GOAWAY, 0, 0, struct.pack(">II", stream, 0)))
        super().on_request(connection, stream)

    def check(self):
        connections = {connection for connection, _ in self.requests}
        if len(self.requests) != 2 or len(connections) != 2:
            self.problems.append("expected 2 requests on 2 connections, got %d on %d" %
                                 (len(self.requests), len(connections)))


class RstAfterHeader(Answer):

    def send_data(self, connection, stream):
        self.reset(connection, stream)

    def send_end(self, connection, stream):
        pass


class RstDuringData(Answer):

    def send_data(self, connection, stream):
        connection.send_data(stream, RESPONSE[:len(RESPONSE) // 2])
        self.reset(connection, stream)

    def send_end(self, connection, stream):
        pass


class RstAfterData(Answer):

    def send_end(self, connection, stream):
        self.reset(connection, stream)


class Ping(Answer):
    """Pings around head and data. The call goes on to its end when all are answered: a client may leave right after it."""

    def __init__(self):
        super().__init__()
        self.sent = 0
        self.answered = 0

    def ping(self, connection):
        self.sent += 1
        connection.send(frame(PING, 0, 0, struct.pack(">Q", self.sent)))

    def on_frame(self, connection, kind, flags, stream, payload):
        if kind == PING and flags & ACK:
            self.answered += 1
            if payload != struct.pack(">Q", self.answered):
                self.problems.append("PING %d: expected its own payload back, got %r" % (self.answered, payload))

    def send_head(self, connection, stream):
        self.ping(connection)
        super().send_head(connection, stream)
        self.ping(connection)

    def send_data(self, connection, stream):
        self.ping(connection)
        super().send_data(connection, stream)
        self.ping(connection)

    def send_end(self, connection, stream):
        connection.read_until(lambda: self.answered == self.sent)
        super().send_end(connection, stream)

    def check(self):
        super().check()
        if self.answered != self.sent:
            self.problems.append("expected %d PINGs to be answered, got %d" % (self.sent, self.answered))


class MaxStreams(Answer):
    """One stream at a time, from the first SETTINGS on: ten calls at once must wait for each other."""

    settings = {MAX_CONCURRENT_STREAMS: 1}

    def __init__(self):
        super().__init__()
        self.open = {}  # connection -> streams that have begun and are not answered

    def on_frame(self, connection, kind, flags, stream, payload):
        if kind == HEADERS:
            opened = self.open.setdefault(connection, set())
            opened.add(stream)
            if len(opened) > 1 and connection.settings_acknowledged:
                self.problems.append("expected 1 stream at a time, got %s" % sorted(opened))

    def send_end(self, connection, stream):
        self.open[connection].discard(stream)  # the client may open the next one as soon as it has this
        super().send_end(connection, stream)

    def check(self):
        if len(self.requests) != 11:
            self.problems.append("expected 11 requests, got %d" % len(self.requests))


class Chunks(Answer):
    """Data in frames of 5 bytes."""

    padding = None

    def send_data(self, connection, stream):
        for begin in range(0, len(RESPONSE), 5):
            connection.send_data(stream, RESPONSE[begin:begin + 5], self.padding)


class Padding(Chunks):
    """... each with 255 bytes of padding, for which the client must give back flow control windows, too."""

    padding = 255


CASES = dict(zip(HTTP2_CASES, (Goaway, RstAfterHeader, RstDuringData, RstAfterData, Ping, MaxStreams, Padding, Chunks)))


def serve(listener, case, threads):
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        connection = ServerConnection(accepted, case)
        threads.append(threading.Thread(target=connection.run, daemon=True))
        threads[-1].start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--test_case", required=True, choices=HTTP2_CASES)
    options = parser.parse_args()

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    case = CASES[options.test_case]()
    listener = socket.create_server(("127.0.0.1", options.port))
    threads = []
    threading.Thread(target=serve, args=(listener, case, threads), daemon=True).start()
    print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)

    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    for thread in list(threads):
        thread.join(LINGER_S)
    case.check()
    for problem in case.problems:
        print(problem, file=sys.stderr)
    return 1 if case.problems else 0


if __name__ == "__main__":
    sys.exit(main())
