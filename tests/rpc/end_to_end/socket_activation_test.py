#!/usr/bin/env python3
"""socket_activation_test.py SERVER CLIENT: runs the server as systemd would, with its sockets open already."""
import os
import signal
import socket
import subprocess
import sys

FIRST_FD = 3  # SD_LISTEN_FDS_START


def start(server, address, sockets, names):
    """Starts the server with the sockets as descriptors from 3 on."""

    def move_sockets():
        # Copies above the target numbers first, so that none is overwritten before it is moved.
        copies = [os.dup(s.fileno()) for s in sockets]
        high = [os.dup2(copy, 100 + i) for i, copy in enumerate(copies)]
        for i, fd in enumerate(high):
            os.dup2(fd, FIRST_FD + i, inheritable=True)
        for fd in copies + high:
            if fd >= FIRST_FD + len(sockets):
                os.close(fd)

    # LISTEN_PID is the server's own: the shell that sets it becomes the server.
    environment = dict(os.environ, LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=":".join(names))
    command = ["sh", "-c", 'export LISTEN_PID=$$; exec "$0" "$1"', server, address]
    return subprocess.Popen(command, env=environment, preexec_fn=move_sockets, close_fds=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def listening():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s


def call(client, port):
    return subprocess.run([client, f"127.0.0.1:{port}", "Ann"], capture_output=True, text=True, timeout=50)


def test_all_sockets_serve(server, client):
    sockets = [listening(), listening()]
    ports = [s.getsockname()[1] for s in sockets]
    process = start(server, "systemd:", sockets, ["web", "admin"])
    # The client's connection waits in the socket that is open already: nobody has to wait for the server.
    for port in ports:
        result = call(client, port)
        assert result.stdout == "Hello, Ann\n", result
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=50)
    assert out == f"listening on port {ports[0]}\n", out
    assert process.returncode == 0, err


def test_a_name_chooses(server, client):
    sockets = [listening(), listening()]
    process = start(server, "systemd:admin", sockets, ["web", "admin"])
    port = sockets[1].getsockname()[1]
    assert process.stdout.readline() == f"listening on port {port}\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=50)


def test_an_unknown_name_says_which_there_are(server, client):
    process = start(server, "systemd:metrics", [listening()], ["web"])
    _, err = process.communicate(timeout=50)
    assert process.returncode == 1
    assert 'systemd:metrics: expected a socket in LISTEN_FDS, got 3 "web"' in err, err


def test_without_systemd_it_says_so(server, client):
    result = subprocess.run([server, "systemd:"], capture_output=True, text=True, timeout=50)
    assert result.returncode == 1
    assert "got none; start the process by its socket unit" in result.stderr, result.stderr


def main():
    server, client = (os.path.abspath(path) for path in sys.argv[1:])
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            print(name, flush=True)
            test(server, client)
    print("PASSED")


if __name__ == "__main__":
    main()
