"""Whether a call costs the same beside many streams, connections, calls and methods.

Calls come in batches of equal size on one connection at a time, so that all that changes is what else there is.
"""

import contextlib
import statistics

from calls import Calls, open_connections
from h2load import Load, payload
from callgrind_rows import count_server
from programs import WEIR
from summary import Better, Figure, Goal, Row, range_of, verdict

_BATCH = 20  # calls
_FLAT = Goal(1.15)
_FEW_CALLS, _MANY_CALLS = 20_000, 40_000  # under callgrind


def _in_turn(connections):
    """A function that makes so many calls, a batch on each connection in turn."""

    def call(count):
        for batch in range(count // _BATCH):
            connections[batch % len(connections)].unary(_BATCH)

    return call


# What there is besides: context managers that give a function for the calls. A server ends only when connections have.


@contextlib.contextmanager
def _beside_streams(server, count):
    with contextlib.closing(Calls(server)) as connection:
        connection.open_streams(count)
        yield _in_turn([connection])


@contextlib.contextmanager
def _on_connections(server, count):
    with contextlib.ExitStack() as stack:
        yield _in_turn([stack.enter_context(contextlib.closing(c)) for c in open_connections(server, count)])


@contextlib.contextmanager
def _beside_methods(server, _count):
    with contextlib.closing(Calls(server)) as connection:
        yield _in_turn([connection])


@contextlib.contextmanager
def _at_once(server, count):
    load = Load("Unary", payload(16), len(payload(16)), 1, count)
    yield lambda calls: load.run(server, calls)


class _Scaling:
    """Costs for some sizes, each against the first. The sizes take the place of the systems."""

    quick = False

    def __init__(self, name, prepare, sizes, cpu_calls=40_000, option=None):
        self.name, self.prepare, self.systems = name, prepare, sizes
        self.cpu_calls, self.option = cpu_calls, option

    def _options(self, size):
        return ["%s=%d" % (self.option, size)] if self.option else []

    def rows(self, samples):
        rows = []
        for size in self.systems:
            values, first = samples[0][size], samples[0][self.systems[0]]
            ratio = range_of([value / base for value, base in zip(values, first)])
            rows.append(Row(self.name.replace("N", "{:,}".format(size)), self.figures[0], {WEIR: statistics.median(values)}, ratio,
                            verdict(_FLAT, Better.LOWER, ratio.median)))
        return rows


class _Cpu(_Scaling):
    figures = [Figure("server CPU, us/call", goal=_FLAT)]

    @contextlib.contextmanager
    def started(self, programs, size, seconds):
        with programs.start_server(WEIR, *self._options(size)) as server, self.prepare(server, size) as call:

            def measure():
                before = server.cpu_us()
                call(self.cpu_calls)
                return ((server.cpu_us() - before) / self.cpu_calls,)

            measure()
            yield measure


class _Instructions(_Scaling):
    figures = [Figure("server instructions/call", goal=_FLAT)]
    rounds = 1

    @contextlib.contextmanager
    def started(self, programs, size, seconds):

        def count(calls):
            def work(server):
                with self.prepare(server, size) as call:
                    call(calls)

            return count_server(programs, WEIR, work, self._options(size))

        yield lambda: ((count(_MANY_CALLS) - count(_FEW_CALLS)) / (_MANY_CALLS - _FEW_CALLS),)


_KINDS = [
    ("beside N open streams", _beside_streams, (1, 10, 100, 1_000, 10_000)),
    ("on N connections in turn", _on_connections, (1, 10, 100, 1_000)),
    # Below 100 at once the kernel's part of a call depends on how many come together. h2load makes more calls than we can.
    ("N calls at once", _at_once, (100, 1_000, 10_000), 300_000),
    ("beside N other methods", _beside_methods, (1, 1_000), 40_000, "--extra_methods"),
]
SCALING = [kind(*scenario) for kind in (_Cpu, _Instructions) for scenario in _KINDS]
