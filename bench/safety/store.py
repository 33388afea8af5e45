"""The store that is asked: the golden cubes, the world, a large cube whose questions are dear, one
with dearer measures and what is joined to it, and one of 10^18 cells."""
import json
import shutil

import common

NITEMS, NPLACES, NWIDE = 4000, 1000, 1000000
DAYS = 40


def put_large(folder):
    """Items by places, all of their cells there."""
    with open(folder / "large.csv", "w") as facts:
        facts.write("item,place,quantity\n")
        for i in range(NITEMS):
            facts.write("".join(f"I{i:05},P{p:05},{(i * 7919 + p * 104729) % 10007}\n"
                                for p in range(NPLACES)))
    for name, count in (("item", NITEMS), ("place", NPLACES)):
        (folder / f"{name}s.csv").write_text(f"{name},group,code\n" + "".join(
            f"{name[0].upper()}{i:05},G{i % 50:02},{i}\n" for i in range(count)))
    (folder / "large.json").write_text(json.dumps({
        "name": "large", "kind": "source", "data": {"csv": "large.csv"},
        "dimensions": [{"name": name, "table": {"csv": f"{name}s.csv"}, "key": name, "column": name,
                        "levels": [{"name": "group", "key": "group"}, {"name": name, "key": name}]}
                       for name in ("item", "place")],
        "measures": [{"name": "quantity", "type": "int", "aggregator": "sum"}]}))


def put_dear(folder):
    """The same facts with measures that cost more, and a cube that is joined to them."""
    with open(folder / "dear.csv", "w") as facts:
        facts.write("item,place,quantity,price\n")
        for i in range(NITEMS):
            facts.write("".join(f"I{i:05},P{p:05},{(i * 7919 + p * 104729) % 10007},{(i * 31 + p * 17) % 9973 / 8}\n"
                                for p in range(NPLACES)))
    dimensions = [{"name": name, "table": {"csv": f"{name}s.csv"}, "key": name, "column": name,
                   "levels": [{"name": "group", "key": "group"}, {"name": name, "key": name}],
                   "attributes": ["code"], "indexes": [{"name": "own", "attribute": "code", "unique": True}]}
                  for name in ("item", "place")]
    summed = {"name": "quantity", "type": "int", "aggregator": "sum"}
    (folder / "dear.json").write_text(json.dumps({
        "name": "dear", "kind": "source", "data": {"csv": "dear.csv"}, "dimensions": dimensions,
        "measures": [
            summed, {"name": "price", "type": "float", "aggregator": "avg"}, {"name": "facts", "aggregator": "count"},
            {"name": "items", "aggregator": "count_distinct", "dimension": "item"},
            {"name": "places", "aggregator": "count_distinct", "dimension": "place"},
            {"name": "quantities", "aggregator": "count_distinct", "column": "quantity", "type": "int"},
            {"name": "median", "column": "price", "type": "float", "aggregator": "median"},
            {"name": "mean_stock", "column": "quantity", "type": "int", "aggregator": "sum", "over": {"place": "avg"}},
            {"name": "running", "expr": "running(quantity, place)"}]}))
    (folder / "wanted.json").write_text(json.dumps({
        "name": "wanted", "kind": "source", "data": {"csv": "large.csv"}, "dimensions": dimensions,
        "measures": [summed]}))
    (folder / "crossed.json").write_text(json.dumps({
        "name": "crossed", "kind": "virtual", "primary": "dear",
        "sources": [{"alias": "dear", "cube": "dear"}, {"alias": "wanted", "cube": "wanted", "join": {
            "kind": "left", "on": [{"dim": name, "index": "own", "to_dim": name, "to_index": "own",
                                    "normalize": {"both": ["trim"]}} for name in ("item", "place")]}}],
        "measures": [{"name": "quantity", "source": "dear", "measure": "quantity"},
                     {"name": "wanted", "source": "wanted", "measure": "quantity"},
                     {"name": "share", "expr": "safe_div(quantity, wanted)"}]}))


def put_wide(folder):
    """Three dimensions of a million members each, and few facts."""
    (folder / "wide_members.csv").write_text(
        "key,colour\n" + "".join(f"M{i:06},C{i % 77}\n" for i in range(NWIDE)))
    (folder / "wide.csv").write_text(
        "a,b,c,n\n" + "".join(f"M{i:06},M{i * 7:06},M{i * 11:06},{i}\n" for i in range(1000)))
    (folder / "wide.json").write_text(json.dumps({
        "name": "wide", "kind": "source", "data": {"csv": "wide.csv"},
        "dimensions": [{"name": name, "table": {"csv": "wide_members.csv"}, "key": "key",
                        "column": name, "levels": [{"name": name, "key": "key"}], "attributes": ["colour"]}
                       for name in "abc"],
        "measures": [{"name": "n", "type": "int", "aggregator": "sum"}]}))


def definition_of_days(label):
    return {"name": "days", "kind": "source", "label": label,
            "dimensions": [{"name": "day", "levels": [{"name": "day", "key": "day"}]}],
            "measures": [{"name": "n", "type": "int", "aggregator": "sum"}]}


def days(salt):
    """Facts of the cube that is loaded again and again, and the sum of them."""
    numbers = [(day * 37 + salt * 101) % 997 for day in range(DAYS)]
    return ("day,n\n" + "".join(f"D{day:03},{n}\n" for day, n in enumerate(numbers))).encode(), sum(numbers)


def make(build, folder):
    """Generate and load, once. The store is a copy that may be changed."""
    kept, data = folder / "store.kept", folder / "data"
    if not (folder / "complete").exists():
        data.mkdir(parents=True, exist_ok=True)
        put_large(data)
        put_dear(data)
        put_wide(data)
        (data / "days.json").write_text(json.dumps(definition_of_days("as it was")))
        common.load_vcube(build, kept, [data, common.HOUSE / "samples/world",
                                        common.HOUSE / "samples/golden"], common.NPROCESSORS)
        (folder / "complete").touch()
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    shutil.copytree(kept, store)
    return store
