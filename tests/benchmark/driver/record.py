"""The tables of a whole run, as they are kept: tests/benchmark/RESULTS.md, and the short one in README.md."""

import table

BEGIN, END = "<!-- by ./dev bench --record -->", "<!-- end -->"

_RESULTS = """# Results of {date}

By `./dev bench --record`; `README.md` says how it measures and which figures to trust. A ratio is the median of paired rounds,
with its range; goals are the project's own.

{machine}
"""


def _notes(rows, notes):
    return ["%s %s." % (mark, meaning) for mark, meaning in notes.items() if any(mark in row.scenario for row in rows)]


def results(date, machine, runs, notes):
    """RESULTS.md.

    Args:
      runs: [(mode, rows)].
      notes: {mark in a name: what it means}.
    """
    paragraphs = [_RESULTS.format(date=date, machine=machine)]
    for mode, rows in runs:
        paragraphs += ["## %s\n" % mode.title, table.markdown(mode.ratio, rows)]
        paragraphs += [note + "\n" for note in _notes(rows, notes)]
    return "\n".join(paragraphs)


def with_short_table(readme, date, machine, rows, notes):
    """The text of README.md with the part between the marks made anew."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("README.md: expected a line \"%s\" and, later, \"%s\"" % (BEGIN, END))
    lines = ["Measured on %s. %s" % (date, machine), "", table.brief_markdown(rows)]
    lines += [note + "\n" for note in _notes([row for row in rows if table.is_brief(row)], notes)]
    return before + begin + "\n" + "\n".join(lines) + end + after
