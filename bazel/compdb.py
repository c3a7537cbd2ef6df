#!/usr/bin/env python3
"""compile_commands.json out of `bazel aquery`: no third-party rules needed.

usage: compdb.py [targets]   writes the database of the targets (default //...)
       compdb.py --filter    copies those file names from stdin to stdout that the database has

Run it after a successful build, so that the generated headers exist.
"""
import json
import os
import subprocess
import sys

DATABASE = "compile_commands.json"


def compile_actions(targets):
    query = "mnemonic('CppCompile', %s)" % " + ".join(targets)
    command = ["bazel", "aquery", "--keep_going", "--output=jsonproto", query]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not result.stdout:  # with a broken target there are still the others
        sys.exit("compdb: bazel aquery failed:\n" + result.stderr)
    return json.loads(result.stdout).get("actions", [])


def entry(action, directory):
    """The database entry of an action, or None for what is not a source of ours."""
    arguments = action["arguments"]
    if "-c" not in arguments:
        return None
    source = arguments[arguments.index("-c") + 1]
    if source.startswith("external/"):
        return None
    # clang knows neither of these flags of GCC.
    arguments = [a for a in arguments if a not in ("-fno-canonical-system-headers", "-Wno-free-nonheap-object")]
    return {"directory": directory, "file": os.path.join(directory, source), "arguments": arguments}


def write_database(targets):
    # Not the execroot: its source links come and go between builds. The workspace has bazel-out.
    directory = os.getcwd()
    entries = {}
    for action in compile_actions(targets):
        e = entry(action, directory)
        # Position independent and not: one entry per file is enough.
        if e and e["file"] not in entries:
            entries[e["file"]] = e
    with open(DATABASE, "w", encoding="utf-8") as out:
        json.dump([entries[f] for f in sorted(entries)], out, indent=1)
    print("%s: %d files" % (DATABASE, len(entries)))


def filter_names():
    with open(DATABASE, encoding="utf-8") as database:
        known = {e["file"] for e in json.load(database)}
    for name in sys.stdin.read().splitlines():
        if os.path.abspath(name) in known:
            print(name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--filter"]:
        filter_names()
    else:
        write_database(sys.argv[1:] or ["//..."])
