#!/usr/bin/python3
"""Bad input against weir's interop server and client as processes.

Each check says what the misbehaving side must get; after each the server must still serve, and at the end it must stop
with 0. Run with --only=NAME for one.

  bad_input_test.py --server=tests/interop/server --client=tests/interop/client
"""

import argparse
import sys
import time

import bad_clients
import bad_messages
import bad_starts
from expect import Problem, expect_serves
from processes import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--only", help="the name of one check")
    options = parser.parse_args()
    checks = [check for module in (bad_messages, bad_clients, bad_starts) for check in module.CHECKS]
    if options.only:
        checks = [check for check in checks if check.__name__ == options.only]

    server = Server([options.server, "--port=0"])
    failed = not checks
    for check in checks:
        start = time.monotonic()
        try:
            check(server, options)
            expect_serves(server)
            verdict = "PASS"
        except Problem as problem:
            failed = True
            verdict = "FAIL"
            print("     %s" % problem)
        print("%s %-30s %6d ms" % (verdict, check.__name__, (time.monotonic() - start) * 1000), flush=True)
        if not server.alive():
            break
    ended = server.stop()
    if ended:
        print("FAIL %s" % ended)
    return 1 if failed or ended else 0


if __name__ == "__main__":
    sys.exit(main())
