"""interop_matrix_test: cases in several directions; python_program_test: a test that is a python script."""

_PROGRAMS = {
    "grpcpp_client": "//tests/interop/peers:grpcpp_client",
    "grpcpp_server": "//tests/interop/peers:grpcpp_server",
    "http2_server": "//tests/interop/tools:http2_server.py",
    "python_client": "//tests/interop/peers:python_client.py",
    "python_server": "//tests/interop/peers:python_server.py",
    "weir_client": "//tests/interop:client",
    "weir_server": "//tests/interop:server",
}

_PYTHON_DATA = {
    "descriptors": "//tests/interop/peers:descriptors.bin",
}

def python_program_test(name, script, args = [], data = [], size = "medium", tags = [], **kwargs):
    """A test that is a python script on the system's python, with the modules of runner/ beside it."""
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//tests/interop/runner:python.sh"],
        args = ["$(location %s)" % script] + args,
        data = [script, "//tests/interop/runner:modules", "//tests/interop/tools:modules"] + data,
        tags = tags,
        **kwargs
    )

def interop_matrix_test(name, directions, groups = "all,compression,features", size = "medium", tags = [], tls = False, **kwargs):
    """All cases, in all directions, one matrix.

    Args:
      name: the test.
      directions: "client:server", each of weir, grpcpp, python; the server may be http2.
      groups: of cases.
      size: of the test.
      tls: over TLS, with certificates made for the run.
      tags: "grpcpp" and "grpcio" are added where such a peer takes part.
      **kwargs: for sh_test.
    """
    programs = {}
    for direction in directions:
        client, _, server = direction.partition(":")
        for program in [client + "_client", server + "_server"]:
            programs[program] = _PROGRAMS[program]
    data = []
    peer_tags = {}
    for program in sorted(programs):
        if program.startswith("python"):
            programs.update(_PYTHON_DATA)
            data = data + ["//tests/interop/peers:python"]
            peer_tags["grpcio"] = True
        if program.startswith("grpcpp"):
            peer_tags["grpcpp"] = True
    python_program_test(
        name = name,
        size = size,
        script = "//tests/interop/runner:matrix.py",
        args = ["--program=%s=$(location %s)" % (program, programs[program]) for program in sorted(programs)] +
               ["--groups=" + groups] + (["--tls"] if tls else []) + directions,
        data = [programs[program] for program in sorted(programs)] + depset(data).to_list(),
        tags = tags + sorted(peer_tags) + ["cpu:2"],
        **kwargs
    )
