"""The processes of a fleet: servers that can be started again, a client that tells what becomes of its calls, DNS."""

import os
import signal
import subprocess
import sys
import threading
import time

PATIENCE_S = 30  # for whatever takes milliseconds


def _wait_for(what, condition):
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > give_up:
            raise RuntimeError("expected %s within %d s" % (what, PATIENCE_S))
        time.sleep(0.01)


def _listening(process):
    """The address of "listening on ADDRESS"."""
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        raise RuntimeError("%s: expected \"listening on ADDRESS\", got \"%s\"" % (process.args, line.strip()))
    return line.split()[-1]


class Server:
    """A member of the fleet, at one address, in one process after the other."""

    def __init__(self, program, network, number):
        self.name = "abc"[number]
        self.number = number
        self.address = network.address(number)
        self._command = network.at_server(
            number, [program, "--listen=" + self.address, "--name=" + self.name])
        self._process = None
        self.start()

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        _listening(self._process)

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def drain(self):
        """SIGTERM, and waits for its end."""
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        if code:
            raise RuntimeError("server %s: expected all calls to end by themselves, got exit code %d" % (self.name, code))

    def close(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()


class Answers:
    """Calls that one server answered within some 20 ms."""

    def __init__(self, server, calls, first_start, last_start, slowest):
        self.server, self.calls = server, int(calls)
        self.first_start, self.last_start, self.slowest_s = float(first_start), float(last_start), float(slowest)


class Failure:
    """A call that failed."""

    def __init__(self, start, end, code, safe, peer, text):
        self.start, self.end, self.code, self.peer, self.text = float(start), float(end), code, peer, text
        self.safe = safe == "safe"


class Client:
    """The load. What it has said so far may be read at any time (journal.h)."""

    def __init__(self, program, network, arguments):
        self.answers = []
        self.failures = []
        self.calls = None  # all of them, when it has ended
        self._process = subprocess.Popen(network.at_client([program] + arguments), stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "answered":
                self.answers.append(Answers(*fields))
            elif kind == "failed":
                self.failures.append(Failure(*fields))
            elif kind == "ended":
                self.calls = int(fields[0])

    def first_call_at(self, name, since):
        """When the first call was made, at `since` or later, that this server answered; None."""
        for answers in list(self.answers):
            if answers.server == name and answers.last_start >= since:
                return answers.first_start if answers.first_start >= since else answers.last_start
        return None

    def wait_for_answer(self, server, since):
        """When the first call was made, at `since` or later, that it answered."""
        _wait_for("server %s to answer a call" % server.name,
                  lambda: self.first_call_at(server.name, since) is not None)
        return self.first_call_at(server.name, since)

    def end(self):
        self._process.stdin.close()
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        if code or self.calls is None:
            raise RuntimeError("client: expected every call to end, got exit code %d" % code)

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Dns:
    """A DNS server beside the client."""

    def __init__(self, network, folder):
        self._zone = os.path.join(folder, "zone")
        self.answer([])
        host, port = network.dns_address()
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "dns_server.py")
        self._process = subprocess.Popen(
            network.at_client([sys.executable, script, self._zone, host, str(port)]), stdout=subprocess.PIPE, text=True)
        self.port = int(_listening(self._process).rpartition(":")[2])

    def answer(self, hosts):
        replace(self._zone, hosts)

    def close(self):
        self._process.kill()
        self._process.wait()


def replace(path, lines):
    """Writes a file that is never seen half."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write("".join(line + "\n" for line in lines))
    os.rename(path + ".new", path)
