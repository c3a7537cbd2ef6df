"""What the checks of bad_input_test.py expect, and how they look at a server."""

import time

from grpc_call import call, envelope

PATIENCE_S = 10
SERVICE = "/grpc.testing.TestService/"
OK, INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED = 0, 13, 12, 8


class Problem(Exception):
    pass


def expect(holds, text):
    if not holds:
        raise Problem(text)


def expect_status(what, answer, status, *words):
    """The answer has this grpc-status, and a message with all these words."""
    expect(answer.grpc_status == status, "%s: expected grpc-status %d, got %s" % (what, status, answer))
    for word in words:
        expect(word in answer.grpc_message, "%s: expected \"%s\" in the message, got %s" % (what, word, answer))


def expect_serves(server):
    expect(server.alive(), "the server: expected to run on, got exit code %s\n%s" %
           (server.process.poll(), server.tail()))
    answer = call(server, SERVICE + "EmptyCall", envelope(b""))
    expect_status("EmptyCall afterwards", answer, OK)


def expect_closes(connection_socket, what):
    """The server ends this connection, perhaps after some last words, which are returned."""
    connection_socket.settimeout(PATIENCE_S)
    words = b""
    try:
        while chunk := connection_socket.recv(65536):
            words += chunk
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise Problem("%s: expected the server to close within %d s, got %d bytes and then nothing" %
                      (what, PATIENCE_S, len(words)))
    return words


def wait_until(what, holds):
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        expect(time.monotonic() < give_up, "%s: expected within %d s, but it did not happen" % (what, PATIENCE_S))
        time.sleep(0.01)


def observe(server, call_id):
    """(known, running, cancelled) of a Hold or Flood."""
    request = b"\x0a" + bytes([len(call_id)]) + call_id.encode()
    answer = call(server, "/weir.interop.Features/Observe", envelope(request))
    expect_status("Observe", answer, OK)
    fields = dict(zip(answer.body[5::2], answer.body[6::2]))  # of small varints: tag, value
    return tuple(fields.get(number << 3, 0) == 1 for number in (1, 2, 3))
