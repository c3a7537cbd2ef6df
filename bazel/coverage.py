#!/usr/bin/env python3
"""Lines and branches of weir's own code that tests have run, and what the corpus of the fuzzers alone has run.

usage: coverage.py EVENTS.json BAZEL_BIN SCRATCH                 the tables
       coverage.py EVENTS.json BAZEL_BIN SCRATCH --missing=PART  lines of files named like PART that no test ran, from
                                                                 what the tables were made of (--fuzz: no corpus ran)

EVENTS.json is what --build_event_json_file wrote of `bazel test --config=cov`, whose tests leave their profiles in
their outputs.zip (cov_wrapper.sh); BAZEL_BIN the output folder of that configuration; SCRATCH is for merged profiles.

Counted is what users link: transport/, rpc/ and proto/, not what tests, examples and libraries consist of, nor what a
generator has written. A branch is one outcome of a condition in the source: what the compiler adds for exceptions has
none here, as gcov's would.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile

from test_summary import read_events

OURS = ("rpc/", "transport/", "proto/")
FUZZED = ("transport/h2", "rpc/wire")
WORST = 20


class Count:
    """(covered, all) of lines and of branches."""

    def __init__(self):
        self.lines = self.lines_all = self.branches = self.branches_all = 0

    def add(self, lines, branches):
        self.lines += lines["covered"]
        self.lines_all += lines["count"]
        self.branches += branches["covered"]
        self.branches_all += branches["count"]

    def row(self, name):
        return "%-44s %7d %8s %9d %8s" % (name, self.lines_all, share(self.lines, self.lines_all), self.branches_all,
                                          share(self.branches, self.branches_all))


def share(covered, count):
    return "%.1f %%" % (100 * covered / count) if count else "-"


def merge_profiles(events, scratch):
    """Paths of two merged profiles: that of all tests that were run, and that of fuzz tests, which replay corpora."""
    merged = [os.path.join(scratch, name) for name in ("all.profdata", "fuzz.profdata")]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        profiles = list(unpack_profiles(events, folder))
        fuzzed = [path for label, path in profiles if label.endswith("_fuzz_test")]
        for target, paths in zip(merged, ([path for _, path in profiles], fuzzed)):
            if os.path.exists(target):
                os.remove(target)
            if not paths:
                continue
            listed = os.path.join(folder, "listed")
            with open(listed, "w", encoding="utf-8") as file:
                file.write("\n".join(paths))
            subprocess.run(["llvm-profdata-14", "merge", "-sparse", "-input-files=" + listed, "-o", target], check=True)
    return merged


def unpack_profiles(events, folder):
    """(label of a test, a profile of it as a file) of all tests that were run."""
    for event in events:
        label = event["id"].get("testResult", {}).get("label", "")
        for output in event.get("testResult", {}).get("testActionOutput", []):
            if output.get("name") != "test.outputs__outputs.zip":
                continue
            path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    if member.endswith(".profraw") and archive.getinfo(member).file_size:
                        yield label, archive.extract(member, os.path.join(folder, label.strip("/").replace(":", "/")))


def objects(bazel_bin):
    """What was compiled: our libraries, and the tests, which instantiate templates of our headers."""
    found = []
    for top in ("rpc", "transport", "proto", "tests"):
        for folder, _, files in os.walk(os.path.join(bazel_bin, top)):
            if ".runfiles" in folder:
                continue
            found += [os.path.join(folder, file) for file in files
                      if file.endswith(".o") and not file.endswith((".pb.o", ".pb.pic.o"))]
    return sorted(found)


def llvm_cov(command, profile, binaries, *arguments):
    """What `llvm-cov command` prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".rsp") as response:
        response.write("\n".join(binaries[:1] + ["-object=" + binary for binary in binaries[1:]]))
        response.flush()
        return subprocess.run(["llvm-cov-14", command, "-instr-profile=" + profile, "@" + response.name, *arguments],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def own_path(path):
    """The path below the root of the sources, or None: a file of somebody else, or one that was generated."""
    for top in OURS:
        at = path.rfind("/weir/" + top)  # of _virtual_includes
        if at >= 0:
            path = path[at + len("/weir/"):]
        if path.startswith(top):
            return path if os.path.exists(path) else None
    return None


def read_coverage(profile, binaries):
    """{own path: (lines, branches)}; of a header that is known by several paths, the best covered."""
    files = {}
    for file in json.loads(llvm_cov("export", profile, binaries, "-summary-only"))["data"][0]["files"]:
        path = own_path(file["filename"])
        if path is None:
            continue
        summary = (file["summary"]["lines"], file["summary"]["branches"])
        if path not in files or files[path][0]["covered"] < summary[0]["covered"]:
            files[path] = summary
    return files


def count(summaries):
    total = Count()
    for summary in summaries:
        total.add(*summary)
    return total


def print_heading(what):
    print("%-44s %7s %8s %9s %8s" % (what, "lines", "run", "branches", "taken"))


def print_worst(files, worst):
    missing = sorted(files, key=lambda path: files[path][0]["covered"] - files[path][0]["count"])
    for path in missing[:worst]:
        print(count([files[path]]).row(path))


def print_tables(files, fuzzed):
    folders = collections.defaultdict(list)
    for path, summary in files.items():
        folders["/".join(os.path.dirname(path).split("/")[:2]) + "/"].append(summary)
    print_heading("all tests")
    for folder in sorted(folders):
        print(count(folders[folder]).row(folder))
    print(count(files.values()).row("all"))
    print()
    print_heading("files with most lines that no test runs")
    print_worst(files, WORST)
    if not fuzzed:
        return
    print()
    print_heading("corpus of the fuzzers alone")
    for folder in FUZZED:
        print(count(fuzzed[path] for path in fuzzed if os.path.dirname(path) == folder).row(folder + "/"))
    print_worst({path: fuzzed[path] for path in fuzzed if os.path.dirname(path) in FUZZED}, WORST // 2)


def print_missing(profile, binaries, part):
    """path:line: text of what was not run; text of a template is taken as run if it was for any arguments."""
    shown = llvm_cov("show", profile, binaries, "-show-instantiations=false", "-show-expansions=false")
    path = None
    for line in shown.splitlines():
        name = re.fullmatch(r"(\S+):", line)
        if name:
            path = own_path(os.path.relpath(name.group(1)))
            path = path if path and part in path else None
        missed = re.fullmatch(r" *(\d+)\| +0\|(.*)", line)
        if path and missed:
            print("%s:%s:%s" % (path, missed.group(1), missed.group(2)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events")
    parser.add_argument("bazel_bin")
    parser.add_argument("scratch")
    parser.add_argument("--missing")
    parser.add_argument("--fuzz", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    binaries = objects(options.bazel_bin)
    if options.missing:
        profile = os.path.join(options.scratch, "fuzz.profdata" if options.fuzz else "all.profdata")
        print_missing(profile, binaries, options.missing)
        return 0
    everything, fuzz = merge_profiles(read_events(options.events), options.scratch)
    if not os.path.exists(everything) or not binaries:
        print("coverage: expected profiles of tests in %s and objects below %s, got %s and %d" %
              (options.events, options.bazel_bin, "some" if os.path.exists(everything) else "none", len(binaries)),
              file=sys.stderr)
        return 1
    print_tables(read_coverage(everything, binaries), read_coverage(fuzz, binaries) if os.path.exists(fuzz) else {})
    return 0


if __name__ == "__main__":
    sys.exit(main())
