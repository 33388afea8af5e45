#!/usr/bin/env python3
"""Do docs/definition.schema.json and docs/report.schema.json agree with the readers of definitions and reports?

    tools/check-definition-schema.py        needs the Python package jsonschema

Every good golden definition and every sample must pass the schema. A bad one must fail it, unless its
error is of a kind that a schema cannot express: references, duplicates among objects, expressions.
An exception that is not needed is a finding, too.
"""
import json
import pathlib
import sys

import jsonschema

TOP = pathlib.Path(__file__).resolve().parent.parent
BEYOND_A_SCHEMA = {"json", "syntax", "duplicate_name", "definition_cycle", "expr", "form_mismatch", "unknown_attribute",
                   "unknown_dimension", "unknown_level", "unknown_measure", "unknown_source", "unknown_encoding", "unknown_codelist"}
# Values whose being right depends on another value.
BEYOND_CASES = {"common-primary", "crosswalk-same", "csv-delimiter-newline", "csv-quote-is-delimiter",
                "index-where-empty-value", "join-expose-allocate", "join-expose-elsewhere", "join-expose-lookup",
                "join-expose-several", "join-lookup-weighted", "join-pick", "join-reaggregate", "level-column-alone",
                "level-column-nameless", "level-derived-date", "level-derived-int", "level-not-derived",
                "level-part-without-date", "measure-over-avg-of-max", "measure-over-nonempty-of-distinct",
                "on-allocate-null", "on-const-alone", "on-const-nowhere", "parent-level-attributes",
                "parent-level-key", "parent-level-skip", "set-other-dimension", "virtual-primary-joined"}


# Of reports: what is in the texts, and what is there twice.
BEYOND_REPORTS = {"colour-low-high", "figure-format-bad", "figure-query-missing", "file-not-ended",
                  "file-variable-unknown", "format-bad", "measures-not-last", "measures-twice", "section-id-twice",
                  "variable-twice"}


def check_reports():
    schema = json.loads((TOP / "docs/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    problems, count, unused = [], 0, set(BEYOND_REPORTS)
    for file in sorted(TOP.glob("tests/data/spec/*.json")):
        expected = file.with_suffix(".txt").read_text().strip()
        if "JSON" in expected or file.stem in ("not-json", "twice-the-key"):
            continue
        agrees = validator.is_valid(json.loads(file.read_text())) == (expected == "fine")
        if file.stem in BEYOND_REPORTS:
            unused.discard(file.stem)
            if agrees:
                problems.append(f"{file.name}: the schema agrees with the reader, and needs no exception")
            continue
        count += 1
        if not agrees:
            problems.append(f"{file.name}: the reader says '{expected}', the schema does not agree")
    for file in [*TOP.glob("samples/*/reports/*.json"), *TOP.glob("tests/data/compose/*/report.json")]:
        count += 1
        problems += [f"{file.relative_to(TOP)}: {error.json_path}: {error.message}"
                     for error in validator.iter_errors(json.loads(file.read_text()))]
    problems += [f"{name}: an exception without a case" for name in sorted(unused)]
    return problems, count


def main():
    schema = json.loads((TOP / "docs/definition.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    problems, count = [], 0
    for folder in sorted((TOP / "tests/data/definition").iterdir()):
        expected = json.loads((folder / "expected.json").read_text())
        code = expected.get("error", {}).get("code")
        if code == "json":
            continue
        count += 1
        passes = validator.is_valid(json.loads((folder / "definition.json").read_text()))
        if code is None and not passes:
            problems.append(f"{folder.name}: good, but the schema refuses it")
        if code is not None and passes and code not in BEYOND_A_SCHEMA and folder.name not in BEYOND_CASES:
            problems.append(f"{folder.name}: bad ({code}), but the schema accepts it")
        if folder.name in BEYOND_CASES and not (code is not None and passes):
            problems.append(f"{folder.name}: the schema agrees with the reader, and needs no exception")
    for name in sorted(BEYOND_CASES):
        if not (TOP / "tests/data/definition" / name).is_dir():
            problems.append(f"{name}: an exception without a case")
    for file in sorted(TOP.glob("samples/*/*.json")):
        definition = json.loads(file.read_text())
        if not isinstance(definition, dict) or "kind" not in definition:
            continue
        count += 1
        problems += [f"{file.relative_to(TOP)}: {error.json_path}: {error.message}"
                     for error in validator.iter_errors(definition)]
    more, nreports = check_reports()
    problems += more
    print("\n".join(problems) if problems else
          f"{count} definitions and {nreports} reports agree with the schemas")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
