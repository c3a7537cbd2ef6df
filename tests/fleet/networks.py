"""Where a fleet lives: network namespaces joined by a bridge, or the loopback addresses of this machine.

Both give addresses, and commands that run there. What else a network can do is in `can`: "dns" by the system's resolver,
"packets" (lost, refused), "shaping" (slow links). Loopback can do none of these and needs no privileges.
"""

import os
import shutil
import socket
import subprocess

SERVERS = 3


class NotAllowed(Exception):
    """This machine does not let us have such a network. The text says what was tried, and what came."""


def _run(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        raise NotAllowed("%s: not installed" % command[0]) from None
    if done.returncode:
        said = done.stdout.strip().splitlines() or ["exit code %d" % done.returncode]
        raise NotAllowed("%s: %s" % (" ".join(command), said[-1]))


class Loopback:
    """127.0.0.2 and so on. The port is free on all of them, and kept so: bound, but nobody listens."""

    name = "loopback addresses"
    can = frozenset()

    def __init__(self):
        self._reserved = []
        self.port = 0
        for server in range(SERVERS):
            held = socket.socket()
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((self.host(server), self.port))
            self.port = held.getsockname()[1]
            self._reserved.append(held)

    def host(self, server):
        return "127.0.0.%d" % (server + 2)

    def address(self, server):
        return "%s:%d" % (self.host(server), self.port)

    def at_server(self, server, command):  # pylint: disable=unused-argument
        return command

    def at_client(self, command):
        return command

    def dns_address(self):
        return "127.0.0.1", 0  # it chooses the port

    def dns_target(self, name, dns_port):
        return "dns://127.0.0.1:%d/%s:%d" % (dns_port, name, self.port)

    def close(self):
        for held in self._reserved:
            held.close()


class Namespaces:
    """A namespace for the client and one for each server; a bridge in another one. Nothing outside of them changes but
    /etc/netns/<client's>, from where `ip netns exec` takes its resolv.conf (ip-netns(8))."""

    name = "network namespaces"
    can = frozenset(("dns", "packets", "shaping"))
    port = 50051

    def __init__(self):
        self._prefix = "weir-fleet-%d-" % os.getpid()
        self._made = []
        try:
            self._build()
        except NotAllowed:
            self.close()
            raise

    def _build(self):
        bridge = self._make("bridge")
        _run("ip", "-n", bridge, "link", "add", "bridge", "type", "bridge")
        _run("ip", "-n", bridge, "link", "set", "bridge", "up")
        for number, name in enumerate(["client"] + ["server%d" % server for server in range(SERVERS)]):
            space = self._make(name)
            port = "port%d" % number
            _run("ip", "-n", bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
            _run("ip", "-n", bridge, "link", "set", port, "master", "bridge", "up")
            _run("ip", "-n", space, "address", "add", "10.213.0.%d/24" % (number + 1), "dev", "eth0")
            _run("ip", "-n", space, "link", "set", "lo", "up")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
        for server in range(SERVERS):
            _run(*self.at_server(server, ["iptables", "-w", "-L", "-n"]))
        self._resolv_conf = "/etc/netns/" + self._prefix + "client"
        os.makedirs(self._resolv_conf)
        with open(self._resolv_conf + "/resolv.conf", "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\noptions timeout:1\n")

    def _make(self, name):
        _run("ip", "netns", "add", self._prefix + name)
        self._made.append(self._prefix + name)
        return self._made[-1]

    def host(self, server):
        return "10.213.0.%d" % (server + 2)

    def address(self, server):
        return "%s:%d" % (self.host(server), self.port)

    def at_server(self, server, command):
        return ["ip", "netns", "exec", "%sserver%d" % (self._prefix, server)] + command

    def at_client(self, command):
        return ["ip", "netns", "exec", self._prefix + "client"] + command

    def dns_address(self):
        return "127.0.0.1", 53

    def dns_target(self, name, dns_port):  # pylint: disable=unused-argument
        return "dns:///%s:%d" % (name, self.port)

    # What can go wrong with packets. All of it is over after heal().

    def lose_arriving(self, server):
        _run(*self.at_server(server, ["iptables", "-w", "-I", "INPUT", "-j", "DROP"]))

    def lose_leaving(self, server):
        _run(*self.at_server(server, ["iptables", "-w", "-I", "OUTPUT", "-j", "DROP"]))

    def reset_connections(self, server):
        """Each TCP segment that arrives is answered with a RST."""
        _run(*self.at_server(
            server, ["iptables", "-w", "-I", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"]))

    def slow_link(self, server, rate):
        _run(*self.at_server(
            server, ["tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "1600", "latency",
                     "400ms"]))

    def heal(self, server):
        _run(*self.at_server(server, ["iptables", "-w", "-F"]))
        subprocess.run(self.at_server(server, ["tc", "qdisc", "del", "dev", "eth0", "root"]), check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # there may be none

    def close(self):
        for name in self._made:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree("/etc/netns/" + self._prefix + "client", ignore_errors=True)
