#!/usr/bin/python3
"""The parts of the driver that are functions of their arguments. Nothing is started, nothing is timed."""

import contextlib
import os
import re
import sys
import types
import unittest

# Bazel gives a tree of symlinks: neighbours are looked for in it, not where the links lead.
_HERE = os.path.dirname(os.path.abspath(__file__))
_TESTS = os.path.dirname(os.path.dirname(_HERE))
sys.path[:0] = [_HERE] + [os.path.join(_TESTS, path) for path in ("benchmark", "interop/runner", "interop/tools")]

import h2load  # noqa: E402
import record  # noqa: E402
import summary  # noqa: E402
import table  # noqa: E402
from instructions import callgrind  # noqa: E402
from measure import measure_scenario  # noqa: E402
from programs import ASYNC, CALLBACK, WEIR  # noqa: E402
from scaling import SCALING  # noqa: E402
from scenarios import NOTES, SCENARIOS  # noqa: E402
from summary import Better, Figure, Goal, Range  # noqa: E402

H2LOAD = """starting benchmark...
spawning thread #0: 1 total client(s). 30000 total requests
Application protocol: h2c
progress: 100% done

finished in 778.73ms, 38524.21 req/s, 1.99MB/s
requests: 30000 total, 30000 started, 30000 done, 30000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 30000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.55MB (1624593) total, 87.96KB (90075) headers (space savings 96.29%), 673.83KB (690000) data
                     min         max         mean         sd        +/- sd
time for request:       47us      3.20ms       610us       120us    71.00%
"""


class H2loadOutput(unittest.TestCase):

    def test_time_and_bytes_are_read(self):
        self.assertEqual(h2load.parse_output(H2LOAD), h2load.Result(0.77873, 690000))

    def test_seconds_and_microseconds_are_understood(self):
        self.assertEqual(h2load.parse_output(H2LOAD.replace("778.73ms", "12.5s")).seconds, 12.5)
        self.assertAlmostEqual(h2load.parse_output(H2LOAD.replace("778.73ms", "925us")).seconds, 925e-6)

    def test_a_request_that_did_not_succeed_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "expected all requests to succeed"):
            h2load.parse_output(H2LOAD.replace("30000 succeeded, 0 failed", "29999 succeeded, 1 failed"))

    def test_requests_that_were_never_made_are_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "expected all requests to succeed"):
            h2load.parse_output(H2LOAD.replace("30000 done, 30000 succeeded", "29000 done, 29000 succeeded"))

    def test_no_output_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "expected all requests to succeed"):
            h2load.parse_output("")

    def test_latencies_are_sorted(self):
        self.assertEqual(h2load.parse_latencies("1700000000000001\t200\t90\n1700000000000000\t200\t70\n"), [70, 90])


class Messages(unittest.TestCase):

    def test_a_payload_has_its_envelope(self):
        self.assertEqual(h2load.payload(2), b"\0\0\0\0\x04\x0a\x02xx")

    def test_sizes_above_127_take_more_bytes(self):
        self.assertEqual(h2load.varint(127), b"\x7f")
        self.assertEqual(h2load.varint(128), b"\x80\x01")
        self.assertEqual(h2load.stream_request(1000, 16), b"\0\0\0\0\x05\x08\xe8\x07\x10\x10")


class Callgrind(unittest.TestCase):

    def test_the_total_is_read(self):
        self.assertEqual(callgrind.collected("==7== Events    : Ir\n==7== Collected : 60215571\n"), 60215571)

    def test_its_absence_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, "expected \"Collected : N\""):
            callgrind.collected("valgrind: no such program")


class Ratios(unittest.TestCase):

    def test_they_are_paired_by_round(self):
        samples = {WEIR: [1, 2, 6], ASYNC: [10, 10, 20]}
        self.assertEqual(summary.paired_ratio(samples, WEIR, Better.LOWER), Range(0.2, 0.1, 0.3))

    def test_the_peer_with_the_best_median_is_the_best_one(self):
        medians = {WEIR: 1, ASYNC: 5, CALLBACK: 4}
        self.assertEqual(summary.best_peer(medians, WEIR, Better.LOWER), CALLBACK)
        self.assertEqual(summary.best_peer(medians, WEIR, Better.HIGHER), ASYNC)

    def test_there_is_none_without_peers(self):
        self.assertIsNone(summary.paired_ratio({WEIR: [1]}, WEIR, Better.LOWER))

    def test_a_percentile_is_one_of_the_values(self):
        self.assertEqual(summary.percentile([1, 2, 3, 4], 0.5), 3)
        self.assertEqual(summary.percentile([1, 2, 3, 4], 0.99), 4)
        self.assertEqual(summary.percentile([7], 0.5), 7)


class Verdicts(unittest.TestCase):

    def test_a_goal_is_met_at_its_limit(self):
        goal = Goal(0.6, 0.5)
        self.assertEqual([summary.verdict(goal, Better.LOWER, value) for value in (0.5, 0.51, 0.6, 0.61)],
                         ["stretch", "met", "met", "MISSED"])

    def test_more_can_be_better(self):
        goal = Goal(3, 4)
        self.assertEqual([summary.verdict(goal, Better.HIGHER, value) for value in (2.9, 3, 4)],
                         ["MISSED", "met", "stretch"])

    def test_without_a_goal_there_is_none(self):
        self.assertEqual(summary.verdict(None, Better.LOWER, 1), "")

    def test_an_absolute_goal_is_about_our_own_value(self):
        figure = Figure("threads", goal=Goal(2, absolute=True))
        self.assertEqual(summary.row_of("idle", figure, {WEIR: [2], ASYNC: [1]}, WEIR).verdict, "met")
        self.assertEqual(summary.row_of("idle", figure, {WEIR: [3], ASYNC: [9]}, WEIR).verdict, "MISSED")


