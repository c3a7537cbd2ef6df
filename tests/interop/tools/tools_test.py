#!/usr/bin/python3
"""h2load, nghttp and curl against an echo server: other people's HTTP/2, and nothing may get lost.

  tools_test.py --server=echo_server --path=/bench.Echo/Unary
"""

import argparse
import re
import sys
import tempfile

from grpc_call import call, envelope, post
from processes import Server, run

PATIENCE_S = 50
REPLY = envelope(b"\x0a\x05hello")  # a message whose field 1 is "hello"
GRPC_HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


class Problem(Exception):
    pass


def expect(holds, text):
    if not holds:
        raise Problem(text)


def h2load(server, path, body_path, connections, streams, requests):
    code, output = run([
        "h2load", "--clients=%d" % connections, "--max-concurrent-streams=%d" % streams, "--requests=%d" % requests,
        "--data=" + body_path
    ] + GRPC_HEADERS + ["http://%s%s" % (server.address, path)], PATIENCE_S)
    expect(code == 0, "h2load: expected exit code 0, got %s\n%s" % (code, output[-2000:]))
    counts = re.search(
        r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout",
        output)
    expect(counts is not None, "h2load: expected a line \"requests:\", got\n" + output[-2000:])
    expected = (requests, requests, requests, requests, 0, 0, 0)
    got = tuple(int(count) for count in counts.groups())
    expect(got == expected, "h2load: expected (total, started, done, succeeded, failed, errored, timeout) %s, got %s" %
           (expected, got))
    # Every reply's DATA has arrived, not only its head.
    data_bytes = int(re.search(r"\((\d+)\) data", output).group(1))
    expect(data_bytes == requests * len(REPLY), "h2load: expected %d bytes of data, got %d" %
           (requests * len(REPLY), data_bytes))
    return re.search(r"finished in .*", output).group(0)


def one_connection(server, path, body_path):
    return h2load(server, path, body_path, connections=1, streams=100, requests=10000)


def hundred_connections(server, path, body_path):
    return h2load(server, path, body_path, connections=100, streams=10, requests=10000)


def nghttp(server, path, body_path):
    with open(body_path, "rb") as body:
        answer = post(server, path, body.read())
    got = (answer.exit_code, answer.http_status, answer.headers.get("content-type"), answer.grpc_status)
    expect(got == (0, 200, "application/grpc", 0), "nghttp: expected HTTP 200 and grpc-status 0, got %s" % answer)
    return "status and trailers seen"


def curl(server, path, body_path):
    with open(body_path, "rb") as body:
        answer = call(server, path, body.read())
    expect(answer.grpc_status == 0 and answer.body == REPLY, "curl: expected the reply and grpc-status 0, got %s" % answer)
    return "reply and trailers seen"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--path", required=True, help="of a unary method that sends field 1 back")
    options = parser.parse_args()
    server = Server([options.server, "--port=0"])
    failed = 0
    with tempfile.NamedTemporaryFile() as body:
        body.write(REPLY)
        body.flush()
        for test in (one_connection, hundred_connections, nghttp, curl):
            try:
                print("PASS %-20s %s" % (test.__name__, test(server, options.path, body.name)))
            except Problem as problem:
                failed += 1
                print("FAIL %-20s %s" % (test.__name__, problem))
    ended = server.stop()
    if ended:
        print("FAIL %s" % ended)
    return 1 if failed or ended else 0


if __name__ == "__main__":
    sys.exit(main())
