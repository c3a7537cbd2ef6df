"""The client that must not suffer: one unary call after the other, on a connection of its own, each one timed."""

import threading
import time

from attacker import UNARY, Attacker, request
from grpc_call import envelope
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, frame

PAUSE_S = 0.002


class HonestClient:

    def __init__(self, server):
        self._server = server
        self._stop = threading.Event()
        self.calls = 0
        self.worst_s = 0.0
        self.failures = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        connection = Attacker(self._server)
        block = request(UNARY)
        stream = 1
        while not self._stop.is_set():
            start = time.monotonic()
            connection.send(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, envelope(b"")))
            connection.read_until(lambda: connection.is_over(stream))  # pylint: disable=cell-var-from-loop
            end = connection.stream_end(stream)
            self.worst_s = max(self.worst_s, time.monotonic() - start)
            self.calls += 1
            if end != "status 0":
                self.failures.append(end)
            if connection.closed:
                break
            stream += 2
            time.sleep(PAUSE_S)
        connection.close()
