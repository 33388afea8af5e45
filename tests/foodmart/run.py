#!/usr/bin/env python3
"""FoodMart: ask vcube 71 questions whose answers two other engines agree on.

    python3 run.py VCUBE SHARED_DIR

SHARED_DIR holds data/foodmart/*.csv and oracle/foodmart/cases.json. The definitions beside this file
and links to the data are put into a temporary folder, loaded, and asked what questions.json says.
Numbers are compared with a relative tolerance of 1e-9. Exit code 1 when a case differs.

A question: `asks`, one query body or several whose rows are put together (`together` false: each is
the answer by itself); `at`, coordinates of an ask that its rows do not have; `axes`, how the case
calls our dimensions; `count_members`, the rows are counted, under this name; `later`, why this
version cannot be asked.
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def stage(folder, data):
    for name in os.listdir(HERE):
        if name.endswith(".json") and name != "questions.json":
            os.symlink(os.path.join(HERE, name), os.path.join(folder, name))
    os.mkdir(os.path.join(folder, "data"))
    for name in os.listdir(data):
        os.symlink(os.path.join(data, name), os.path.join(folder, "data", name))


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    return done.stdout


class Places:
    """The warehouses: an unmatched one stands in our bucket, in the other engines at its place."""

    def __init__(self, data):
        with open(os.path.join(data, "warehouse.csv"), encoding="utf-8") as file:
            self.of = {row["warehouse_id"]: [row["warehouse_" + part] for part in ("country", "state_province", "city")]
                       for row in csv.DictReader(file)}

    def resolve(self, path, unmatched):
        """[null, null, 'stock:17'] -> the place of warehouse 17; the bucket -> the country of its warehouses."""
        key = path[-1] if path else ""
        if key.startswith("stock:"):
            return self.of[key[len("stock:"):]][:len(path)]
        if key == "(unmatched:stock)":
            places = {tuple(self.of[warehouse][:len(path)]) for warehouse in unmatched}
            assert len(places) == 1, f"the bucket holds several places: {places}"
            return list(places.pop())
        return path


def path_of(cell, dimension):
    return [str(value) if value is not None else None for name, value in cell.items()
            if name.startswith(dimension + ".") and not name.endswith("_label")]


def rows_of(answer, ask, case, question, places, unmatched):
    """(coordinates, measures) of each row; a synthetic member is added to the place where it lies."""
    axes, measures = sorted(case["rows"][0]["coords"]), list(case["rows"][0]["measures"])
    rows, synthetic = [], []
    for cell in answer["cells"]:
        paths = [ask.get("at", {}).get(axis) or path_of(cell, question.get("axes", {}).get(axis, axis)) for axis in axes]
        coords = tuple(tuple(places.resolve(path, unmatched)) for path in paths)
        (synthetic if "_synthetic" in cell else rows).append((coords, {name: cell[name] for name in measures}))
    for coords, values in synthetic:
        same = [row for row in rows if row[0] == coords]
        if same:
            add(same[0][1], values)
        else:
            rows.append((coords, values))
    return rows


def add(into, values):
    for name, value in values.items():
        if value is not None:
            into[name] = value + (into[name] or 0)


def count_members(answer, dimension, places, unmatched):
    return len({tuple(places.resolve(path_of(cell, dimension), unmatched)) for cell in answer["cells"]})


def is_same(expected, found):
    if expected is None or expected == "Infinity":  # a value divided by null: null here
        return found is None
    return found is not None and math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-9)


def differences(case, rows):
    axes = sorted(case["rows"][0]["coords"])
    expected = [(tuple(tuple(row["coords"][axis]) for axis in axes), row["measures"]) for row in case["rows"]]
    if not case["ordered"]:
        expected, rows = sorted(expected, key=lambda row: row[0]), sorted(rows, key=lambda row: row[0])
    wanted, found = [row[0] for row in expected], [row[0] for row in rows]
    if wanted != found:
        missing, extra = [c for c in wanted if c not in found], [c for c in found if c not in wanted]
        yield f"{len(found)} rows instead of {len(wanted)}; missing {missing[:3]}, too many {extra[:3]}, or another order"
        return
    for (coords, values), (_, actual) in zip(expected, rows):
        for name, value in values.items():
            if not is_same(value, actual[name]):
                yield f"{coords}: {name}: expected {value}, found {actual[name]}"


class Server:
    def __init__(self, vcube, store):
        self.command = [vcube, "query", "-d", store, "--body", "-"]

    def ask(self, query):
        body = dict(query, parents=True, format="records")
        return json.loads(run(self.command, json.dumps(body)))


def unmatched_of(vcube, store, cube):
    """The unmatched warehouses of a place join, one member each."""
    answer = Server(vcube, store).ask({"cube": cube, "measures": ["Units Shipped"], "sparse": False,
                                       "dimensions": [{"dim": "Customers", "level": "City"}]})
    keys = [cell["Customers.City"] for cell in answer["cells"]]
    return [key[len("stock:"):] for key in keys if key.startswith("stock:")]


def answer_case(case, question, vcube, store, places):
    """What differs, as sentences."""
    server = Server(vcube, store)
    is_right_or_full = case["kind"] in ("join-right", "join-full")
    unmatched = unmatched_of(vcube, store, question["asks"][0]["query"]["cube"]) if is_right_or_full else []
    asked = [(ask, server.ask(ask["query"])) for ask in question["asks"]]
    if "count_members" in asked[0][0]:
        counts = {ask["count_members"]: count_members(answer, "Customers", places, unmatched) for ask, answer in asked}
        return list(differences(case, [((), counts)]))
    parts = [rows_of(answer, ask, case, question, places, unmatched) for ask, answer in asked]
    if question.get("together", True):
        parts = [[row for part in parts for row in part]]
    return [text for part in parts for text in differences(case, part)]


def main():
    vcube, shared = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    data, cases = os.path.join(shared, "data/foodmart"), os.path.join(shared, "oracle/foodmart/cases.json")
    if not os.path.isdir(data) or not os.path.isfile(cases):
        print(f"foodmart: skipped, {data} or {cases} is not there")
        return 0
    questions = json.load(open(os.path.join(HERE, "questions.json"), encoding="utf-8"))
    places = Places(data)
    tally = {"ok": 0, "differs": 0, "later": 0}
    with tempfile.TemporaryDirectory() as folder:
        definitions, store = os.path.join(folder, "definitions"), os.path.join(folder, "store")
        os.mkdir(definitions)
        stage(definitions, data)
        run([vcube, "load", "--quiet", "-d", store, definitions])
        for case in json.load(open(cases, encoding="utf-8"))["cases"]:
            question = questions.get(case["id"], {"later": "questions.json does not have it"})
            if "later" in question:
                tally["later"] += 1
                print(f"{case['id']}: later: {question['later']}")
                continue
            try:
                found = answer_case(case, question, vcube, store, places)
            except RuntimeError as problem:
                found = [str(problem)]
            tally["differs" if found else "ok"] += 1
            print(f"{case['id']}: {'differs' if found else 'ok'}")
            for text in found[:5]:
                print(f"    {text}")
    print(f"foodmart: {tally['ok']} ok, {tally['differs']} differ, {tally['later']} later")
    return 1 if tally["differs"] else 0


if __name__ == "__main__":
    sys.exit(main())
