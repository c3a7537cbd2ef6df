#!/usr/bin/env python3
"""SECURITY.md and this folder's README.md are true: every test that their tables name exists, and every attack and
every hostile server of this folder is named in the README.md, in its column.

    security_test.py FILE        checks the workspace in whose root FILE is
"""

import os
import re
import sys

CODE = re.compile(r"`([A-Za-z0-9_.]+)`")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tests_below(folder):
    """Suites, and tests as "Suite.Name"."""
    names = set()
    for path, _, files in os.walk(folder):
        for file in files:
            if file.endswith(".cc"):
                for suite, name in TEST.findall(read(os.path.join(path, file))):
                    names.update((suite, suite + "." + name))
    return names


def attacks_in(root):
    """Names of hostile clients, and of hostile servers."""
    sys.path[:0] = [os.path.join(root, folder)
                    for folder in ("tests/abuse", "tests/interop/runner", "tests/interop/tools")]
    import abuse  # pylint: disable=import-outside-toplevel,import-error
    return {client[0] for client in abuse.CLIENTS}, {play.name for play in abuse.SERVERS}


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []


def problems(text, known):
    found = []
    for line in text.splitlines():
        cells = cells_of(line)
        if len(cells) != 4 or cells[0] in ("weakness", "---"):
            continue
        names = CODE.findall(cells[3])
        if not names:
            found.append("%s: no test guards it" % cells[0])
        found += ["%s: there is no test %s" % (cells[0], name) for name in names if name not in known]
    return found


def problems_of_columns(text, tests, clients, servers):
    """Of the tables "attack | client | server"."""
    found, named = [], (set(), set())
    for line in text.splitlines():
        cells = cells_of(line)
        if len(cells) != 3:
            continue
        if cells[2] == "the same":
            cells[2] = cells[1]
        for column, (cell, attacks) in enumerate(zip(cells[1:], (clients, servers))):
            names = set(CODE.findall(cell))
            named[column].update(names)
            found += ["%s: there is no %s" % (cells[0], name) for name in sorted(names - attacks - tests)]
    found += ["hostile client %s: not in a table" % name for name in sorted(clients - named[0])]
    found += ["hostile server %s: not in a table" % name for name in sorted(servers - named[1])]
    return found


def check_the_checker():
    row = "| CVE-1 | a | b | `%s` |"
    assert problems(row % "flood", {"flood"}) == []
    assert problems(row % "flood", set()) == ["CVE-1: there is no test flood"]
    assert problems("| CVE-1 | a | b | - |", set()) == ["CVE-1: no test guards it"]
    row = "| a flood | `flood` `Suite.Name` | the same |"
    assert problems_of_columns(row, {"Suite.Name"}, {"flood"}, {"flood"}) == []
    assert problems_of_columns(row, {"Suite.Name"}, {"flood"}, set()) == ["a flood: there is no flood"]
    assert problems_of_columns(row, {"Suite.Name"}, {"flood", "x"}, {"flood"}) == ["hostile client x: not in a table"]


def main():
    check_the_checker()
    root = os.path.dirname(os.path.realpath(sys.argv[1]))
    tests = tests_below(os.path.join(root, "tests"))
    clients, servers = attacks_in(root)
    found = ["SECURITY.md: " + problem
             for problem in problems(read(os.path.join(root, "SECURITY.md")), tests | clients | servers)]
    found += ["tests/abuse/README.md: " + problem for problem in problems_of_columns(
        read(os.path.join(root, "tests/abuse/README.md")), tests, clients, servers)]
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
