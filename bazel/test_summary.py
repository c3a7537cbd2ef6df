#!/usr/bin/env python3
"""Counts test cases in the results of `bazel test`: the last line is "N passed, N failed".

usage: test_summary.py EXIT_CODE EVENTS.json [EXIT_CODE EVENTS.json ...]

EVENTS.json is what --build_event_json_file wrote, EXIT_CODE what that bazel exited with.

A case is one TEST of GoogleTest, or one whole program where a test is something else. A program
that fails without naming a failed case (crash, leak, timeout) counts as one failure, and so does
every target that cannot be built.
Skipped cases are neither passed nor failed; they are listed. So is what a case has to say: a JUnit property "note".
Exits 1 when something failed or nothing was tested.
"""
import collections
import json
import sys
import urllib.parse
import xml.etree.ElementTree

Counts = collections.namedtuple("Counts", "passed failed skipped notes")


def read_events(path):
    try:
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        return []


def xml_path(result):
    for output in result.get("testActionOutput", []):
        if output.get("name") == "test.xml":
            return urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
    return None


def count_cases(path):
    """Counts of one test.xml, with the names of the failed and of the skipped cases."""
    passed, failed, skipped, notes = 0, [], [], []
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        cases = []
    for case in cases:
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        notes.extend("%s: %s" % (name, note.get("value")) for note in case.iterfind("properties/property[@name='note']"))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            skipped.append(name)
        elif case.get("status") != "notrun":  # DISABLED_ and filtered cases
            passed += 1
    return Counts(passed, failed, skipped, notes)


def last_attempts(events):
    """(label, run, shard) -> the result of its last attempt: a flaky test that passes has passed."""
    results = {}
    for event in events:
        key = event["id"].get("testResult")
        if key and "testResult" in event:
            results[(key["label"], key.get("run", 1), key.get("shard", 1))] = event["testResult"]
    return results


def targets_not_built(events):
    """Labels that were to be built, tests or not: those that could not, and those that are not for this machine."""
    failed, skipped = [], []
    for event in events:
        key = event["id"].get("targetCompleted")
        if not key or event.get("completed", {}).get("success"):
            continue
        incompatible = event.get("aborted", {}).get("reason") == "SKIPPED"  # target_compatible_with
        (skipped if incompatible else failed).append(key["label"])
    return failed, skipped


def summarize(events):
    """Total counts of all tests."""
    total = Counts(0, [], [], [])
    for (label, _, _), result in sorted(last_attempts(events).items()):
        path = xml_path(result)
        counts = count_cases(path) if path else Counts(0, [], [], [])
        failed = counts.failed
        if result.get("status") == "PASSED":
            passed = counts.passed if counts.passed or counts.skipped else 1
        else:
            passed = counts.passed
            failed = failed or ["(the program: %s)" % result.get("status", "no status").lower()]
        total.failed.extend("%s %s" % (label, name) for name in failed)
        total.skipped.extend("%s %s" % (label, name) for name in counts.skipped)
        total.notes.extend("%s %s" % (label, note) for note in counts.notes)
        total = total._replace(passed=total.passed + passed)
    failed, skipped = targets_not_built(events)
    total.failed.extend("%s (not built)" % label for label in failed)
    total.skipped.extend("%s (not for this machine)" % label for label in skipped)
    return total


def main(arguments):
    passed, failed, skipped, notes = 0, [], [], []
    for exit_code, path in zip(arguments[::2], arguments[1::2]):
        counts = summarize(read_events(path))
        passed += counts.passed
        failed += counts.failed
        skipped += counts.skipped
        notes += counts.notes
        if exit_code not in ("0", "3") and not counts.failed:
            failed.append("(bazel itself: exit code %s, see its messages)" % exit_code)
    print()
    for note in notes:
        print("note:    " + note)
    for name in skipped:
        print("skipped: " + name)
    for name in failed:
        print("failed:  " + name)
    print("%d passed, %d failed" % (passed, len(failed)))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
