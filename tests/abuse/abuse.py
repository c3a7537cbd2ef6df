#!/usr/bin/python3
"""Plays hostile clients against a server process and hostile servers against a client process, while honest calls are
made beside them, and says what became of either.

  abuse.py --server=tests/interop/server --client=tests/abuse/victim      all of them, as two tables
  abuse.py ... --only=ping_flood                                         one; or a part of a name
  abuse.py ... --worst_ms=100                                            the worst honest call counts as well

Fails if an attacker gets another answer than the specified one, if a hostile server's call ends otherwise than
specified, if an honest call fails, if the process grows by more than 32 MB, or keeps descriptors.
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
import servers.floods
import servers.frames
import servers.headers
import servers.messages
import servers.slow
import slow
from honest import HonestClient
from measured import Measured
from processes import Server
from servers.hostile_server import HostileServer
from victim import Victim

CLIENTS = [(attack.__name__, attack, expected) for module in (floods, headers, frames, messages, slow)
           for attack, expected in module.EXPECTED.items()]
SERVERS = [play for module in (servers.floods, servers.headers, servers.frames, servers.messages, servers.slow)
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
    problems += measured.problems(honest.worst_s * 1000, worst_ms_max)
    row(name, problems, honest.calls, honest.worst_s * 1000, measured.growth_kib, got)
    return not problems


def play_server(victim, play, worst_ms_max):
    """A hostile server. True if all was well."""
    with Measured(victim.pid) as measured, HostileServer(play) as server:
        calls, honest, worst_ms, failure = victim.call(server.port, play.ask)
    problems = [] if server.problem is None else ["the hostile server itself failed: " + server.problem]
    for code, _, text in calls:
        if code not in play.ends.split("|") or play.text not in text:
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--worst_ms", type=float, default=float("inf"))
    options = parser.parse_args()

    server = Server([options.server, "--port=0"])
    victim = Victim(options.client, server)
    with HonestClient(server) as first:  # what a server opens with its first connection, it keeps
        while not first.calls:
            time.sleep(0.002)

    clients = [client for client in CLIENTS if options.only in client[0]]
    plays = [play for play in SERVERS if options.only in play.name]
    well = bool(clients or plays)
    if clients:
        heading("hostile client", "the attacker got")
    for name, attack, expected in clients:
        well = play_client(server, name, attack, expected, options.worst_ms) and well
        if not server.alive():
            print("the server has ended: " + server.tail())
            return 1
    if plays:
        heading("hostile server", "its call ended with; the server got")
    for play in plays:
        well = play_server(victim, play, options.worst_ms) and well
    for ended in (victim.stop(), server.stop()):
        if ended:
            print("FAIL " + ended)
            well = False
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
