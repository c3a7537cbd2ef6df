"""h2load as the neutral load: calls of bench.Echo with messages made by hand, and what h2load says of them."""

import collections
import re
import tempfile

import programs

Result = collections.namedtuple("Result", "seconds data_bytes")


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def envelope(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def payload(size):
    """A bench.Payload in its envelope."""
    return envelope(b"\x0a" + varint(size) + b"x" * size)


def stream_request(count, size):
    """A bench.StreamRequest in its envelope."""
    return envelope(b"\x08" + varint(count) + b"\x10" + varint(size))


def parse_output(text):
    """Result of h2load's output. Raises if a request failed or did not end."""
    finished = re.search(r"^finished in ([0-9.]+)(m|u|)s, ", text, re.MULTILINE)
    requests = re.search(r"^requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, ", text, re.MULTILINE)
    traffic = re.search(r"^traffic: .* headers .*, \S+ \((\d+)\) data$", text, re.MULTILINE)
    if not (finished and requests and traffic) or len(set(requests.groups())) != 1:
        raise RuntimeError("h2load: expected all requests to succeed, got:\n" + text)
    seconds = float(finished.group(1)) * {"": 1, "m": 1e-3, "u": 1e-6}[finished.group(2)]
    return Result(seconds, int(traffic.group(1)))


def parse_latencies(log):
    """Sorted microseconds of h2load's --log-file: start, HTTP status, latency in each line."""
    return sorted(int(line.split("\t")[2]) for line in log.splitlines())


class Load:
    """One kind of call over and over, `streams` at a time on each of `connections`.

    Args:
      request: the request message in its envelope.
      reply_bytes: of all reply messages of a call with their envelopes; a call with others has failed.
    """

    def __init__(self, method, request, reply_bytes, connections, streams):
        self.method, self.request, self.reply_bytes = method, request, reply_bytes
        self.connections, self.streams = connections, streams

    def run(self, server, calls):
        return self._run(server, calls, ())

    def latencies_us(self, server, calls):
        """Sorted. h2load writes a line per call for it, so this is no run to count calls per second in."""
        with tempfile.NamedTemporaryFile("r") as log:
            self._run(server, calls, ["--log-file=" + log.name])
            return parse_latencies(log.read())

    def _run(self, server, calls, options):
        with tempfile.NamedTemporaryFile() as request:
            request.write(self.request)
            request.flush()
            url = "http://%s/bench.Echo/%s" % (server.address, self.method)
            output, _ = programs.run([
                "h2load", "-n", calls, "-c", self.connections, "-m", self.streams, "-d", request.name,
                "-H", "content-type: application/grpc", "-H", "te: trailers", *options, url])
        result = parse_output(output)
        if result.data_bytes != calls * self.reply_bytes:
            raise RuntimeError("%s: expected %d bytes of replies to %d calls, got %d: calls have failed.\n%s" % (
                url, calls * self.reply_bytes, calls, result.data_bytes, server.tail()))
        return result
