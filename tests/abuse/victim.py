"""The client process that hostile servers are called by: victim.cc."""

import subprocess

PATIENCE_S = 60  # for the calls of one play


class Victim:

    def __init__(self, program, honest):
        self._process = subprocess.Popen([program, "--honest=" + honest.address], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, errors="replace")
        self.pid = self._process.pid
        if self._line() != "ready":
            raise RuntimeError("%s: expected \"ready\", it ended with %s" % (program, self._process.wait()))

    def call(self, port, ask):
        """([(code, messages read, text)], honest calls, the worst of them in ms, what failed of them or "-")"""
        self._process.stdin.write("%d %s\n" % (port, ask))
        self._process.stdin.flush()
        calls = []
        while True:
            words = self._line().split(" ", 3)
            if words[0] == "honest":
                return calls, int(words[1]), int(words[2]) / 1000, words[3]
            if words[0] != "call":
                raise RuntimeError("the client process has ended: %s" % self._process.wait(PATIENCE_S))
            calls.append((words[1], int(words[2]), words[3] if len(words) > 3 else ""))

    def alive(self):
        return self._process.poll() is None

    def stop(self):
        """Returns what is wrong with how it ended, or None."""
        self._process.stdin.close()
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return "client: expected to end within %d s" % PATIENCE_S
        return None if code == 0 else "client: expected exit code 0, got %d" % code

    def _line(self):
        return self._process.stdout.readline().rstrip("\n")
