"""./dev bench: weir beside grpc++ under the same loads, in one table.

Every round measures all systems back to back, so the ratios of a round are paired; the table has their median and range.
Servers run on the first CPU, loads on the last. CPU time of the server and ratios are the figures to trust when the machine
does other work, which the last lines tell.
"""

import argparse
import datetime
import pathlib
import re
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path += [str(_ROOT / "tests" / path) for path in ("benchmark", "interop/runner", "interop/tools")]

import machine  # noqa: E402
import table  # noqa: E402
from callgrind_rows import INSTRUCTIONS  # noqa: E402
from measure import Neighbours, measure_scenario  # noqa: E402
from programs import Programs  # noqa: E402
from scaling import SCALING  # noqa: E402
from scenarios import NOTES, SCENARIOS  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="the most telling rows, short: less than two minutes")
    what.add_argument("--instructions", action="store_true",
                      help="instructions in user space as callgrind counts them: nothing else on the machine changes them")
    what.add_argument("--scaling", action="store_true",
                      help="cost of a call with many open streams, connections, methods")
    parser.add_argument("--only", metavar="PATTERN", default="", help="only rows whose name matches; see --list")
    parser.add_argument("--list", action="store_true", help="the names of all rows")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, help="of one measurement; default 0.6, with --quick 0.3")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)  # Bazel's bin folder; ./dev gives these
    parser.add_argument("--results", required=True, help=argparse.SUPPRESS)  # folder for Markdown
    return parser.parse_args()


def main():
    options = parse_arguments()
    scenarios = INSTRUCTIONS if options.instructions else SCALING if options.scaling else SCENARIOS
    chosen = [scenario for scenario in scenarios
              if re.search(options.only, scenario.name) and (scenario.quick or not options.quick)]
    if options.list or not chosen:
        print("\n".join(scenario.name for scenario in scenarios))
        return 0 if options.list else "expected --only to match a name, got \"%s\"; above are the names" % options.only
    programs = Programs(options.programs)
    neighbours = Neighbours()
    ratio = "to the smallest" if options.scaling else "weir / best grpc++"
    rows = []
    print(table.text_head(ratio), flush=True)
    with programs.prepared_process():
        for scenario in chosen:
            new_rows = measure_scenario(scenario, programs, options.rounds,
                                        options.seconds or (0.3 if options.quick else 0.6))
            print("\n".join(table.text_rows(new_rows)), flush=True)
            rows += new_rows
    about = "%s, %s. Other processes used %.0f %% of the machine." % (
        datetime.date.today(), machine.describe(), 100 * neighbours.share())
    for mark, meaning in NOTES.items():
        if any(mark in row.scenario for row in rows):
            print("%s %s" % (mark, meaning))
    print("\n%s\n%s" % (about, table.verdict_text(rows)))
    folder = pathlib.Path(options.results)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ("%s.md" % next((name for name in ("quick", "instructions", "scaling") if getattr(options, name)), "full"))
    tables = [table.markdown(ratio, rows)] + ([] if options.scaling else [table.brief_markdown(rows)])
    file.write_text("\n".join([about + "\n"] + tables))
    print("as Markdown: %s" % file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