class Table(unittest.TestCase):

    def setUp(self):
        samples = {WEIR: [1.5, 2.5, 2], ASYNC: [10, 10, 10], CALLBACK: [20, 20, 20]}
        self.rows = [
            summary.row_of("unary", Figure("CPU, us", goal=Goal(0.15, 0.1)), samples, WEIR),
            summary.row_of("unary", Figure("calls/s", Better.HIGHER), {WEIR: [123456]}, WEIR),
        ]

    def test_numbers_have_three_digits_or_are_whole(self):
        self.assertEqual([table.number(value) for value in (0.01234, 1.5, 16, 99.96, 123456.7)],
                         ["0.0123", "1.5", "16", "100", "123,457"])

    def test_markdown_names_a_scenario_once(self):
        self.assertEqual(table.markdown("ratio", self.rows).splitlines(), [
            "|  |  | weir | grpc++ async | grpc++ callback | ratio | goal |  |",
            "|---|---|---:|---:|---:|---|---|---|",
            "| unary | CPU, us | 2 | 10 | 20 | 0.2 (0.15..0.25) | <= 0.15 | MISSED |",
            "|  | calls/s | 123,456 |  |  |  |  |  |",
        ])

    def test_the_short_table_has_goals_and_the_best_peer(self):
        self.assertEqual(table.brief_markdown(self.rows).splitlines()[2:], ["| unary: CPU, us | 2 | 10 | 0.2 (0.15..0.25) |"])

    def test_columns_of_the_text_stand_below_each_other(self):
        head, line = table.text_head("ratio"), table.text_rows(self.rows)[0]
        self.assertEqual(head.index("grpc++ async") + len("grpc++ async"), line.index(" 10 ") + 3)
        self.assertEqual(head.index("ratio"), line.index("0.2 ("))

    def test_missed_goals_are_listed(self):
        self.assertEqual(table.verdict_text(self.rows).splitlines(),
                         ["0 of 1 goals met", "missed: unary: CPU, us 0.2 (0.15..0.25), goal <= 0.15"])


class Record(unittest.TestCase):

    def setUp(self):
        self.rows = [
            summary.row_of("stream (1)", Figure("us", goal=Goal(0.15)), {WEIR: [1], ASYNC: [10]}, WEIR),
            summary.row_of("other (2)", Figure("calls/s", Better.HIGHER), {WEIR: [7], ASYNC: [10]}, WEIR),
        ]
        self.notes = {"(1)": "that", "(2)": "this"}

    def test_the_part_between_the_marks_is_made_anew(self):
        readme = "above\n%s\nold\n%s\nbelow\n" % (record.BEGIN, record.END)
        self.assertEqual(record.with_short_table(readme, "today", "A machine.", self.rows, self.notes).splitlines(), [
            "above",
            record.BEGIN,
            "Measured on today. A machine.",
            "",
            "| | weir | grpc++ | weir / grpc++ |",
            "|---|---:|---:|---|",
            "| stream (1): us | 1 | 10 | 0.1 |",
            "",
            "(1) that.",
            record.END,
            "below",
        ])

    def test_a_readme_without_marks_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "expected a line"):
            record.with_short_table("no marks", "today", "A machine.", self.rows, self.notes)

    def test_results_have_a_section_for_each_run(self):
        mode = types.SimpleNamespace(title="Beside others", ratio="ratio")
        results = record.results("today", "A machine.", [(mode, self.rows)], self.notes)
        self.assertIn("# Results of today\n", results)
        self.assertIn("\n## Beside others\n\n|  |  | weir | grpc++ async | ratio | goal |  |\n", results)
        self.assertIn("\n(2) this.\n", results)


class FakeScenario:
    """Notes who is measured. A value is how many measurements there have been."""
    name, figures = "fake", [Figure("count"), Figure("twice the count")]

    def __init__(self):
        self.measured = []

    @contextlib.contextmanager
    def started(self, programs, system, seconds):

        def measure():
            self.measured.append(system)
            return len(self.measured), 2 * len(self.measured)

        yield measure


class Rounds(unittest.TestCase):

    def test_every_system_is_first_in_turn(self):
        scenario = FakeScenario()
        measure_scenario(scenario, programs=None, rounds=3, seconds=1)
        self.assertEqual(scenario.measured, [
            WEIR, ASYNC, CALLBACK,
            ASYNC, CALLBACK, WEIR,
            CALLBACK, WEIR, ASYNC,
        ])

    def test_every_figure_has_its_own_samples(self):
        rows = measure_scenario(FakeScenario(), programs=None, rounds=1, seconds=1)
        self.assertEqual([row.medians for row in rows], [{WEIR: 1, ASYNC: 2, CALLBACK: 3}, {WEIR: 2, ASYNC: 4, CALLBACK: 6}])


class Scenarios(unittest.TestCase):

    def test_names_are_unique(self):
        names = [scenario.name for scenario in SCENARIOS]
        self.assertEqual(len(names), len(set(names)))

    def test_every_mark_is_explained(self):
        marks = {mark for scenario in SCENARIOS for mark in re.findall(r"\(\d\)", scenario.name)}
        self.assertEqual(marks, set(NOTES))

    def test_scaling_compares_with_the_smallest(self):
        rows = SCALING[0].rows([{size: [size + 1.0] for size in SCALING[0].systems}])
        self.assertEqual([row.ratio.median for row in rows], [1, 5.5, 50.5, 500.5, 5000.5])
        self.assertEqual([row.verdict for row in rows], ["met"] + ["MISSED"] * 4)
        self.assertEqual(rows[-1].scenario, "beside 10,000 open streams")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
