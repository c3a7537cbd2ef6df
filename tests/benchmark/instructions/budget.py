"""Budgets of instructions: the file that holds them, and the rule that a count is held against."""

import collections

TOLERANCE = 0.05  # counts repeat within 0.3 %; the rest is for compilers and libraries of point releases

Verdict = collections.namedtuple("Verdict", "failure note")  # of one count: texts, or None


def read(path):
    """{name: instructions} of a file with a "name instructions" on each line; commas are for the reader; # comments."""
    budgets = {}
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            if len(words) != 2 or not words[1].replace(",", "").isdigit() or words[0] in budgets:
                raise ValueError("%s:%d: expected \"name instructions\", each name once, got %r" % (path, number, line))
            budgets[words[0]] = int(words[1].replace(",", ""))
    return budgets


def judge(budget, counted):
    limit = int(budget * (1 + TOLERANCE))
    counts = "budget {:,} instructions, limit {:,} (+{:.0%}), counted {:,} ({:+.1%})".format(
        budget, limit, TOLERANCE, counted, (counted - budget) / budget)
    if counted > limit:
        return Verdict(counts + ". Do: find what got dearer and make it cheap again. Whoever must raise the budget in "
                       "tests/benchmark/budget.txt says why in the commit", None)
    if counted < budget * (1 - TOLERANCE):
        return Verdict(None, counts + ". Do: lower the budget in tests/benchmark/budget.txt to what was counted, so that the "
                       "gain is kept")
    return Verdict(None, None)
