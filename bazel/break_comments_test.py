#!/usr/bin/env python3
"""What break_comments.py does with lines that are too long, and with what it must leave alone."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from break_comments import break_lines  # noqa: E402

LONG = " ".join(["word"] * 25)  # 124 columns


class BreakCommentsTest(unittest.TestCase):

    def test_what_hangs_over_goes_to_the_next_line_of_the_paragraph(self):
        broken = break_lines(["  // " + LONG, "  // the end.", "  //", "  // Another."])
        self.assertEqual(broken[1:], ["  // word word the end.", "  //", "  // Another."])
        self.assertTrue(all(len(line) <= 120 for line in broken))

    def test_it_ripples_and_makes_a_line_where_the_paragraph_ends(self):
        broken = break_lines(["// " + LONG, "// " + LONG, "int x;"])
        self.assertEqual(broken[2:], ["// word word word word", "int x;"])
        self.assertEqual(" ".join(line[3:] for line in broken[:3]), LONG + " " + LONG)

    def test_an_item_of_a_list_hangs(self):
        broken = break_lines(["# - " + LONG, "#   the end", "# - next"])
        self.assertEqual(broken[1:], ["#   word word the end", "# - next"])

    def test_a_rule_is_cut(self):
        self.assertEqual(break_lines(["// ---- part " + "-" * 120]), [("// ---- part " + "-" * 120)[:120]])

    def test_code_drawings_and_single_words_stay(self):
        lines = ["int x = 1;  // " + LONG, "//    kNew --" + "-" * 120 + "> kOpen", "// " + "x" * 130, "// " + LONG[:117]]
        self.assertEqual(break_lines(lines), lines)

    def test_twice_is_once(self):
        once = break_lines(["// " + LONG, "// " + LONG, "// - " + LONG])
        self.assertEqual(break_lines(once), once)


if __name__ == "__main__":
    unittest.main()
