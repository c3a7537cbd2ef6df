"""Runs scenarios in alternating rounds, and says how busy the machine was with other things."""

import contextlib
import os

from programs import SYSTEMS, WEIR
from summary import row_of


def measure_scenario(scenario, programs, rounds, seconds):
    """Rows of all figures. In every round all systems are measured one after the other, each time another one first.

    A scenario may say `systems` and `rounds` itself, and how its samples (per figure: system -> values) become `rows`.
    """
    systems = getattr(scenario, "systems", SYSTEMS)
    samples = [{system: [] for system in systems} for _ in scenario.figures]
    with contextlib.ExitStack() as stack:
        measures = {system: stack.enter_context(scenario.started(programs, system, seconds)) for system in systems}
        for round_number in range(getattr(scenario, "rounds", rounds)):
            first = round_number % len(systems)
            for system in systems[first:] + systems[:first]:
                for of_figure, value in zip(samples, measures[system]()):
                    of_figure[system].append(value)
    if hasattr(scenario, "rows"):
        return scenario.rows(samples)
    return [row_of(scenario.name, figure, of_figure, WEIR) for figure, of_figure in zip(scenario.figures, samples)]


class Neighbours:
    """The share of the machine that was used by processes which this one has not started."""

    def __init__(self):
        self._begin = self._now()

    @staticmethod
    def _now():
        with open("/proc/stat") as stat:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
        busy_s = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        times = os.times()
        return times.elapsed, busy_s - (times.user + times.system + times.children_user + times.children_system)

    def share(self):
        """0..1 of all CPUs, since the beginning. Processes that have not been waited for count as others."""
        elapsed_s, others_s = (now - begin for now, begin in zip(self._now(), self._begin))
        return max(0.0, others_s / (elapsed_s * os.cpu_count()))
