"""Clients that speak something else than HTTP/2: one line that helps, and the end."""

import socket

from attacker import Attacker, named
from peer import PATIENCE_S

TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(189)


def speaks_http_1(data):
    """Sends this; the first line of what the server writes until it closes."""
    def attack(server):
        with socket.create_connection((server.host, server.port), PATIENCE_S) as peer:
            peer.settimeout(PATIENCE_S)
            peer.sendall(data)
            got = b""
            while chunk := peer.recv(4096):
                got += chunk
        return got.split(b"\r\n")[0].decode()
    return attack


def speaks(data):
    """Sends this, which HTTP/2 answers with a GOAWAY, whose text is in what such a client shows or records."""
    def attack(server):
        attacker = Attacker(server, preface=b"", acknowledge=False)
        attacker.send(data)
        end = attacker.wait_for_end()
        attacker.close()
        return end
    return attack


BAD_REQUEST = "HTTP/1.1 400 Bad Request"
NO_PREFACE = r"""GOAWAY PROTOCOL_ERROR client's preface: expected "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", got """

EXPECTED = {named(name, attack): expected for name, attack, expected in [
    ("http_1_1_request", speaks_http_1(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), BAD_REQUEST),
    ("http_1_1_upgrade", speaks_http_1(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n\r\n"), BAD_REQUEST),
    ("http_1_1_without_end", speaks_http_1(b"GET " + b"/x" * 50_000), BAD_REQUEST),
    ("tls_hello", speaks(TLS_HELLO), NO_PREFACE + "a TLS handshake"),
    ("ssh", speaks(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), NO_PREFACE + '"SSH-2.0'),
    ("noise", speaks(bytes(range(256)) * 64), NO_PREFACE),
]}
