"""Rows as text that appears line by line, and as Markdown."""

from programs import SYSTEMS
from summary import best_peer

_SCENARIO, _WHAT, _VALUE, _RATIO, _GOAL = 38, 26, 16, 24, 9


def number(value):
    """Three significant digits, or all digits of a whole number."""
    if value is None:
        return ""
    if value >= 100:
        return "{:,.0f}".format(value)
    return "{:.0f}".format(value) if value == int(value) else "{:.3g}".format(value)


def ratio_text(ratio):
    if ratio is None:
        return ""
    median, low, high = (number(value) for value in ratio)
    return median if low == high else "%s (%s..%s)" % (median, low, high)


def goal_text(figure):
    return "%s %s" % (figure.better.value, number(figure.goal.limit)) if figure.goal else ""


def cells(row):
    values = [number(row.medians.get(system)) for system in SYSTEMS]
    return [row.scenario, row.figure.what] + values + [ratio_text(row.ratio), goal_text(row.figure), row.verdict]


def _head(ratio):
    return ["", ""] + list(SYSTEMS) + [ratio, "goal", ""]


def _text_line(texts):
    left = "%-*s %-*s" % (_SCENARIO, texts[0], _WHAT, texts[1])
    values = "".join("%*s" % (_VALUE, text) for text in texts[2:2 + len(SYSTEMS)])
    ratio, goal, verdict = texts[2 + len(SYSTEMS):]
    return ("%s%s  %-*s%-*s%s" % (left, values, _RATIO, ratio, _GOAL, goal, verdict)).rstrip()


def text_head(ratio):
    """`ratio`: what it is between."""
    return _text_line(_head(ratio))


def _without_repetition(rows):
    """Cells of all rows; a scenario that is the same as above is left empty."""
    above = None
    for row in rows:
        texts = cells(row)
        yield ([""] if row.scenario == above else texts[:1]) + texts[1:]
        above = row.scenario


def text_rows(rows):
    return [_text_line(texts) for texts in _without_repetition(rows)]


def verdict_text(rows):
    """How many goals are met, and which are not."""
    judged = [row for row in rows if row.verdict]
    missed = ["%s: %s %s, goal %s" % (row.scenario, row.figure.what,
                                      number(row.medians[SYSTEMS[0]]) if row.figure.goal.absolute else ratio_text(row.ratio),
                                      goal_text(row.figure)) for row in judged if row.verdict == "MISSED"]
    return "\n".join(["%d of %d goals met" % (len(judged) - len(missed), len(judged))] +
                     ["missed: " + text for text in missed])


def _markdown_line(texts):
    return "| " + " | ".join(texts) + " |"


def markdown(ratio, rows):
    """Without the columns of systems that no row has."""
    columns = [system for system in SYSTEMS if any(system in row.medians for row in rows)]
    kept = [0, 1] + [2 + SYSTEMS.index(system) for system in columns] + [2 + len(SYSTEMS) + i for i in range(3)]
    lines = [[texts[column] for column in kept] for texts in [_head(ratio), *_without_repetition(rows)]]
    rule = "|---|---|" + "---:|" * len(columns) + "---|---|---|"
    return "\n".join([_markdown_line(lines[0]), rule] + [_markdown_line(line) for line in lines[1:]]) + "\n"


def is_brief(row):
    return bool(row.verdict) or row.figure.brief


def brief_markdown(rows):
    """What there is a goal for, beside the best API of grpc++."""
    lines = ["| | weir | grpc++ | weir / grpc++ |", "|---|---:|---:|---|"]
    for row in filter(is_brief, rows):
        peer = best_peer(row.medians, SYSTEMS[0], row.figure.better)
        lines.append(_markdown_line(["%s: %s" % (row.scenario, row.figure.what), number(row.medians[SYSTEMS[0]]),
                                     number(row.medians[peer]), ratio_text(row.ratio)]))
    return "\n".join(lines) + "\n"
