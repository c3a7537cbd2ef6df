"""From samples to rows: medians, paired ratios, goals. Knows nothing of programs."""

import collections
import enum
import statistics


class Better(enum.Enum):
    LOWER = "<="
    HIGHER = ">="


# Of the ratio weir / best peer, or of weir's own value if `absolute`. `stretch` may be None.
Goal = collections.namedtuple("Goal", "limit stretch absolute", defaults=(None, False))

# `what` names quantity and unit. `goal` may be None; `brief` figures are in short tables nevertheless.
Figure = collections.namedtuple("Figure", "what better goal brief", defaults=(Better.LOWER, None, False))

Range = collections.namedtuple("Range", "median low high")

# `medians`: system -> value. `ratio`: Range of the paired ratios or None. `verdict`: "", "met", "stretch" or "MISSED".
Row = collections.namedtuple("Row", "scenario figure medians ratio verdict")


def range_of(values):
    return Range(statistics.median(values), min(values), max(values))


def percentile(sorted_values, p):
    return sorted_values[min(len(sorted_values) - 1, int(p * len(sorted_values)))]


def best_peer(medians, ours, better):
    """The peer with the best median; None without peers."""
    peers = [system for system in medians if system != ours]
    if not peers:
        return None
    return (min if better is Better.LOWER else max)(peers, key=lambda system: medians[system])


def paired_ratio(samples, ours, better):
    """Range of ours / best peer, round by round: what disturbs a round disturbs both. None without peers."""
    peer = best_peer({system: statistics.median(values) for system, values in samples.items()}, ours, better)
    if peer is None:
        return None
    return range_of([value / other for value, other in zip(samples[ours], samples[peer])])


def verdict(goal, better, value):
    """`value`: what the goal is about. A goal is met at its limit."""
    if goal is None or value is None:
        return ""

    def holds(limit):
        return value <= limit if better is Better.LOWER else value >= limit

    if goal.stretch is not None and holds(goal.stretch):
        return "stretch"
    return "met" if holds(goal.limit) else "MISSED"


def row_of(scenario, figure, samples, ours):
    """samples: system -> one value per round, in the same rounds."""
    medians = {system: statistics.median(values) for system, values in samples.items()}
    ratio = paired_ratio(samples, ours, figure.better)
    judged = medians[ours] if figure.goal and figure.goal.absolute else ratio and ratio.median
    return Row(scenario, figure, medians, ratio, verdict(figure.goal, figure.better, judged))
