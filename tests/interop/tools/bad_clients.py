"""Clients that speak no HTTP/2, break it, or vanish: only their own connection suffers, and their calls are cancelled."""

import random
import socket
import struct
import subprocess
import uuid

from expect import expect, expect_closes, observe, wait_until
from grpc_call import envelope
from processes import run
from raw_http2 import (DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                       Connection, frame, grpc_request)

SEED = 20240229
HOLD = "/weir.interop.Features/Hold"


def connect(server):
    return socket.create_connection((server.host, server.port), 10)


def say(server, words, what):
    """Sends these bytes on a new connection and waits for its end."""
    with connect(server) as connection:
        try:
            connection.sendall(words)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return expect_closes(connection, what)


def http1_client(server, _options):
    say(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 GET")
    say(server, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 POST")
    code, output = run(["curl", "--silent", "--show-error", "--http1.1", "--max-time", "10", "--write-out",
                        "%{http_code}", "http://%s/" % server.address], 20)
    expect(code == 0 and "HTTP/2 only" in output and output.endswith("400"),
           "curl --http1.1: expected status 400 with a text, got exit code %s\n%s" % (code, output))


def tls_client(server, _options):
    say(server, bytes.fromhex("16030100f8010000f40303") + bytes(240), "TLS ClientHello")


def random_bytes(server, _options):
    generator = random.Random(SEED)
    for i in range(50):
        say(server, generator.randbytes(generator.randrange(24, 4096)), "random bytes %d, seed %d" % (i, SEED))


def random_frames(server, _options):
    """A good preface, then noise. The connection may live as long as the noise is legal: half-close ends it."""
    generator = random.Random(SEED)
    for i in range(50):
        with connect(server) as connection:
            noise = b"".join(
                frame(generator.randrange(12), generator.randrange(256), generator.randrange(8),
                      generator.randbytes(generator.randrange(64))) for _ in range(50))
            try:
                connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + noise)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            expect_closes(connection, "random frames %d, seed %d" % (i, SEED))


def frames_that_break_rules(server, _options):
    good = PREFACE + frame(SETTINGS, 0, 0)
    headers = frame(HEADERS, END_HEADERS, 1, grpc_request(HOLD))
    for what, words in (
        ("DATA on stream 0", frame(DATA, 0, 0, b"x")),
        ("HEADERS on an even stream", frame(HEADERS, END_HEADERS, 2, grpc_request(HOLD))),
        ("a frame above 16384 bytes", frame(DATA, 0, 1, bytes(20000))),
        ("WINDOW_UPDATE of 0", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0))),
        ("window above 2^31-1", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)) * 2),
        ("SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, bytes(5))),
        ("broken header compression", frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff")),
        ("CONTINUATION out of place", headers + frame(9, END_HEADERS, 1, b"")),
    ):
        said = say(server, good + words, what)
        expect(struct.pack(">B", GOAWAY) in said, "%s: expected a GOAWAY before the end" % what)


def open_hold(server):
    """A Hold whose handler runs: (connection, call id)."""
    call_id = uuid.uuid4().hex
    echoed = []
    connection = Connection(server, lambda kind, flags, stream, payload: echoed.append(kind) if kind == DATA else None)
    note = b"\x0a" + bytes([len(call_id)]) + call_id.encode()
    connection.send(frame(HEADERS, END_HEADERS, 1, grpc_request(HOLD)), frame(DATA, 0, 1, envelope(note)))
    expect(connection.read_until(lambda: echoed), "Hold: expected an echo, but the connection was closed")
    expect(observe(server, call_id) == (True, True, False), "Hold: expected its handler to run")
    return connection, call_id


def expect_cancelled(server, call_id):
    wait_until("the handler ends, cancelled", lambda: observe(server, call_id) == (True, False, True))


def peer_closes_mid_call(server, _options):
    connection, call_id = open_hold(server)
    connection.socket.close()
    expect_cancelled(server, call_id)


def peer_vanishes_mid_call(server, _options):
    connection, call_id = open_hold(server)
    connection.vanish()
    expect_cancelled(server, call_id)


def peer_resets_stream(server, _options):
    connection, call_id = open_hold(server)
    connection.send(frame(RST_STREAM, 0, 1, struct.pack(">I", 8)))
    connection.flush()
    expect_cancelled(server, call_id)
    connection.socket.close()


def peer_ends_inside_message(server, _options):
    connection, call_id = open_hold(server)
    connection.send(frame(DATA, END_STREAM, 1, envelope(b"abc", length=100)))
    connection.flush()
    wait_until("the handler ends", lambda: not observe(server, call_id)[1])
    connection.socket.close()


def connection_count(server):
    """Connections that the server has not closed: its port is the local one, ESTABLISHED or CLOSE_WAIT."""
    with open("/proc/net/tcp") as file:
        sockets = [line.split() for line in file][1:]
    return sum(local.endswith(":%04X" % server.port) and state in ("01", "08") for _, local, _, state, *_ in sockets)


def client_killed(server, options):
    """SIGKILL in the middle of many calls: the server lets go of all that belongs to them."""
    for _ in range(3):
        wait_until("connections of earlier checks are closed", lambda: connection_count(server) == 0)
        client = subprocess.Popen([
            options.client, "--server_host=" + server.host, "--server_port=%d" % server.port,
            "--test_case=thousand_streams"
        ], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("the client connects", lambda: connection_count(server) > 0)
        client.kill()
        client.wait()
        wait_until("its connection is closed", lambda: connection_count(server) == 0)


CHECKS = [
    http1_client, tls_client, random_bytes, random_frames, frames_that_break_rules, peer_closes_mid_call,
    peer_vanishes_mid_call, peer_resets_stream, peer_ends_inside_message, client_killed
]
