"""Instructions in user space per call and per message, as callgrind counts them.

Two runs of different length, each with a process of its own: the difference is what the calls cost, without what starting
costs.
"""

import contextlib
import json
import tempfile

import programs as the_programs
from h2load import Load, payload, stream_request
from instructions import callgrind
from summary import Figure, Goal


@contextlib.contextmanager
def counting():
    """Gives the words to put in front of a command, and a function for the count, to be called when it has ended."""
    with tempfile.NamedTemporaryFile("r") as log:
        yield [*callgrind.COMMAND, "--log-file=" + log.name], lambda: callgrind.collected(log.read())


def count_server(programs, system, work, options=()):
    """Of a server from start to end, which does `work(server)`."""
    with counting() as (wrapper, count):
        with programs.start_server(system, *options, wrapper=wrapper) as server:
            work(server)
        return count()


class ServerInstructions:
    rounds = 1
    quick = False

    def __init__(self, name, what, load, few, many, per_call=1, goal=None):
        self.name, self.load, self.few, self.many, self.per_call = name, load, few, many, per_call
        self.figures = [Figure("server instructions/" + what, goal=goal)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):

        def count(calls):
            return count_server(programs, system, lambda server: self.load.run(server, calls))

        yield lambda: ((count(self.many) - count(self.few)) / ((self.many - self.few) * self.per_call),)


class ClientInstructions:
    rounds = 1
    quick = False
    _SHORT_S, _LONG_S = 2, 6

    def __init__(self, name, concurrency):
        self.name, self.concurrency = name, concurrency
        self.figures = [Figure("client instructions/call")]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with programs.start_server(the_programs.WEIR) as server:

            def run(run_seconds):
                with counting() as (wrapper, count):
                    output, _ = the_programs.run([*wrapper, programs.client(system), server.host, server.port,
                                                  self.concurrency, run_seconds])
                    return json.loads(output)["rpcs"], count()

            def measure():
                (few, few_count), (many, many_count) = run(self._SHORT_S), run(self._LONG_S)
                return ((many_count - few_count) / (many - few),)

            yield measure


_UNARY = payload(16)
_STREAM_MESSAGES = 10_000

INSTRUCTIONS = [
    ServerInstructions("unary 16 B, 100 on 1 connection", "call", Load("Unary", _UNARY, len(_UNARY), 1, 100), 500, 3500,
                       goal=Goal(0.27, 0.22)),
    ServerInstructions("unary 16 B, 1 at a time", "call", Load("Unary", _UNARY, len(_UNARY), 1, 1), 200, 1200),
    ServerInstructions("server stream, 16 B messages", "message",
                       Load("ServerStream", stream_request(_STREAM_MESSAGES, 16), _STREAM_MESSAGES * len(_UNARY), 1, 1),
                       1, 3, per_call=_STREAM_MESSAGES),
    ClientInstructions("client, unary 16 B, 100 at a time", 100),
]
