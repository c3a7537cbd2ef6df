"""What a server holds when nothing happens. Every measurement has a server of its own: memory is rarely given back."""

import contextlib

from calls import Calls, open_connections
from summary import Figure

_WARM_UP_CALLS = 100


def _growth_kib(programs, system, grow):
    """By how much the resident memory of a warm server grows when `grow(server)` has opened things."""
    with programs.start_server(system) as server:
        warm_up = Calls(server)
        warm_up.unary(_WARM_UP_CALLS)
        before = server.rss_kib()
        opened = grow(server)
        growth = server.rss_kib() - before
        for connection in opened + [warm_up]:  # a server ends only when its calls have
            connection.close()
        return growth


class IdleConnections:
    """Each has made a call."""

    def __init__(self, name, count, quick=False, memory=None):
        self.name, self.count, self.quick = name, count, quick
        self.figures = [Figure("KiB/connection", goal=memory)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        yield lambda: (_growth_kib(programs, system, self._open) / self.count,)

    def _open(self, server):
        return open_connections(server, self.count)


class OpenStreams:
    """Each has echoed a message."""

    def __init__(self, name, count, quick=False, memory=None):
        self.name, self.count, self.quick = name, count, quick
        self.figures = [Figure("KiB/stream", goal=memory)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        yield lambda: (_growth_kib(programs, system, self._open) / self.count,)

    def _open(self, server):
        connection = Calls(server)
        connection.open_streams(self.count)
        return [connection]


class IdleServer:

    def __init__(self, name, quick=False, memory=None, threads=None):
        self.name, self.quick = name, quick
        self.figures = [Figure("RSS, MiB", goal=memory), Figure("threads", goal=threads)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):

        def measure():
            with programs.start_server(system) as server:
                return (server.rss_kib() / 1024, server.threads())

        yield measure
