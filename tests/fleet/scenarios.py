"""What happens to the fleet: each failure, what the channel is told to do about such things, and what it must achieve."""

import signal
import time

KEEPALIVE = ["--keepalive_time=10s", "--keepalive_timeout=2s"]
KEEPALIVE_S = 12
WRITE_TIMEOUT_S = 30  # ClientConnectionOptions::write_timeout: of what is not acknowledged, without keepalive
CONNECT_TIMEOUT_S = 20  # ChannelOptions::connect_timeout

_METHODS = '{"methodConfig": [{"name": [{}], %s}]}'
RETRY = ["--service_config=" + _METHODS % (
    '"retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2, '
    '"retryableStatusCodes": ["UNAVAILABLE"]}')]
HEDGING = ["--service_config=" + _METHODS % (
    '"hedgingPolicy": {"maxAttempts": 3, "hedgingDelay": "0.2s", "nonFatalStatusCodes": ["UNAVAILABLE"]}')]


def longest_pause(down_s):
    """Of an address that has been down for so long: connection-backoff, 1 s * 1.6 for each further attempt, +-20 %."""
    pause_s, earliest_s = 1.0, 0.0
    while earliest_s + 0.8 * pause_s <= down_s:
        earliest_s += 0.8 * pause_s
        pause_s *= 1.6
    return min(1.2 * pause_s, 120 * 1.2)


class Course:
    """When it failed, when it served calls again (None: it need not), and how long after the repair that was."""

    def __init__(self, fault_time, return_time=None, return_s=None):
        self.fault_time, self.return_time, self.return_s = fault_time, return_time, return_s


class Scenario:
    """Something happens to server a; after `hold_s` it is repaired; the channel finds it again.

    within:   "notice" and "return": in how many seconds, at most. Without "notice" it is not measured.
    fails:    False: no call may fail. Calls that could have been made again safely may never fail.
    needs:    what the network must be able to do.
    target:   "list", "file", "dns", or "one" for server a alone.
    quick:    part of the short run.
    returns:  who is waited for after the repair: a; c, which takes a's place in the file or in DNS; or None, nobody.
    """

    def __init__(self, failure, policy, fault, hold_s, repair, within, fails=True, needs=None, target="list",
                 options=(), quick=False, returns="a", policy_name="round_robin"):
        self.failure, self.policy, self.fault, self.hold_s, self.repair = failure, policy, fault, hold_s, repair
        self.within, self.fails, self.needs, self.target, self.quick = within, fails, needs, target, quick
        self.returns = returns
        self.named = "ab" if returns == "c" else "abc"  # at first
        self.serving = "a" if policy_name == "pick_first" or target == "one" else self.named
        self.arguments = ["--policy=" + policy_name, *options]

    def play(self, fleet):
        fault_time = time.monotonic()
        self.fault(fleet)
        time.sleep(self.hold_s)
        repair_time = time.monotonic() if self.hold_s else fault_time
        self.repair(fleet)
        if self.returns is None:
            return Course(fault_time)
        return_time = fleet.client.wait_for_answer(fleet.server(self.returns), repair_time)
        return Course(fault_time, return_time, return_time - repair_time)


class RollingRestart:
    """All servers are drained and started again, one after the other, at full load; the next one goes when the one before
    it serves calls again."""

    fails, needs, quick, named, serving = False, None, True, "abc", "abc"
    arguments = ["--policy=round_robin", "--rate=0", "--concurrency=200"]

    def __init__(self, rounds, target):
        self.failure = "%d rolling restart%s" % (rounds, "s" if rounds > 1 else "")
        self.policy = "round_robin" if target == "list" else "round_robin, addresses leave a file meanwhile"
        # By a file they leave and come without having failed; it is looked at every second.
        self.within = {"return": longest_pause(0)}
        self.target = target
        self._rounds = rounds

    def play(self, fleet):
        begin, slowest_s = time.monotonic(), 0
        for _ in range(self._rounds):
            for server in fleet.servers:
                fleet.only_others(server)
                server.drain()
                started = time.monotonic()
                server.start()
                fleet.everyone()
                slowest_s = max(slowest_s, fleet.client.wait_for_answer(server, started) - started)
        return Course(begin, return_s=slowest_s)


def nothing(fleet):  # pylint: disable=unused-argument
    pass


def kill(fleet):
    fleet.server("a").kill()


def start(fleet):
    fleet.server("a").start()


def drain(fleet):
    fleet.server("a").drain()


def stop(fleet):
    fleet.server("a").signal(signal.SIGSTOP)


def go_on(fleet):
    fleet.server("a").signal(signal.SIGCONT)


