"""The matrix as text: a row per case, a column per direction, and a legend of the cells that do not run."""

import not_applicable

NOT_RUN = "not run"


def _cell(direction, case, results, legend):
    for (ran, _), outcome in results.items():
        if ran == direction and case in outcome.cells:
            return outcome.cells[case]
    reason = not_applicable.reason(direction, case)
    if reason is None:
        return NOT_RUN
    if reason not in legend:
        legend.append(reason)
    return "n/a %d" % (legend.index(reason) + 1)


def print_table(directions, results):
    """Prints what ran. Returns how many cases there are, and how many cells have neither run nor a reason not to."""
    cases = {}  # in the order in which they ran
    for (direction, _), outcome in results.items():
        if direction in directions:
            cases.update(dict.fromkeys(outcome.cells))
    titles = ["%s>%s" % tuple(direction.split(":")) for direction in directions]
    legend = []
    missing = 0
    print("%-36s" % "case" + "".join("%15s" % title for title in titles))
    for case in cases:
        row = [_cell(direction, case, results, legend) for direction in directions]
        missing += row.count(NOT_RUN)
        print("%-36s" % case + "".join("%15s" % cell for cell in row))
    for number, reason in enumerate(legend, 1):
        print("n/a %d: %s" % (number, reason))
    print()
    return len(cases), missing
