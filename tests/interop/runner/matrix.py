#!/usr/bin/python3
"""Runs groups of cases in several directions, prints the matrix, and fails if any cell does.

  matrix.py --program=weir_client=PATH --program=grpcpp_server=PATH ... weir:grpcpp grpcpp:weir

A direction is CLIENT:SERVER. Each group of cases has a server process of its own. Group "features" ends with a case that
drains the server, which must then end by itself; the others end with SIGTERM. Either way the exit code must be 0.

--peers=weir,go,http2 stands for weir:weir weir:go go:weir weir:http2 go:http2.

The server "http2" is no gRPC library but a script that misbehaves, differently for every case: see
tools/http2_server.py. Its directions have their own cases, and a server process for each.

--tls: over TLS, with certificates made for this run and a host name that is not that of the server.
"""

import argparse
import concurrent.futures
import re
import sys
import tempfile
import time

import not_applicable
from http2_cases import HTTP2_CASES
from processes import Server, run
from table import print_table
from test_certificates import TestCertificates

GROUPS = ("all", "compression", "features")
HTTP2 = "http2"
HTTP2_PEERS = ("grpcpp", "go", "js")
CLIENT_PATIENCE_S = 120  # several clients that hang still leave time to print the matrix
RESULT = re.compile(r"(PASS|FAIL) (\w+) +(\d+) ms$")


class Outcome:
    """Of one group in one direction."""

    def __init__(self):
        self.cells = {}  # case -> "12 ms" or "FAIL"
        self.problems = []


class Security:
    """What clients and servers are told of TLS: nothing, or where their files are."""
    client_flags = []
    server_flags = []

    @classmethod
    def use_tls(cls, folder):
        certificates = TestCertificates(folder)
        chain, key = certificates.issue("server", "DNS:*.test.example")
        cls.client_flags = [
            "--use_tls=true", "--use_test_ca=true", "--tls_ca_file=" + certificates.ca,
            "--server_host_override=interop.test.example"
        ]
        cls.server_flags = ["--use_tls=true", "--tls_cert_file=" + chain, "--tls_key_file=" + key]


def command(programs, name):
    """The command line of a program: scripts with their interpreter, python ones with their descriptors, too."""
    if name not in programs:
        sys.exit("matrix.py: expected --program=%s=PATH, got none" % name)
    path = programs[name]
    if path.endswith(".js"):
        return ["node", path]
    if name == HTTP2 + "_server":
        return ["/usr/bin/python3", path]
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


def run_client(programs, client, server, cases, left_out, outcome):
    code, output = run(
        command(programs, client + "_client") + [
            "--server_host=" + server.host,
            "--server_port=%d" % server.port,
            "--test_case=" + cases,
            "--except=" + ",".join(left_out),
            "--iteration_interval=0",
        ] + Security.client_flags, CLIENT_PATIENCE_S)
    before = len(outcome.cells)
    read_output(output, outcome)
    if code != 0 and not any(cell == "FAIL" for cell in outcome.cells.values()):
        outcome.problems.append("client: expected exit code 0, got %s; its output ends:\n%s" %
                                ("none within %d s" % CLIENT_PATIENCE_S if code is None else code, output[-2000:]))
    if len(outcome.cells) == before:
        outcome.problems.append("client: expected cases of %s, got none" % cases)


def run_group(programs, direction, group):
    """All the cases of a group on one server, or of a list of cases that are separated by commas."""
    client, server_name = direction.split(":")
    outcome = Outcome()
    if all(not_applicable.reason(direction, case) for case in group.split(",")):
        return outcome
    try:
        server = Server(command(programs, server_name + "_server") + ["--port=0"] + Security.server_flags)
    except RuntimeError as error:
        outcome.problems.append(str(error))
        return outcome
    run_client(programs, client, server, group, not_applicable.left_out(direction), outcome)
    drained = outcome.cells.get("drain_in_flight", "FAIL") != "FAIL"
    server_problem = server.wait() if drained else server.stop()
    if server_problem is not None:
        outcome.problems.append(server_problem)
    return outcome


def run_http2(programs, direction, cases):
    """Each case on a server of its own, which must be content, too."""
    client = direction.split(":")[0]
    outcome = Outcome()
    for case in cases:
        if not_applicable.reason(direction, case):
            continue
        server = Server(command(programs, HTTP2 + "_server") + ["--port=0", "--test_case=" + case])
        run_client(programs, client, server, case, [], outcome)
        server_problem = server.stop()
        if server_problem is not None:
            outcome.problems.append("%s: %s" % (case, server_problem))
            outcome.cells[case] = "FAIL"
    return outcome


def plan(directions, groups, cases):
    """What to run: (direction, group or cases) -> a function of the programs."""
    tasks = {}
    for direction in directions:
        if direction.endswith(":" + HTTP2):
            chosen = [case for case in HTTP2_CASES if not cases or case in cases]
            if chosen:
                tasks[direction, HTTP2] = lambda programs, d=direction, c=chosen: run_http2(programs, d, c)
            continue
        others = [case for case in cases if case not in HTTP2_CASES]
        for group in ([",".join(others)] if others else []) if cases else groups:
            tasks[direction, group] = lambda programs, d=direction, g=group: run_group(programs, d, g)
    return tasks


def directions_with(peers):
    """Both directions between weir and each of these; and all clients that have the cases of "http2", which proves it."""
    directions = []
    for peer in peers:
        directions.append("weir:" + peer)
        if peer not in ("weir", HTTP2):
            directions.append(peer + ":weir")
    if HTTP2 in peers:
        directions += [peer + ":" + HTTP2 for peer in peers if peer in HTTP2_PEERS]
    return directions


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--cases", default="", help="run these instead of whole groups, separated by commas")
    parser.add_argument("--jobs", type=int, default=2, help="how many groups run at a time")
    parser.add_argument("--peers", default="", help="both directions between weir and each, separated by commas")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("directions", nargs="*", metavar="CLIENT:SERVER")
    options = parser.parse_args()
    options.directions += directions_with([peer for peer in options.peers.split(",") if peer])
    programs = dict(entry.split("=", 1) for entry in options.program)

    folder = tempfile.TemporaryDirectory()
    if options.tls:
        Security.use_tls(folder.name)
    start = time.monotonic()
    tasks = plan(options.directions, options.groups.split(","), [case for case in options.cases.split(",") if case])
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda task: task(programs), tasks.values())
        results = dict(zip(tasks, outcomes))

    cases = missing = 0
    for directions in ([d for d in options.directions if not d.endswith(":" + HTTP2)],
                       [d for d in options.directions if d.endswith(":" + HTTP2)]):
        if any(direction in directions for direction, _ in tasks):
            counts = print_table(directions, results)
            cases, missing = cases + counts[0], missing + counts[1]
    for (direction, group), outcome in results.items():
        for problem in outcome.problems:
            print("%s %s: %s\n" % (direction.replace(":", " > "), group, problem))
    failed = sum(cell == "FAIL" for outcome in results.values() for cell in outcome.cells.values())
    good = cases and not missing and not failed and not any(outcome.problems for outcome in results.values())
    print("%s: %d cases in %d directions, %d cells failed, %d not run, %.0f s" %
          ("PASSED" if good else "FAILED", cases, len(options.directions), failed, missing, time.monotonic() - start))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
