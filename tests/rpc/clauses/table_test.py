#!/usr/bin/env python3
"""The tables of README.md are true: every rule has a row, and every suite that a row names exists.

    table_test.py FILE        checks the workspace in whose root FILE is
"""

import os
import re
import sys

CLAUSES = 35
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),", re.MULTILINE)
NAMED_AFTER_A_RULE = re.compile(r"(W\d\d|Abuse)\w+$")


def suites_below(folder):
    """The suites of all tests in the C++ sources below `folder`."""
    suites = set()
    for path, _, files in os.walk(folder):
        for file in files:
            if file.endswith(".cc"):
                with open(os.path.join(path, file), encoding="utf-8") as source:
                    suites.update(TEST.findall(source.read()))
    return suites


def problems(rows, suites):
    """What is wrong, one line each. `rows`: the cells of each row."""
    found = []
    rules = {cells[0] for cells in rows}
    for number in range(1, CLAUSES + 1):
        if "W%02d" % number not in rules:
            found.append("W%02d has no row" % number)
    named = set()
    for cells in rows:
        if len(cells) == 4:
            named.update(re.findall(r"`(\w+)`", cells[2]))
    found += ["there is no suite %s, which a row names" % name for name in sorted(named - suites)]
    after_rules = {suite for suite in suites if NAMED_AFTER_A_RULE.match(suite)}
    found += ["no row names the suite %s" % suite for suite in sorted(after_rules - named)]
    return found


def check_the_checker():
    rows = [("W%02d" % number, "", "`W01A`", "") for number in range(1, CLAUSES + 1)]
    assert problems(rows, {"W01A"}) == []
    assert problems(rows[1:], {"W01A"}) == ["W01 has no row"]
    assert problems(rows, set()) == ["there is no suite W01A, which a row names"]
    assert problems(rows, {"W01A", "AbuseB"}) == ["no row names the suite AbuseB"]


def main():
    check_the_checker()
    root = os.path.dirname(os.path.realpath(sys.argv[1]))
    with open(os.path.join(root, "tests/rpc/clauses/README.md"), encoding="utf-8") as readme:
        rows = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in readme if line.startswith("| ")]
    found = problems(rows, suites_below(os.path.join(root, "tests")))
    for problem in found:
        print("tests/rpc/clauses/README.md: " + problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
