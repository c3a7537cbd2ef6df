"""What a process under attack may cost, measured around each attack."""

import os
import time

# Sanitizers keep memory of their own for every byte of the process: their runs are not judged by it.
SANITIZED = any(name in os.environ for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"))
GROWTH_KIB_MAX = 32 * 1024
DESCRIPTORS_S = 15  # for a process to notice that connections have gone


class Measured:
    """`with Measured(pid) as measured: attack()`, then growth_kib and problems(worst honest call)."""

    def __init__(self, pid):
        self._pid = pid
        self._descriptors = self.descriptors()
        self.growth_kib = 0

    def __enter__(self):
        self._reset_peak()
        self._before = self._status_kib("VmRSS:")
        return self

    def __exit__(self, *_):
        self.growth_kib = max(0, self._status_kib("VmHWM:") - self._before)

    def problems(self, worst_ms, worst_ms_max, ceiling_kib=0):
        """What is wrong, in words; waits until descriptors are back. A ceiling of the options allows more memory."""
        found = []
        if worst_ms > worst_ms_max:
            found.append("expected honest calls to take %d ms at most" % worst_ms_max)
        growth_kib_max = GROWTH_KIB_MAX + ceiling_kib
        if self.growth_kib > growth_kib_max and not SANITIZED:
            found.append("expected memory to grow by %d KiB at most" % growth_kib_max)
        give_up = time.monotonic() + DESCRIPTORS_S
        while self.descriptors() > self._descriptors and time.monotonic() < give_up:
            time.sleep(0.02)
        if self.descriptors() > self._descriptors:
            found.append("expected %d descriptors afterwards, got %d" % (self._descriptors, self.descriptors()))
        return found

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self._pid))

    def _status_kib(self, name):
        with open("/proc/%d/status" % self._pid) as status:
            return next((int(line.split()[1]) for line in status if line.startswith(name)), 0)  # 0: it has ended

    def _reset_peak(self):
        """The peak of the resident set begins again (proc(5), clear_refs), where that is allowed."""
        try:
            with open("/proc/%d/clear_refs" % self._pid, "w") as file:
                file.write("5")
        except OSError:
            pass
