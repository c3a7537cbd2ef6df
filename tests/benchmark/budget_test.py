#!/usr/bin/env python3
"""Counts the instructions of every scenario and compares them with their budgets.

usage: budget_test.py BUDGET.txt ECHO_SERVER COUNTED_CLIENT [scenario...]

Says how many instructions each took. Fails if a count is above its budget's limit, if a scenario has no budget, or a
budget no scenario.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree

# Bazel gives a tree of symlinks: neighbours are looked for in it, not where the links lead.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from instructions import budget, scenarios  # noqa: E402


def compare(name, budgets, programs):
    """Counts one scenario. Returns the verdict, and prints it."""
    counted = scenarios.instructions(scenarios.SCENARIOS[name], programs)
    verdict = budget.judge(budgets[name], counted)
    print("{:16} {:10,} instructions, budget {:10,}   {}".format(name, counted, budgets[name],
                                                               "FAILED" if verdict.failure else "ok"))
    if verdict.failure or verdict.note:
        print("%s (%s): %s" % (name, scenarios.SCENARIOS[name].text, verdict.failure or verdict.note))
    sys.stdout.flush()
    return verdict


def write_xml(path, verdicts):
    """One case for each scenario, for the summary of ./dev test."""
    suite = ElementTree.Element("testsuite", name="budget")
    for name, verdict in verdicts.items():
        case = ElementTree.SubElement(suite, "testcase", name=name)
        if verdict.failure:
            ElementTree.SubElement(case, "failure", message=verdict.failure)
        if verdict.note:
            properties = ElementTree.SubElement(case, "properties")
            ElementTree.SubElement(properties, "property", name="note", value=verdict.note)
    ElementTree.ElementTree(suite).write(path)


def main(arguments):
    path, server, client = arguments[:3]
    budgets = budget.read(path)
    if budgets.keys() != scenarios.SCENARIOS.keys():
        sys.exit("%s: expected one budget for each scenario, %s; got %s" %
                 (path, ", ".join(scenarios.SCENARIOS), ", ".join(budgets)))
    programs = scenarios.Programs(server, client)
    verdicts = {name: compare(name, budgets, programs) for name in arguments[3:] or budgets}
    if "XML_OUTPUT_FILE" in os.environ:
        write_xml(os.environ["XML_OUTPUT_FILE"], verdicts)
    return 1 if any(verdict.failure for verdict in verdicts.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
