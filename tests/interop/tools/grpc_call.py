"""A unary gRPC call by hand: nghttp or curl posts the bytes, and everything that comes back is laid open.

curl gives the body, too. But curl 7.88 makes an error of a server that answers before it has read the request and then
resets the stream with NO_ERROR, as RFC 9113 section 8.1 tells it to; nghttp does not.
"""

import os
import re
import struct
import subprocess
import tempfile
import urllib.parse

PATIENCE_S = 20


def envelope(message, flag=0, length=None):
    """A gRPC message with its five-byte prefix; `length` to lie about it."""
    return struct.pack(">BI", flag, len(message) if length is None else length) + message


class Answer:

    def __init__(self, exit_code, http_status, headers, body):
        self.exit_code = exit_code  # of the program
        self.http_status = http_status
        self.headers = headers  # and trailers, names in lower case
        self.body = body
        self.grpc_status = int(headers["grpc-status"]) if headers.get("grpc-status", "").isdigit() else None
        self.grpc_message = urllib.parse.unquote(headers.get("grpc-message", ""))

    def __str__(self):
        return "exit code %d, HTTP %d, grpc-status %s \"%s\", body of %d bytes" % (
            self.exit_code, self.http_status, self.grpc_status, self.grpc_message, len(self.body))


def _header_options(headers):
    """gRPC's own headers, which `headers` may replace, as command line options."""
    wanted = {"content-type": "application/grpc", "te": "trailers", **dict(headers)}
    return [word for name, value in wanted.items() for word in ("--header", "%s: %s" % (name, value))]


def post(server, path, body, method="POST", headers=()):
    """nghttp: every status that the server can answer, but no body."""
    with tempfile.NamedTemporaryFile() as request:
        request.write(body)
        request.flush()
        done = subprocess.run(
            ["nghttp", "--verbose", "--null-out", "--no-dep", "--timeout=%d" % PATIENCE_S, "--data=" + request.name,
             "--header", ":method: " + method] + _header_options(headers) + ["http://%s%s" % (server.address, path)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode(errors="replace"))
    received = dict(re.findall(r"recv \(stream_id=\d+\) (:?[^: ]+): (.*)", output))
    return Answer(done.returncode, int(received.get(":status", 0)), received, b"")


def call(server, path, body):
    """curl: status and body of a call that reads its request."""
    with tempfile.TemporaryDirectory() as folder:
        dump, reply = os.path.join(folder, "headers"), os.path.join(folder, "reply")
        command = ["curl", "--silent", "--http2-prior-knowledge", "--request", "POST", "--max-time", str(PATIENCE_S),
                   "--data-binary", "@-", "--dump-header", dump, "--output", reply, "--write-out", "%{http_code}"]
        done = subprocess.run(command + _header_options(()) + ["http://%s%s" % (server.address, path)], input=body,
                              stdout=subprocess.PIPE)
        return Answer(done.returncode, int(done.stdout or 0), _read_headers(dump), _read(reply))


def _read(path):
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def _read_headers(path):
    headers = {}
    for line in _read(path).decode(errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers
