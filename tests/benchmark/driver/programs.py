"""The programs under test: where they are, how they start, and what the kernel says of them."""

import contextlib
import os
import pathlib
import re
import resource
import subprocess
import time

import processes  # of tests/interop/runner

ROOT = pathlib.Path(__file__).resolve().parents[3]

WEIR, CALLBACK, ASYNC = "weir", "grpc++ callback", "grpc++ async"
SYSTEMS = (WEIR, ASYNC, CALLBACK)

_SERVERS = {
    WEIR: "tests/benchmark/echo_server",
    CALLBACK: "tests/benchmark/peers/grpcpp_callback_server",
    ASYNC: "tests/benchmark/peers/grpcpp_async_server",
}
_CLIENTS = {
    WEIR: "tests/benchmark/load_client",
    CALLBACK: "tests/benchmark/peers/grpcpp_callback_client",
    ASYNC: "tests/benchmark/peers/grpcpp_async_client",
}
class Programs:
    """Built programs, and the CPUs on which they run: servers on the first, everything that loads them on the last."""

    def __init__(self, bazel_bin):
        self.bazel_bin = pathlib.Path(bazel_bin)
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.load_cpu = cpus[0], cpus[-1]

    @contextlib.contextmanager
    def prepared_process(self):
        """The driver itself is load, and opens thousands of connections. What it starts inherits CPU and priority."""
        os.sched_setaffinity(0, {self.load_cpu})
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with _ahead_of_neighbours():
            yield

    def client(self, system):
        return str(self.bazel_bin / _CLIENTS[system])

    def start_server(self, system, *options, wrapper=()):
        """With one thread, where that can be said. `wrapper` is put in front of the command."""
        command = ["taskset", "-c", str(self.server_cpu), *wrapper, str(self.bazel_bin / _SERVERS[system]), "--port=0"]
        if system != CALLBACK:
            command.append("--threads=1")
        return Server(command + list(options))


@contextlib.contextmanager
def _ahead_of_neighbours():
    """Priority over what else the machine does, as far as we may.

    Without it a server of one thread gets less of a busy CPU than one of eight. Where sessions share CPUs between them
    (sched_autogroup_enabled), only the session's priority counts, which is given back.
    """
    nice = -10
    autogroup = pathlib.Path("/proc/self/autogroup")
    with contextlib.suppress(OSError):  # only root may; not every kernel has autogroups
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        autogroup.write_text(str(nice))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            autogroup.write_text("0")


class Server(processes.Server):
    """A server process on 127.0.0.1 that `with` ends."""

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error:
            self.process.kill()  # it may wait for calls that nobody ends any more
            self.wait()
            return
        problem = self.stop()
        if problem:
            raise RuntimeError("%s: %s" % (self.command, problem))

    def cpu_us(self):
        """User and system time of all threads, also of those that have ended: clock_getcpuclockid(3) without rounding."""
        cputime_of_process = 2
        return time.clock_gettime((~self.process.pid << 3) | cputime_of_process) * 1e6

    def rss_kib(self):
        with open("/proc/%d/smaps_rollup" % self.process.pid) as rollup:
            return int(re.search(r"^Rss:\s+(\d+) kB", rollup.read(), re.MULTILINE).group(1))

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.process.pid))


def run(command, timeout_s=120, **kwargs):
    """Runs a program to its end. Returns (stdout, user and system seconds). Raises with its output if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout_s, **kwargs)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError("expected exit code 0 of `%s`, got %d:\n%s" % (
            " ".join(map(str, command)), done.returncode, done.stdout + done.stderr))
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
