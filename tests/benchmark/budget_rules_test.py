#!/usr/bin/env python3
"""The rules of the budget of instructions, without counting any."""

import os
import sys
import tempfile
import unittest

# Bazel gives a tree of symlinks: neighbours are looked for in it, not where the links lead.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from instructions import budget  # noqa: E402


def read(text):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        return budget.read(file.name)


class BudgetTest(unittest.TestCase):

    def test_a_file_has_comments_and_commas(self):
        self.assertEqual(read("# all\n\nunary  19,900  # 16 bytes\nping 80\n"), {"unary": 19900, "ping": 80})

    def test_a_bad_line_is_refused_with_its_place(self):
        for line in ("unary", "unary many", "unary 1 2", "ping 2"):
            with self.assertRaisesRegex(ValueError, ":2: expected \"name instructions\".* got '%s" % line):
                read("ping 1\n" + line + "\n")

    def test_a_count_up_to_five_percent_above_its_budget_passes(self):
        for counted in (950, 999, 1000, 1049, 1050):
            self.assertEqual(budget.judge(1000, counted), budget.Verdict(None, None))

    def test_a_count_above_that_fails_and_says_what_to_do(self):
        verdict = budget.judge(1000, 1051)
        self.assertRegex(verdict.failure, r"budget 1,000 .* limit 1,050 .* counted 1,051 \(\+5\.1%\).*says why in the commit")
        self.assertIsNone(verdict.note)

    def test_a_count_far_below_its_budget_passes_and_asks_to_lower_it(self):
        verdict = budget.judge(1000, 949)
        self.assertIsNone(verdict.failure)
        self.assertRegex(verdict.note, r"counted 949 \(-5\.1%\)\. Do: lower the budget")


if __name__ == "__main__":
    unittest.main()
