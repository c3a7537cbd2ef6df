#!/usr/bin/env python3
"""SECURITY.md is true: every test that its table names exists, and every attack of this folder runs.

    security_test.py FILE        checks the workspace in whose root FILE is
"""

import os
import re
import sys

CODE = re.compile(r"`([A-Za-z0-9_.]+)`")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
ATTACK = re.compile(r"^def (\w+)\(server\)|^    \"(\w+)\": \(|named\(\"(\w+)\"", re.MULTILINE)


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


def attacks_in(folder):
    names = set()
    for file in os.listdir(folder):
        if file.endswith(".py"):
            names.update(name for match in ATTACK.findall(read(os.path.join(folder, file))) for name in match if name)
    return names


def problems(text, known):
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 4 or cells[0] in ("weakness", "---"):
            continue
        names = CODE.findall(cells[3])
        if not names:
            found.append("%s: no test guards it" % cells[0])
        found += ["%s: there is no test %s" % (cells[0], name) for name in names if name not in known]
    return found


def check_the_checker():
    row = "| CVE-1 | a | b | `%s` |"
    assert problems(row % "flood", {"flood"}) == []
    assert problems(row % "flood", set()) == ["CVE-1: there is no test flood"]
    assert problems("| CVE-1 | a | b | - |", set()) == ["CVE-1: no test guards it"]


def main():
    check_the_checker()
    root = os.path.dirname(os.path.realpath(sys.argv[1]))
    known = tests_below(os.path.join(root, "tests")) | attacks_in(os.path.join(root, "tests/abuse"))
    found = problems(read(os.path.join(root, "SECURITY.md")), known)
    for problem in found:
        print("SECURITY.md: " + problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
