"""What a run has shown: a row of the table, and what is wrong with it."""

import collections
import datetime
import os
import platform
import re
import subprocess

HEADS = ("failure", "policy", "noticed", "back", "calls", "failed", "safe to retry", "slowest answer")
BEGIN, END = "<!-- by ./dev fleet --record -->", "<!-- end -->"


class Row:
    """noticed: from the failure until no call is sent to the failed server any more, and those that were under way there
    have been told. back: from the repair to its first call."""

    def __init__(self, scenario, client, failed_server, course):
        self._scenario = scenario
        self.notice_s = None
        if "notice" in scenario.within:
            returned = course.return_time if scenario.returns == failed_server.name else None
            self.notice_s = _last_trace(client, failed_server, course.fault_time, returned) - course.fault_time
        self.return_s = course.return_s
        self.calls = client.calls
        self.failures = client.failures
        self.safe = [failure for failure in client.failures if failure.safe]
        slowest = max(client.answers, key=lambda answers: answers.slowest_s)
        self.slowest_s = slowest.slowest_s
        self._slowest_at_s = slowest.last_start - client.answers[0].first_start

    def problems(self, slack_s):
        found = []
        for measured, name in ((self.notice_s, "notice"), (self.return_s, "return")):
            limit_s = self._scenario.within.get(name)
            if measured is not None and limit_s is not None and measured > limit_s + slack_s:
                found.append("expected the %s within %.1f s, got %.2f s" % (name, limit_s, measured))
        if self.safe:
            found.append("expected no failed call that could have been made again safely, got %d: %s" %
                         (len(self.safe), self.safe[0].text))
        if self.failures and not self._scenario.fails:
            found.append("expected no failed call, got %d: %s" % (len(self.failures), self.failures[0].text))
        return found

    def _statuses(self):
        codes = collections.Counter(failure.code for failure in self.failures)
        return ", ".join("%d %s" % (count, code) for code, count in sorted(codes.items())) or "0"

    def _time(self, measured, name):
        if measured is None:
            return "-"
        limit_s = self._scenario.within.get(name)
        return "%.2f s" % measured + (" (%.1f)" % limit_s if limit_s is not None else "")

    def cells(self):
        return (self._scenario.failure, self._scenario.policy, self._time(self.notice_s, "notice"),
                self._time(self.return_s, "return"), "{:,}".format(self.calls), self._statuses(), str(len(self.safe)),
                "%.2f s" % self.slowest_s)

    def text(self):
        cells = ", ".join("%s: %s" % pair for pair in zip(HEADS, self.cells()))
        return cells + ", made %.1f s after the first call" % self._slowest_at_s


def _last_trace(client, server, since, until):
    """When, between its failure and its return, the last call ended that failed there, or began that it answered."""
    times = [failure.end for failure in client.failures if failure.peer == server.address]
    times += [answers.last_start for answers in client.answers if answers.server == server.name]
    return max([when for when in times if since <= when and (until is None or when < until)], default=since)


def markdown(rows):
    lines = ["| " + " | ".join(HEADS) + " |", "|---|---|---:|---:|---:|---|---:|---:|"]
    return "\n".join(lines + ["| " + " | ".join(row.cells()) + " |" for row in rows])


def machine():
    with open("/proc/cpuinfo", encoding="ascii") as cpus:
        model = re.search(r"^model name\s*: (.*)$", cpus.read(), re.MULTILINE)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True, check=False)
    return "%s, %d CPUs, Linux %s, weir %s" % (model.group(1) if model else platform.machine(), os.cpu_count(),
                                               platform.release(), commit.stdout.strip())


def record(path, rows, network):
    """Puts the table between the marks of a page."""
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    _, _, after = rest.partition(END)
    said = "Measured on %s, %s. %s." % (datetime.date.today(), network, machine())
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + said + "\n\n" + markdown(rows) + "\n" + END + after)
