#!/usr/bin/python3
"""Plays every attack against a server process while an honest client calls it, and says what became of either.

  abuse.py --server=tests/interop/server            all of them, as a table
  abuse.py --server=... --only=ping_flood           one; or a part of a name
  abuse.py --server=... --worst_ms=100              the honest client's worst call counts as well

Fails if an attacker gets another answer than the specified one, if an honest call fails, if the server grows by more
than 32 MB, or keeps descriptors.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import floods  # pylint: disable=wrong-import-position
import frames
import headers
import messages
import slow
from honest import HonestClient
from processes import Server

GROWTH_KIB_MAX = 32 * 1024
DESCRIPTORS_S = 15  # for the server to notice that connections have gone


def resident_kib(server):
    with open("/proc/%d/status" % server.process.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def reset_peak(server):
    """The peak of the resident set begins again (proc(5), clear_refs). False where that is not allowed."""
    try:
        with open("/proc/%d/clear_refs" % server.process.pid, "w") as file:
            file.write("5")
        return True
    except OSError:
        return False


def wait_for_descriptors(server, count):
    give_up = time.monotonic() + DESCRIPTORS_S
    while server.memory_kib()[1] > count and time.monotonic() < give_up:
        time.sleep(0.02)
    return server.memory_kib()[1] <= count


def play(server, attack, expected, worst_ms):
    """(problems, what the attacker got, honest calls, worst of them in ms, growth in KiB)"""
    descriptors = server.memory_kib()[1]
    reset_peak(server)
    before = resident_kib(server)
    with HonestClient(server) as honest:
        while honest.calls < 3 and not honest.failures:
            time.sleep(0.002)
        honest.worst_s = 0
        got = attack(server)
    growth = max(0, server.memory_kib()[0] - before)
    problems = []
    if not got.startswith(expected):
        problems.append("expected the attacker to get \"%s\", got \"%s\"" % (expected, got))
    if honest.failures:
        problems.append("honest calls ended with %s" % honest.failures[:3])
    if honest.worst_s * 1000 > worst_ms:
        problems.append("expected honest calls to take %d ms at most" % worst_ms)
    if growth > GROWTH_KIB_MAX:
        problems.append("expected memory to grow by %d KiB at most" % GROWTH_KIB_MAX)
    if not wait_for_descriptors(server, descriptors):
        problems.append("expected %d descriptors afterwards, got %d" % (descriptors, server.memory_kib()[1]))
    return problems, got, honest.calls, honest.worst_s * 1000, growth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--worst_ms", type=float, default=float("inf"))
    options = parser.parse_args()

    attacks = [(module.__name__, attack, expected) for module in (floods, headers, frames, messages, slow)
               for attack, expected in module.EXPECTED.items() if options.only in attack.__name__]
    server = Server([options.server, "--port=0"])
    with HonestClient(server) as first:  # what a server opens with its first connection, it keeps
        while not first.calls:
            time.sleep(0.002)
    failed = not attacks
    print("%-8s %-36s %6s %9s %10s  %s" % ("", "attack", "calls", "worst ms", "growth KiB", "the attacker got"))
    for _, attack, expected in attacks:
        problems, got, calls, worst_ms, growth = play(server, attack, expected, options.worst_ms)
        print("%-8s %-36s %6d %9.1f %10d  %s" % ("FAIL" if problems else "ok", attack.__name__, calls, worst_ms,
                                                 growth, got[:90]), flush=True)
        for problem in problems:
            print("         " + problem)
        failed = failed or bool(problems)
        if not server.alive():
            print("the server has ended: " + server.tail())
            break
    ended = server.stop()
    if ended:
        print("FAIL " + ended)
    return 1 if failed or ended else 0


if __name__ == "__main__":
    sys.exit(main())
