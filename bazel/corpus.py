#!/usr/bin/env python3
"""Adds to the corpus of a fuzz target those of a fuzzer's inputs that run lines which nothing in it runs yet.

usage: corpus.py REPLAY FOUND PREFIX [FOLDER...]

REPLAY is the target built with --config=cov, FOUND the folder of the fuzzer's inputs. The corpus is every file whose
path begins with PREFIX ("tests/fuzz/h2/corpus/connection_"); what is added is called PREFIX + its name, or PREFIX +
"found_" + a hash if it has but a fuzzer's name. Only lines of files in the FOLDERs count (coverage.FUZZED). Small inputs
come first, and half of what adds nothing is never run by itself.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import coverage

BATCH = 128


class Replay:
    """Runs inputs and says which lines they have run."""

    def __init__(self, program, counted, folder):
        self._program = program
        self._counted = counted
        self._raw = os.path.join(folder, "replay.profraw")
        self._merged = os.path.join(folder, "replay.profdata")

    def lines(self, inputs):
        """{(own path, line)}. None if the program does not end well."""
        environment = dict(os.environ, LLVM_PROFILE_FILE=self._raw)
        done = subprocess.run([self._program] + inputs, env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None
        subprocess.run(["llvm-profdata-14", "merge", "-sparse", self._raw, "-o", self._merged], check=True)
        found, path = set(), None
        for line in coverage.llvm_cov("export", self._merged, [self._program], "-format=lcov").splitlines():
            if line.startswith("SF:"):
                path = coverage.own_path(line[3:])
                path = path if path and os.path.dirname(path) in self._counted else None
            elif path and line.startswith("DA:"):
                number, count = line[3:].split(",")[:2]
                if count != "0":
                    found.add((path, int(number)))
        return found


def choose(replay, inputs, known):
    """Of `inputs`, those that run lines that are not in `known`, to which they are added."""
    lines = replay.lines(inputs)
    if lines is not None and lines <= known:
        return []
    if len(inputs) == 1:
        if lines is None:
            print("corpus: %s does not end well: see ./dev fuzz" % inputs[0], file=sys.stderr)
            return []
        known |= lines
        return inputs
    half = len(inputs) // 2
    return choose(replay, inputs[:half], known) + choose(replay, inputs[half:], known)


def name_of(path):
    """What an input is called in a corpus: libFuzzer names them by their SHA-1."""
    name = os.path.basename(path)
    return "found_" + name[:8] if re.fullmatch(r"[0-9a-f]{40}", name) else name


def main():
    program, found, prefix, *counted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(program, counted or coverage.FUZZED, folder)
        corpus = glob.glob(prefix + "*")
        known = replay.lines(corpus) or set()
        before, kept = len(known), 0
        inputs = sorted((entry.path for entry in os.scandir(found) if entry.is_file()), key=os.path.getsize)
        for i in range(0, len(inputs), BATCH):
            for path in choose(replay, inputs[i:i + BATCH], known):
                shutil.copyfile(path, prefix + name_of(path))
                kept += 1
    print("corpus: %d files ran %d lines; with %d of %d that were found, %d" %
          (len(corpus), before, kept, len(inputs), len(known)))


if __name__ == "__main__":
    main()
