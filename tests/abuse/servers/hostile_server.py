"""A server that breaks rules: a script of frames for every connection that is made to it."""

import socket
import threading

from attacker import literal
from grpc_call import envelope
from peer import PATIENCE_S, Peer
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame

HEAD = literal(":status", "200") + literal("content-type", "application/grpc")


def trailers(status=0, message=None):
    return literal("grpc-status", str(status)) + (b"" if message is None else literal("grpc-message", message))


class Connection(Peer):
    """One that a client has made."""

    def __init__(self, accepted, opening, acknowledge=True, read=True):
        super().__init__(accepted, opening, acknowledge, read, skip=len(PREFACE))

    def request(self, number=1):
        """Waits for the request of that number, and gives its stream."""
        self.read_until(lambda: len(self.opened) >= number)
        return self.opened[number - 1] if len(self.opened) >= number else 0

    def head(self, stream, block=HEAD, flags=0):
        self.send(frame(HEADERS, END_HEADERS | flags, stream, block))

    def body(self, stream, body=envelope(b""), flags=0):
        for i in range(0, max(len(body), 1), 16384):
            self.send(frame(DATA, flags if i + 16384 >= len(body) else 0, stream, body[i:i + 16384]))

    def end(self, stream, block=trailers()):
        self.head(stream, block, END_STREAM)

    def flood(self, parts):
        """Sends one after the other for as long as the client takes them."""
        for part in parts:
            if not self.send(part, 5):
                break


class HostileServer:
    """Listens while it is entered. `play` is a Play (plays.py)."""

    host = "127.0.0.1"

    def __init__(self, play):
        self._play = play
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        self._threads = []
        self.connections = []
        self.problem = None

    def __enter__(self):
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes accept()
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(accepted,), daemon=True))
            self._threads[-1].start()

    def _serve(self, accepted):
        opening = b"" if self._play.raw else frame(SETTINGS, 0, 0, self._play.settings)
        try:
            connection = Connection(accepted, opening, self._play.acknowledge, self._play.read)
            self.connections.append(connection)
            self._play.script(connection)
            connection.wait_for_end()
        except Exception as error:  # pylint: disable=broad-except
            self.problem = repr(error)
            raise
        finally:
            accepted.close()
