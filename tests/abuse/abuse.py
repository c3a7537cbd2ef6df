#!/usr/bin/python3
"""Plays hostile clients against a server process and hostile servers against a client process, while honest calls are
made beside them, and says what became of either.

  abuse.py --server=tests/interop/server --impatient=tests/abuse/impatient --client=tests/abuse/victim
                                 all of them, as two tables; timers.py is played against the impatient server
  abuse.py ... --only=ping_flood      one; or a part of a name
  abuse.py ... --worst_ms=100         the worst honest call counts as well

Fails if an attacker gets another answer than the specified one, if a hostile server's call ends otherwise than
specified, if an honest call fails, if the process grows by more than 32 MB (beside what a ceiling lets it hold:
memory.py), or keeps descriptors.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import floods  # pylint: disable=wrong-import-position
import frames
import headers
import memory
import messages
import servers.ends
import servers.floods
import servers.frames
import servers.headers
import servers.messages
import servers.slow
import slow
import strangers
import timers
import turns
from honest import HonestClient
from measured import Measured
from processes import Server
from servers.hostile_server import HostileServer
from servers.plays import TEXT_MAX
from victim import Victim

CLIENTS = [(attack.__name__, attack, expected, module is timers)
           for module in (floods, headers, frames, turns, messages, slow, memory, strangers, timers)
           for attack, expected in module.EXPECTED.items()]
# To see whether an object has a type, UBSan makes a pipe, and takes a failure of that for an object without one.
LEFT_OUT = {timers.accept_storm} if "UBSAN_OPTIONS" in os.environ else set()
SERVERS = [play for module in (servers.floods, servers.headers, servers.frames, servers.messages, servers.slow,
                               servers.ends)
           for play in module.PLAYS]


def heading(played, got):
    print("%-8s %-36s %6s %9s %10s  %s" % ("", played, "calls", "worst ms", "growth KiB", got))


def row(name, problems, calls, worst_ms, growth_kib, got):
    print("%-8s %-36s %6d %9.1f %10d  %s" % ("FAIL" if problems else "ok", name, calls, worst_ms, growth_kib,
                                             got[:90]), flush=True)
    for problem in problems:
        print("         " + problem)


def play_client(server, name, attack, expected, worst_ms_max):
    """A hostile client. True if all was well."""
    with Measured(server.process.pid) as measured, HonestClient(server) as honest:
        while honest.calls < 3 and not honest.failures:
            time.sleep(0.002)
        honest.worst_s, before = 0, honest.calls
        got = attack(server)
        while honest.calls == before and not honest.failures:  # a short attack
            time.sleep(0.002)
    problems = []
    if not got.startswith(expected):
        problems.append("expected the attacker to get \"%s\", got \"%s\"" % (expected, got))
    if honest.failures:
        problems.append("honest calls ended with %s" % honest.failures[:3])
    problems += measured.problems(honest.worst_s * 1000, worst_ms_max, memory.CEILING_KIB.get(attack, 0))
    row(name, problems, honest.calls, honest.worst_s * 1000, measured.growth_kib, got)
    return not problems


def play_server(victim, play, worst_ms_max):
    """A hostile server. True if all was well."""
    with Measured(victim.pid) as measured, HostileServer(play) as server:
        calls, honest, worst_ms, failure = victim.call(server.port, play.ask)
    problems = [] if server.problem is None else ["the hostile server itself failed: " + server.problem]
    for code, _, text in calls:
        if code not in play.ends.split("|") or play.text not in text or len(text) > TEXT_MAX:
            problems.append("expected the call to end with %s \"%s\", got %s \"%s\"" %
                            (play.ends, play.text, code, text))
    got = server.connections[0].connection_end() if server.connections else "no connection"
    if not got.startswith(play.got):
        problems.append("expected the server to get \"%s\", got \"%s\"" % (play.got, got))
    if len(server.connections) > play.connections_max:
        problems.append("expected %d connections at most, got %d" % (play.connections_max, len(server.connections)))
    if failure != "-":
        problems.append("an honest call ended with " + failure)
    problems += measured.problems(worst_ms, worst_ms_max)
    row(play.name, problems[:5], honest, worst_ms, measured.growth_kib, "%s; %s" % (calls[0][0], got))
    return not problems


def times_were_counted(lines):
    """The impatient server's own account of timers.py."""
    counts = dict(line.split(" ") for line in lines)
    print("times that were over at the impatient server: " + ", ".join(
        name + " " + count for name, count in counts.items() if count != "0"))
    missing = [name for name, least in timers.COUNTED.items() if int(counts.get(name, 0)) < least]
    for name in missing:
        print("FAIL expected %s to have been over %d times at least" % (name, timers.COUNTED[name]))
    return not missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--impatient", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--worst_ms", type=float, default=float("inf"))
    options = parser.parse_args()

    # One loop each: honest calls are made on the one that is attacked.
    server = Server([options.server, "--port=0", "--loop_threads=1"])
    impatient = Server([options.impatient, "--port=0"])
    victim = Victim(options.client, server)
    for each in (server, impatient):
        with HonestClient(each) as first:  # what a server opens with its first connection, it keeps
            while not first.calls:
                time.sleep(0.002)

    clients = [client for client in CLIENTS if options.only in client[0] and client[1] not in LEFT_OUT]
    plays = [play for play in SERVERS if options.only in play.name]
    well = bool(clients or plays)
    if clients:
        heading("hostile client", "the attacker got")
    for name, attack, expected, is_timed in clients:
        attacked = impatient if is_timed else server
        well = play_client(attacked, name, attack, expected, options.worst_ms) and well
        if not attacked.alive():
            print("the server has ended: " + attacked.tail())
            return 1
    if plays:
        heading("hostile server", "its call ended with; the server got")
    for play in plays:
        well = play_server(victim, play, options.worst_ms) and well
    for ended in (victim.stop(), server.stop(), impatient.stop()):
        if ended:
            print("FAIL " + ended)
            well = False
    if all(client in clients for client in CLIENTS):
        well = times_were_counted(impatient.lines) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
