"""Starting and ending the programs of a test: servers that say where they listen, clients that come to an end."""

import os
import signal
import subprocess
import threading

PATIENCE_S = 20  # for a server to start or to end
LISTENING = "listening on "


class Server:
    """A server process. It chooses its port and prints "listening on HOST:PORT" first; that line is waited for."""

    def __init__(self, command, env=None):
        self.command = command
        self.host, self.port = None, None
        self.lines = []  # of stderr, and of stdout after the first
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=env)
        self._threads = [
            threading.Thread(target=self._read, args=(pipe,), daemon=True)
            for pipe in (self.process.stdout, self.process.stderr)
        ]
        for thread in self._threads:
            thread.start()
        if not self._listening.wait(PATIENCE_S) or self.port is None:
            self.process.kill()
            raise RuntimeError("%s: expected \"%sHOST:PORT\", got %s" % (command[0], LISTENING, self.tail()))

    def _read(self, pipe):
        for line in pipe:
            if self.port is None and line.startswith(LISTENING):
                self.host, _, port = line[len(LISTENING):].strip().rpartition(":")
                self.port = int(port)
                self._listening.set()
            else:
                self.lines.append(line.rstrip())
        if pipe is self.process.stdout:
            self._listening.set()  # it ended: nobody waits longer

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    def tail(self):
        return "\n".join(self.lines[-20:]) or "no output"

    def memory_kib(self):
        """The most resident memory it has had, and the file descriptors that it has open."""
        with open("/proc/%d/status" % self.process.pid) as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        return peak, len(os.listdir("/proc/%d/fd" % self.process.pid))

    def alive(self):
        return self.process.poll() is None

    def wait(self):
        """Waits for the process to end by itself. Returns what is wrong with how it did, or None."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            return "server: expected to end within %d s, but it still ran\n%s" % (PATIENCE_S, self.tail())
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return None if code == 0 else "server: expected exit code 0, got %d\n%s" % (code, self.tail())

    def stop(self):
        """SIGTERM, then as wait()."""
        if self.alive():
            self.process.terminate()
        return self.wait()


def run(command, timeout_s, **kwargs):
    """Runs a program to its end. Returns (exit code or None if it was killed after `timeout_s`, stdout + stderr)."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=timeout_s, **kwargs)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.output or b""
        return None, output.decode(errors="replace") if isinstance(output, bytes) else output
