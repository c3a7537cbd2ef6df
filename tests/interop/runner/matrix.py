#!/usr/bin/python3
"""Runs groups of cases in several directions, prints the matrix, and fails if any cell does.

  matrix.py --program=weir_client=PATH --program=grpcpp_server=PATH ... weir:grpcpp grpcpp:weir

A direction is CLIENT:SERVER. Each group of cases has a server process of its own. Group "features" ends with a case that
drains the server, which must then end by itself; group "all" ends with SIGTERM. Either way the exit code must be 0.
"""

import argparse
import concurrent.futures
import re
import sys
import time

from processes import Server, run

GROUPS = ("all", "features")
CLIENT_PATIENCE_S = 60  # several clients that hang still leave time to print the matrix
RESULT = re.compile(r"(PASS|FAIL) (\w+) +(\d+) ms$")


class Outcome:
    """Of one group in one direction."""

    def __init__(self):
        self.cells = {}  # case -> "12 ms" or "FAIL"
        self.problems = []


def command(programs, name):
    """The command line of a program: python scripts with their interpreter and descriptors."""
    if name not in programs:
        sys.exit("matrix.py: expected --program=%s=PATH, got none" % name)
    path = programs[name]
    if path.endswith(".py"):
        return ["/usr/bin/python3", path, "--descriptors=" + programs["descriptors"]]
    return [path]


def read_output(output, outcome):
    case = None
    for line in output.splitlines():
        match = RESULT.match(line)
        if match:
            verdict, case, milliseconds = match.groups()
            outcome.cells[case] = milliseconds + " ms" if verdict == "PASS" else "FAIL"
        elif case is not None and outcome.cells[case] == "FAIL" and line.startswith(" "):
            outcome.problems.append("%s: %s" % (case, line.strip()))


def run_group(programs, client, server_name, group):
    outcome = Outcome()
    try:
        server = Server(command(programs, server_name + "_server") + ["--port=0"])
    except RuntimeError as error:
        outcome.problems.append(str(error))
        return outcome
    code, output = run(
        command(programs, client + "_client") + [
            "--server_host=" + server.host,
            "--server_port=%d" % server.port,
            "--test_case=" + group,
            "--iteration_interval=0",
        ], CLIENT_PATIENCE_S)
    read_output(output, outcome)
    drained = outcome.cells.get("drain_in_flight", "FAIL") != "FAIL"
    server_problem = server.wait() if drained else server.stop()
    if server_problem is not None:
        outcome.problems.append(server_problem)
    if code != 0 and not any(cell == "FAIL" for cell in outcome.cells.values()):
        outcome.problems.append("client: expected exit code 0, got %s; its output ends:\n%s" %
                                ("none within %d s" % CLIENT_PATIENCE_S if code is None else code, output[-2000:]))
    if not outcome.cells:
        outcome.problems.append("client: expected cases, got none")
    return outcome


def print_matrix(directions, results):
    cases = []
    for outcome in results.values():
        cases += [case for case in outcome.cells if case not in cases]
    titles = ["%s > %s" % tuple(direction.split(":")) for direction in directions]
    print("%-28s" % "case" + "".join("%20s" % title for title in titles))
    missing = 0
    for case in cases:
        row = []
        for direction in directions:
            cells = [results[key].cells[case] for key in results if key[0] == direction and case in results[key].cells]
            missing += not cells
            row.append(cells[0] if cells else "not run")
        print("%-28s" % case + "".join("%20s" % cell for cell in row))
    return len(cases), missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--jobs", type=int, default=2, help="how many groups run at a time")
    parser.add_argument("directions", nargs="+", metavar="CLIENT:SERVER")
    options = parser.parse_args()
    programs = dict(entry.split("=", 1) for entry in options.program)

    start = time.monotonic()
    keys = [(direction, group) for direction in options.directions for group in options.groups.split(",")]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda key: run_group(programs, *key[0].split(":"), key[1]), keys)
        results = dict(zip(keys, outcomes))

    cases, missing = print_matrix(options.directions, results)
    for (direction, group), outcome in results.items():
        for problem in outcome.problems:
            print("\n%s %s: %s" % (direction.replace(":", " > "), group, problem))
    failed = sum(cell == "FAIL" for outcome in results.values() for cell in outcome.cells.values())
    good = not missing and not failed and not any(outcome.problems for outcome in results.values())
    print("\n%s: %d cases in %d directions, %d cells failed, %d not run, %.0f s" %
          ("PASSED" if good else "FAILED", cases, len(options.directions), failed, missing, time.monotonic() - start))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
