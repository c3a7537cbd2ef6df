"""Addresses that cannot be used, on both sides: the program says which one, what was expected, what the system said."""

import socket
import threading

from expect import expect
from processes import run


def expect_refusal(what, command, words, timeout_s=20):
    """The program ends with an error, in time, and its text has all the words."""
    code, output = run(command, timeout_s)
    expect(code not in (0, None) and code > 0, "%s: expected an error exit, got %s\n%s" % (what, code, output[-1000:]))
    for word in words:
        expect(word in output, "%s: expected \"%s\" in the output, got\n%s" % (what, word, output[-1000:]))


def call_of(options, host, port):
    return [options.client, "--server_host=%s" % host, "--server_port=%d" % port, "--test_case=empty_unary"]


def port_in_use(server, options):
    expect_refusal("a port that is taken", [options.server, "--port=%d" % server.port],
                   [str(server.port), "in use"])


def unparsable_listen_address(_server, options):
    for address in ("nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1",
                    "1.2.3.4.5:80", "[::1:80", "::1:80", "unix:", "no.such.host.invalid:80"):
        expect_refusal("--address=" + address, [options.server, "--address=" + address], [address, "expected"])


def foreign_listen_address(_server, options):
    expect_refusal("an address of another machine", [options.server, "--address=192.0.2.1:0"], ["192.0.2.1"])


def nobody_listens(_server, options):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        port = unused.getsockname()[1]
        expect_refusal("a port where nobody listens", call_of(options, "127.0.0.1", port),
                       ["UNAVAILABLE", "127.0.0.1:%d" % port, "refused"])


def unknown_host(_server, options):
    expect_refusal("a name that does not exist", call_of(options, "no.such.host.invalid", 80),
                   ["UNAVAILABLE", "no.such.host.invalid"])


def unparsable_target(_server, options):
    expect_refusal("a target with a space", call_of(options, "not a host", 80), ["not a host"])
    expect_refusal("an unknown scheme", call_of(options, "gopher://host", 80), ["gopher"])


class OtherServer:
    """Answers every connection with fixed bytes and closes it."""

    def __init__(self, words):
        self._words = words
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(self._words)


def server_is_not_http2(_server, options):
    for words in (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""):
        other = OtherServer(words)
        expect_refusal("a server that says %r" % words, call_of(options, "127.0.0.1", other.port),
                       ["UNAVAILABLE", "127.0.0.1:%d" % other.port])


CHECKS = [
    port_in_use, unparsable_listen_address, foreign_listen_address, nobody_listens, unknown_host, unparsable_target,
    server_is_not_http2
]
