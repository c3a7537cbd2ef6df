"""What a call costs a client. All clients call weir's echo_server."""

import contextlib
import json

import programs as the_programs
from summary import Better, Figure

_START_SECONDS = 0.001  # a run so short that it costs what starting costs


class ClientLoad:

    def __init__(self, name, concurrency, quick=False, cpu=None):
        self.name, self.concurrency, self.quick = name, concurrency, quick
        self.figures = [
            Figure("client CPU, us/call", goal=cpu),
            Figure("calls/s", Better.HIGHER),
            Figure("p50, us"),
            Figure("p99, us"),
        ]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with programs.start_server(the_programs.WEIR) as server:

            def run(run_seconds):
                output, cpu_s = the_programs.run(
                    ["taskset", "-c", programs.load_cpu, programs.client(system), server.host, server.port,
                     self.concurrency, run_seconds])
                return json.loads(output), cpu_s * 1e6

            def measure():
                start, start_cpu_us = run(_START_SECONDS)
                report, cpu_us = run(seconds)
                return ((cpu_us - start_cpu_us) / (report["rpcs"] - start["rpcs"]), report["rpcs"] / report["seconds"],
                        report["p50_us"], report["p99_us"])

            yield measure
