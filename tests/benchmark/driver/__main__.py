"""./dev bench: weir beside grpc++ under the same loads, in one table.

Every round measures all systems back to back, so the ratios of a round are paired; the table has their median and range.
Servers run on the first CPU, loads on the last. CPU time of the server and ratios are the figures to trust when the machine
does other work, which the last lines tell.
"""

import argparse
import collections
import datetime
import pathlib
import re
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path += [str(_ROOT / "tests" / path) for path in ("benchmark", "interop/runner", "interop/tools")]

import machine  # noqa: E402
import record  # noqa: E402
import table  # noqa: E402
from callgrind_rows import INSTRUCTIONS  # noqa: E402
from measure import Neighbours, measure_scenario  # noqa: E402
from programs import Programs  # noqa: E402
from scaling import SCALING  # noqa: E402
from scenarios import NOTES, SCENARIOS  # noqa: E402


Mode = collections.namedtuple("Mode", "name title scenarios ratio")

MODES = [
    Mode("full", "Beside grpc++", SCENARIOS, "weir / best grpc++"),
    Mode("instructions", "Instructions in user space", INSTRUCTIONS, "weir / best grpc++"),
    Mode("scaling", "Is a call as cheap beside many?", SCALING, "to the smallest"),
]
FULL, INSTRUCTION_MODE, SCALING_MODE = MODES


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="the most telling rows, short: less than two minutes")
    what.add_argument("--instructions", dest="mode", action="store_const", const=INSTRUCTION_MODE, default=FULL,
                      help="instructions in user space as callgrind counts them: nothing else on the machine changes them")
    what.add_argument("--scaling", dest="mode", action="store_const", const=SCALING_MODE,
                      help="cost of a call with many open streams, connections, methods")
    what.add_argument("--record", action="store_true",
                      help="all three, into tests/benchmark/RESULTS.md and the table of README.md; about ten minutes")
    parser.add_argument("--only", metavar="PATTERN", default="", help="only rows whose name matches; see --list")
    parser.add_argument("--list", action="store_true", help="the names of all rows")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, help="of one measurement; default 0.6, with --quick 0.3")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)  # Bazel's bin folder; ./dev gives these
    parser.add_argument("--results", required=True, help=argparse.SUPPRESS)  # folder for Markdown
    return parser.parse_args()


def measure_mode(mode, options, programs):
    """Rows. Prints them as they come, and what they say about the goals."""
    rows = []
    print(table.text_head(mode.ratio), flush=True)
    with programs.prepared_process():
        for scenario in mode.scenarios:
            new_rows = measure_scenario(scenario, programs, options.rounds,
                                        options.seconds or (0.3 if options.quick else 0.6))
            print("\n".join(table.text_rows(new_rows)), flush=True)
            rows += new_rows
    for mark, meaning in NOTES.items():
        if any(mark in row.scenario for row in rows):
            print("%s %s" % (mark, meaning))
    print("\n%s\n" % table.verdict_text(rows))
    return rows


def main():
    options = parse_arguments()
    mode = options.mode._replace(scenarios=[
        scenario for scenario in options.mode.scenarios
        if re.search(options.only, scenario.name) and (scenario.quick or not options.quick)])
    if options.list or not mode.scenarios:
        print("\n".join(scenario.name for scenario in options.mode.scenarios))
        return 0 if options.list else "expected --only to match a name, got \"%s\"; above are the names" % options.only
    programs = Programs(options.programs)
    neighbours = Neighbours()
    runs = [(each, measure_mode(each, options, programs)) for each in (MODES if options.record else [mode])]
    about = "%s. Other processes used %.0f %% of the machine." % (machine.describe(), 100 * neighbours.share())
    print(about)
    report = record.results(datetime.date.today(), about, runs, NOTES)
    if options.record:
        full, instructions, _scaling = (rows for _, rows in runs)
        readme = _ROOT / "README.md"
        readme.write_text(record.with_short_table(readme.read_text(), datetime.date.today(), about, instructions + full, NOTES))
        file = _ROOT / "tests/benchmark/RESULTS.md"
    else:
        file = pathlib.Path(options.results) / ("%s.md" % ("quick" if options.quick else mode.name))
        file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report)
    print("as Markdown: %s" % file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
