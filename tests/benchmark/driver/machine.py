"""The machine and the versions of what is compared, in a sentence."""

import os
import platform
import re
import subprocess

_PACKAGES = {"libgrpc++1.51": "grpc++", "libnghttp2-14": "nghttp2", "libprotobuf32": "protobuf", "g++-12": "g++"}


def _output(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


def _cpu():
    with open("/proc/cpuinfo") as cpus:
        model = re.search(r"^model name\s*: (.*)$", cpus.read(), re.MULTILINE)
    return model.group(1) if model else platform.machine()


def _versions():
    lines = _output(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *_PACKAGES]).splitlines()
    return ["%s %s" % (_PACKAGES[package], version.partition("-")[0]) for package, version in map(str.split, lines)]


def describe():
    with open("/etc/debian_version") as debian:
        system = "Debian %s, Linux %s" % (debian.read().strip(), platform.release())
    parts = ["%s, %d CPUs" % (_cpu(), os.cpu_count()), system] + _versions()
    commit = _output(["git", "describe", "--always", "--dirty"])
    return ", ".join(parts + (["weir %s" % commit] if commit else []))
