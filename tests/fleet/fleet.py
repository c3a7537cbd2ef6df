#!/usr/bin/python3
"""Three servers, one channel, and everything that goes wrong in a network: what the calls feel of it, as a table.

  fleet.py --programs=FOLDER                     every failure
  fleet.py --programs=FOLDER --only=SIGSTOP      those with this in their name
  fleet.py --programs=FOLDER --rolling=100       a hundred rolling restarts, and nothing else
  fleet.py --programs=FOLDER --quick             a short run
  fleet.py --programs=FOLDER --record=README.md  and writes the table there, between its marks

Needs root for network namespaces; without them it uses loopback addresses, and leaves out what these cannot do.
"""

import argparse
import collections
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from networks import SERVERS, Loopback, Namespaces, NotAllowed  # pylint: disable=wrong-import-position
from programs import Client, Dns, Server, replace
from scenarios import ALL, RollingRestart
from table import Row, markdown, record

NAME = "fleet.test"


class Fleet:
    """One run: servers, a client that calls them, and the place where it finds their addresses."""

    def __init__(self, network, programs, scenario, folder):
        self.network = network
        self.client = self._dns = None
        self.servers = []
        self._kind = scenario.target
        self._file = os.path.join(folder, "addresses")
        try:
            self.servers = [Server(os.path.join(programs, "server"), network, number) for number in range(SERVERS)]
            if self._kind == "dns":
                self._dns = Dns(network, folder)
            self.name(scenario.named)
            self.client = Client(os.path.join(programs, "client"), network,
                                 ["--target=" + self._target(), *scenario.arguments])
            for name in scenario.serving:
                self.client.wait_for_answer(self.server(name), 0)
            time.sleep(0.5)
        except BaseException:
            self.close()
            raise

    def _target(self):
        if self._kind == "file":
            return "file:" + self._file
        if self._kind == "dns":
            return self.network.dns_target(NAME, self._dns.port)
        named = self.servers[:1] if self._kind == "one" else self.servers
        return "ipv4:" + ",".join(server.address for server in named)

    def server(self, name):
        return next(server for server in self.servers if server.name == name)

    def name(self, names):
        """From now on the file, or DNS, names these servers."""
        named = [self.server(name) for name in names]
        if self._kind == "file":
            replace(self._file, [server.address for server in named])
        if self._kind == "dns":
            self._dns.answer([self.network.host(server.number) for server in named])

    def only_others(self, server):
        self.name("abc".replace(server.name, ""))

    def everyone(self):
        self.name("abc")

    def close(self):
        for process in [*self.servers, self.client, self._dns]:
            if process is not None:
                process.close()


def play(network, programs, scenario):
    with tempfile.TemporaryDirectory(prefix="weir-fleet-") as folder:
        fleet = Fleet(network, programs, scenario, folder)
        try:
            course = scenario.play(fleet)
            time.sleep(0.5)
            fleet.client.end()
            return Row(scenario, fleet.client, fleet.server("a"), course)
        finally:
            fleet.close()
            if "packets" in network.can:
                network.heal(0)


def choose_network(wanted):
    if wanted != "loopback":
        try:
            return Namespaces()
        except NotAllowed as problem:
            if wanted == "namespaces":
                raise
            print("no network namespaces (%s): loopback addresses, without lost packets, slow links" % problem)
    return Loopback()


def chosen(options):
    if options.rolling:
        return [RollingRestart(options.rolling, target) for target in ("list", "file")]
    rounds = 1 if options.quick else 3
    scenarios = [RollingRestart(rounds, target) for target in ("list", "file")] + ALL
    named = [one for one in scenarios if re.search(options.only, one.failure + ", " + one.policy)]
    return [one for one in named if one.quick or not options.quick]


def run(network, options):
    scenarios = chosen(options)
    rows, left_out = [], collections.Counter()
    print("in " + network.name + ":")
    for scenario in scenarios:
        if scenario.needs and scenario.needs not in network.can:
            left_out[scenario.needs] += 1
            continue
        row = play(network, options.programs, scenario)
        rows.append(row)
        problems = row.problems(options.slack_s)
        print("%-4s %s" % ("FAIL" if problems else "ok", row.text()), flush=True)
        for problem in problems:
            print("     " + problem)
    for needed, count in left_out.items():
        print("%d failures left out: %s cannot do \"%s\"" % (count, network.name, needed))
    print("\n" + markdown(rows))
    if options.record:
        record(options.record, rows, network.name)
    return 0 if rows and not any(row.problems(options.slack_s) for row in rows) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="the folder of client and server")
    parser.add_argument("--network", choices=("auto", "namespaces", "loopback"), default="auto")
    parser.add_argument("--only", default="", help="a regular expression")
    parser.add_argument("--rolling", type=int, metavar="ROUNDS")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--slack_s", type=float, default=2.0, help="for this machine, on top of what is allowed")
    parser.add_argument("--record", metavar="FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # by way of what cleans up
    network = choose_network(options.network)
    try:
        return run(network, options)
    finally:
        network.close()


if __name__ == "__main__":
    sys.exit(main())