def lose_both_ways(fleet):
    fleet.network.lose_arriving(0)
    fleet.network.lose_leaving(0)


def lose_arriving(fleet):
    fleet.network.lose_arriving(0)


def lose_leaving(fleet):
    fleet.network.lose_leaving(0)


def reset_connections(fleet):
    fleet.network.reset_connections(0)


def slow_link(fleet):
    fleet.network.slow_link(0, "64kbit")


def heal(fleet):
    fleet.network.heal(0)


def name_b_and_c(fleet):
    fleet.name("bc")


def name_b_and_c_and_kill(fleet):
    fleet.name("bc")
    fleet.server("a").kill()


def _after_silence(failure, fault, repair, needs, limit_s=KEEPALIVE_S, options=tuple(KEEPALIVE), **kwargs):
    """The server is there and says nothing: only keepalive finds out."""
    return Scenario(failure, kwargs.pop("policy", "round_robin, keepalive 10 s + 2 s"), fault, limit_s + 3, repair,
                    {"notice": limit_s, "return": CONNECT_TIMEOUT_S}, needs=needs, options=options, **kwargs)


def _hidden(failure, fault, repair, needs):
    """The same, and each call goes elsewhere as well when it has waited."""
    return Scenario(failure, "round_robin, keepalive, hedging after 0.2 s", fault, KEEPALIVE_S + 3, repair,
                    {"return": CONNECT_TIMEOUT_S}, fails=False, needs=needs, options=KEEPALIVE + HEDGING)


ALL = [
    Scenario("SIGTERM, restart", "round_robin", drain, 0.5, start, {"notice": 0.5, "return": longest_pause(0.5)},
             fails=False, quick=True),
    Scenario("SIGTERM, restart", "pick_first", drain, 0.5, start, {"notice": 0.5}, fails=False, returns=None,
             policy_name="pick_first", quick=True),
    Scenario("kill -9, restart", "round_robin", kill, 0.5, start, {"notice": 0.5, "return": longest_pause(0.5)},
             quick=True),
    Scenario("kill -9, restart after 5 s", "round_robin", kill, 5, start, {"notice": 0.5, "return": longest_pause(5)}),
    Scenario("kill -9, restart", "round_robin, retries", kill, 0.5, start, {"return": longest_pause(0.5)}, fails=False,
             options=RETRY, quick=True),
    Scenario("kill -9", "pick_first", kill, 1, start, {"notice": 0.5}, returns=None, policy_name="pick_first"),
    Scenario("kill -9 of the only server", "wait for ready", kill, 3, start, {"return": longest_pause(3)}, target="one",
             options=["--wait_for_ready"]),
    _after_silence("SIGSTOP, SIGCONT", stop, go_on, None),
    _hidden("SIGSTOP, SIGCONT", stop, go_on, None),
    _after_silence("all packets lost", lose_both_ways, heal, "packets"),
    _after_silence("all packets lost", lose_both_ways, heal, "packets",
                   policy="least_request, keepalive 10 s + 2 s", policy_name="least_request_experimental"),
    _hidden("all packets lost", lose_both_ways, heal, "packets"),
    _after_silence("all packets lost", lose_both_ways, heal, "packets", policy="round_robin, no keepalive",
                   limit_s=WRITE_TIMEOUT_S, options=()),
    _after_silence("packets to the server lost", lose_arriving, heal, "packets"),
    _after_silence("packets from the server lost", lose_leaving, heal, "packets"),
    Scenario("TCP RST for 1 s", "round_robin", reset_connections, 1, heal, {"notice": 0.5, "return": longest_pause(1)},
             needs="packets"),
    Scenario("link of 64 kbit/s for 5 s", "round_robin, keepalive 10 s + 2 s", slow_link, 5, heal, {}, fails=False,
             needs="shaping", options=KEEPALIVE, returns=None),
    Scenario("address leaves the file, another comes", "round_robin, file:", name_b_and_c, 0, nothing,
             {"notice": 1.0, "return": 1.0}, fails=False, target="file", returns="c", quick=True),
    Scenario("DNS names another server", "round_robin, looked up every 2 s", name_b_and_c, 0, nothing,
             {"notice": 2.0, "return": 2.0}, fails=False, target="dns", returns="c",
             options=["--dns_pause=1s", "--dns_refresh=2s"], quick=True),
    Scenario("kill -9, DNS names another server", "round_robin, looked up after 5 s", name_b_and_c_and_kill, 0, nothing,
             {"notice": 0.5, "return": 5.0}, target="dns", returns="c", options=["--dns_pause=5s"]),
]
