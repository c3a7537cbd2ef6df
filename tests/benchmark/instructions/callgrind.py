"""Runs programs under callgrind and says how many instructions of user space they took.

The count does not depend on the processor: the C library is told to copy with SSE2 everywhere. Otherwise it takes what
the processor is best at, and callgrind counts a `rep movsb` of 64 KiB as 65,536 instructions.
"""

import re
import signal
import socket
import subprocess
import tempfile

_PATIENCE_S = 120
_LISTENING = re.compile(r"listening on .*:(\d+)$")
_COLLECTED = re.compile(r"Collected : (\d+)")
_SAME_ON_EVERY_PROCESSOR = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-SSSE3,-ERMS,-FSRM"

# To be put in front of a command.
COMMAND = ("env", _SAME_ON_EVERY_PROCESSOR, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def collected(log):
    """Instructions of all threads, from the messages of callgrind."""
    found = _COLLECTED.search(log)
    if not found:
        raise RuntimeError("callgrind: expected \"Collected : N\", got:\n" + log)
    return int(found[1])


def of_server(command, load):
    """Instructions of a server that prints "listening on HOST:PORT": `load(port)` is run, then the server is stopped."""
    with _Program(command, stdout=subprocess.PIPE) as program:
        listening = _LISTENING.match(program.process.stdout.readline().strip())
        if not listening:
            program.fail("expected \"listening on HOST:PORT\" first")
        load(int(listening[1]))
        program.process.send_signal(signal.SIGTERM)
        return program.instructions()


def of_client(command, serve):
    """Instructions of a client that takes HOST PORT behind `command`: `serve(socket)` is run on its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with _Program(command + ["127.0.0.1", str(port)], stdout=subprocess.DEVNULL) as program:
            with _accept(listener, program) as accepted:
                serve(accepted)
            return program.instructions()


def _accept(listener, program):
    """The first connection. Waits no longer than the program lives."""
    listener.settimeout(0.5)
    while True:
        try:
            return listener.accept()[0]
        except TimeoutError:
            if program.process.poll() is not None:
                program.fail("expected it to connect")


class _Program:
    """A process under callgrind; killed if it is not waited for."""

    def __init__(self, command, stdout):
        self._name = command[0]
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # not a pipe: nobody reads while it runs
        self.process = subprocess.Popen([*COMMAND, *command], stdout=stdout, stderr=self._stderr, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # no-op for a process that has been waited for
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self._stderr.close()

    def instructions(self):
        """Waits for the end."""
        code = self.process.wait(_PATIENCE_S)
        if code != 0:
            self.fail("expected exit code 0, got %d" % code)
        return collected(self._said())

    def fail(self, what):
        raise RuntimeError("%s: %s. It said:\n%s" % (self._name, what, self._said()))

    def _said(self):
        self._stderr.seek(0)
        return self._stderr.read()
