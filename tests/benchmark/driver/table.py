"""Rows as text that appears line by line, and as Markdown."""

from programs import SYSTEMS

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


def text_rows(rows):
    """Lines of one scenario; its name only in the first."""
    lines = []
    for index, row in enumerate(rows):
        texts = cells(row)
        lines.append(_text_line(([""] if index else texts[:1]) + texts[1:]))
    return lines


def verdict_text(rows):
    """How many goals are met, and which are not."""
    judged = [row for row in rows if row.verdict]
    missed = ["%s: %s %s, goal %s" % (row.scenario, row.figure.what,
                                      number(row.medians[SYSTEMS[0]]) if row.figure.goal.absolute else ratio_text(row.ratio),
                                      goal_text(row.figure)) for row in judged if row.verdict == "MISSED"]
    return "\n".join(["%d of %d goals met" % (len(judged) - len(missed), len(judged))] +
                     ["missed: " + text for text in missed])


def markdown(ratio, rows):
    lines = ["| " + " | ".join(_head(ratio)) + " |", "|---|---|" + "---:|" * len(SYSTEMS) + "---|---|---|"]
    last = None
    for row in rows:
        texts = cells(row)
        lines.append("| " + " | ".join(([""] if row.scenario == last else texts[:1]) + texts[1:]) + " |")
        last = row.scenario
    return "\n".join(lines) + "\n"
