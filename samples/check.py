#!/usr/bin/env python3
"""Load the samples with a build of vcube and compare its answers with the expectations.

    python3 check.py VCUBE [SAMPLE...]

Prints what differs; the exit code is 1 when anything does. Python's standard library only.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COVERAGE = ("keys", "matched", "members", "members_matched", "primary_members", "primary_matched", "excluded")


def run(*command):
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def is_same(expected, actual):
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-12)
    return expected == actual


def differences(expected, actual):
    """Fields of a record that differ; a missing _status is an empty one."""
    names = {*expected, "_status"}
    return [f"{name}: expected {expected.get(name)!r}, found {actual.get(name)!r}" for name in sorted(names)
            if not is_same(expected.get(name), actual.get(name))]


def identity(row, keys):
    return tuple(row.get(key) for key in keys) + (row.get("grouping", 0),)


def compare_rows(expected, actual, is_ordered):
    keys = sorted({name for row in expected for name in row if "." in name})
    if not is_ordered:
        def by_key(row):
            return [str(part) for part in identity(row, keys)]
        expected, actual = sorted(expected, key=by_key), sorted(actual, key=by_key)
    if [identity(row, keys) for row in expected] != [identity(row, keys) for row in actual]:
        missing = [identity(r, keys) for r in expected if identity(r, keys) not in [identity(a, keys) for a in actual]]
        extra = [identity(a, keys) for a in actual if identity(a, keys) not in [identity(r, keys) for r in expected]]
        return [f"rows: missing {missing[:5]}, not expected {extra[:5]}, or in another order"]
    return [f"row {identity(e, keys)}: {text}" for e, a in zip(expected, actual) for text in differences(e, a)]


def check_answers(vcube, store, path):
    for question in json.load(open(path, encoding="utf-8"))["questions"]:
        options = [part for name, value in question["parameters"].items() for part in (f"--{name}", str(value))]
        try:
            answer = json.loads(run(vcube, "query", "-d", store, question["cube"], *options, "--format", "records"))
        except (RuntimeError, ValueError) as problem:
            yield question["name"], [str(problem)]
            continue
        found = [f"summary: {text}" for text in differences(question["summary"], answer["summary"])]
        found += compare_rows(question["rows"], answer["cells"], question.get("ordered", False))
        codes = {notice["code"] for notice in answer["meta"].get("notices", [])}
        found += [f"notice {code} is missing" for code in question.get("notices", []) if code not in codes]
        yield question["name"], found


def check_coverage(vcube, store, path):
    joins = json.load(open(path, encoding="utf-8"))["joins"]
    for cube in sorted({join["cube"] for join in joins}):
        try:
            answer = json.loads(run(vcube, "coverage", "-d", store, cube, "--json"))
        except (RuntimeError, ValueError) as problem:
            yield f"coverage of {cube}", [str(problem)]
            continue
        records = answer["coverage"] if isinstance(answer, dict) else answer
        for join in (join for join in joins if join["cube"] == cube):
            record = next((r for r in records if (r["source"], r["dim"]) == (join["source"], join["dim"])), {})
            found = [f"{name}: expected {join[name]}, found {record.get(name)}" for name in COVERAGE
                     if join[name] != record.get(name)]
            yield f"coverage of {cube}, {join['source']}.{join['dim']}", found


def main():
    vcube, samples = os.path.abspath(sys.argv[1]), sys.argv[2:] or ["golden", "world", "retail"]
    nchecks = nfailed = 0
    with tempfile.TemporaryDirectory() as store:
        for sample in samples:
            folder = os.path.join(HERE, sample)
            try:
                run(vcube, "load", "-d", store, folder)
            except RuntimeError as problem:
                print(f"{sample}: {problem}")
                nfailed += 1
                continue
            for check, name in ((check_answers, "answers"), (check_coverage, "coverage")):
                for title, found in check(vcube, store, f"{folder}/{name}.expected.json"):
                    nchecks += 1
                    nfailed += bool(found)
                    for text in found:
                        print(f"{sample}, {title}: {text}")
    print(f"{nchecks} checks, {nfailed} failed")
    return 1 if nfailed else 0


if __name__ == "__main__":
    sys.exit(main())
