"""What a user's program costs before it runs: time to compile, size."""

import contextlib
import os
import pathlib
import re
import tempfile

import programs as the_programs
from summary import Figure

_ARCHIVES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
_OF_THE_COMPILER = {"c", "m", "dl", "rt", "pthread", "stdc++", "gcc_s", "atomic"}  # every C++ program has them

# Hello servers are on grpc++'s callback API.
_SYSTEMS = (the_programs.WEIR, the_programs.CALLBACK)


class Compile:
    """CPU of g++ for the generated files of a proto file, and for the main of hello."""

    systems = _SYSTEMS
    _PROTO = {"hello": "examples/hello/hello", "bench": "tests/benchmark/bench"}
    _MAIN = {
        ("hello", the_programs.WEIR): "examples/hello/server.cc",
        ("hello", the_programs.CALLBACK): "tests/benchmark/peers/grpcpp_hello_server.cc",
    }

    def __init__(self, name, proto, quick=False, goal=None):
        self.name, self.proto, self.quick = name, proto, quick
        self.figures = [Figure("CPU s", goal=goal)]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        with tempfile.TemporaryDirectory() as folder:
            sources = self._generate(programs, system, folder)
            main = self._MAIN.get((self.proto, system))
            if main:
                sources.append(the_programs.ROOT / main)
            # weir's headers are included as "weir/...".
            os.symlink(the_programs.ROOT, os.path.join(folder, "weir"))

            def measure():
                return (sum(the_programs.run(
                    ["g++", "-O2", "-std=c++20", "-I", folder, "-c", source, "-o", os.path.join(folder, "out.o")])[1]
                            for source in sources),)

            yield measure

    def _generate(self, programs, system, folder):
        if system == the_programs.WEIR:
            plugin, suffix = programs.bazel_bin / "proto/plugin/protoc-gen-weir", "weir"
        else:
            plugin, suffix = "/usr/bin/grpc_cpp_plugin", "grpc"
        the_programs.run(["protoc", "-I", the_programs.ROOT, "--cpp_out=" + folder,
                          "--plugin=protoc-gen-service=%s" % plugin, "--service_out=" + folder,
                          self._PROTO[self.proto] + ".proto"], cwd=the_programs.ROOT)
        stem = os.path.join(folder, self._PROTO[self.proto])
        return [stem + ".pb.cc", "%s.%s.pb.cc" % (stem, suffix)]


class ProgramSize:
    """Of the stripped hello server: with the shared libraries of Debian, and linked again with its static ones."""

    systems = _SYSTEMS
    rounds = 1  # linking is not random
    _PROGRAM = {
        the_programs.WEIR: "examples/hello/server",
        the_programs.CALLBACK: "tests/benchmark/peers/grpcpp_hello_server",
    }

    def __init__(self, name, quick=False, static=None):
        self.name, self.quick = name, quick
        self.figures = [Figure("static libraries, MB", goal=static), Figure("shared ones, with them, MB")]

    @contextlib.contextmanager
    def started(self, programs, system, seconds):
        program = programs.bazel_bin / self._PROGRAM[system]
        yield lambda: (_static_bytes(programs, program) / 1e6,
                       (_stripped_bytes(program) + _shared_bytes(program)) / 1e6)


def _stripped_bytes(program):
    with tempfile.NamedTemporaryFile() as stripped:
        the_programs.run(["strip", "-o", stripped.name, program])
        return os.path.getsize(stripped.name)


def _shared_bytes(program):
    """Of all libraries but those that every C++ program has."""
    paths = re.findall(r"=> (\S+) \(", the_programs.run(["ldd", program])[0])
    return sum(os.path.getsize(path) for path in paths
               if re.match(r"lib([^/]*?)[.]so", os.path.basename(path)).group(1) not in _OF_THE_COMPILER)


def _static_bytes(programs, program):
    """Links as Bazel has, with a folder in front of the search path that has only archives."""
    with open("%s-2.params" % program) as params:
        arguments = params.read().splitlines()
    arguments += the_programs.run(["pkg-config", "--static", "--libs", *_packages(arguments)])[0].split()
    with tempfile.TemporaryDirectory() as folder:
        for library in {argument[2:] for argument in arguments if argument.startswith("-l")} - _OF_THE_COMPILER:
            archive = _ARCHIVES / ("lib%s.a" % library)
            if archive.exists():
                os.symlink(archive, os.path.join(folder, archive.name))
        linked = os.path.join(folder, "linked")
        arguments[arguments.index("-o") + 1] = linked
        execution_root = programs.bazel_bin.parents[2]
        the_programs.run(["g++", "-L" + folder, *arguments], cwd=execution_root)
        return _stripped_bytes(linked)


def _packages(arguments):
    """Those whose archives need libraries that the shared ones bring themselves."""
    libraries = {argument[2:] for argument in arguments if argument.startswith("-l")}
    packages = {"grpc++": "grpc++", "nghttp2": "libnghttp2", "protobuf": "protobuf", "ssl": "libssl"}
    return [package for library, package in packages.items() if library in libraries]
