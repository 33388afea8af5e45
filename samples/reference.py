"""A small, slow reference for answers on virtual cubes, on lists of dicts.

It follows docs/semantics.md word by word and shares nothing with vcube; world/expected.py and
retail/expected.py use it. Python's standard library only.

A *leaf* is a key of a dimension. A relation is a dict {primary leaf: set of joined leaves}.
"""
import csv
import gzip
import json
import math
from decimal import Decimal


def read(path):
    """Rows of a CSV file as dicts; an empty field is None."""
    opened = gzip.open(path, "rt", encoding="utf-8", newline="") if path.endswith(".gz") \
        else open(path, encoding="utf-8", newline="")
    with opened as file:
        return [{k: v if v != "" else None for k, v in row.items()} for row in csv.DictReader(file)]


# ---- joins ----

def relate(primary_keys, joined_keys, normalize_from, normalize_to):
    """The relation of two indexes.

    primary_keys, joined_keys  {leaf: key as found or None}
    normalize_*                key -> list of keys (empty: never matches)
    """
    leaves_of = {}
    for leaf, key in joined_keys.items():
        for normal in normalize_to(key) if key is not None else []:
            leaves_of.setdefault(normal, set()).add(leaf)
    return {leaf: set().union(*[leaves_of.get(normal, set()) for normal in normalize_from(key)])
            if key is not None else set()
            for leaf, key in primary_keys.items()}


def coverage(relation, joined_keys, why, excluded=lambda key: False, units=None):
    """The record of coverage.expected.json, but for its cube, source and dim.

    why    key -> text: why it has no partner
    units  {primary leaf: unit} when the index stands above the leaf; otherwise leaves are units
    """
    matched_leaves = set().union(*relation.values())
    keys = {key for key in joined_keys.values() if key is not None}
    matched_keys = {joined_keys[leaf] for leaf in matched_leaves}
    excluded_keys = {key for key in keys if excluded(key)}
    units = units or {leaf: leaf for leaf in relation}
    return {
        "keys": len(keys), "matched": len(matched_keys),
        "members": len(joined_keys), "members_matched": len(matched_leaves),
        "primary_members": len(set(units.values())),
        "primary_matched": len({units[leaf] for leaf, found in relation.items() if found}),
        "excluded": len(excluded_keys),
        "unmatched": [{"key": key, "why": why(key)} for key in sorted(keys - matched_keys - excluded_keys)]}


# ---- cells ----

class Source:
    """Facts, and for each outer dimension how it selects them.

    columns      {outer dimension: column of the facts that holds this source's leaf}
    relations    {outer dimension: relation}; a dimension without one is the source's own
    policies     {outer dimension that it lacks: "null" (default) or "repeat"}
    below_grain  {outer dimension: names of the levels below the source's grain}
    """

    def __init__(self, rows, columns, relations=None, policies=None, below_grain=None):
        self.rows, self.columns = rows, columns
        self.relations = relations or {}
        self.policies = policies or {}
        self.below_grain = below_grain or {}


class Measure:
    def __init__(self, source, column, how, kind=int, over=None):
        self.source, self.column, self.how, self.kind, self.over = source, column, how, kind, over


class Calculated:
    def __init__(self, operands, function):
        self.operands, self.function = operands, function


def translate(source, dimension, leaves):
    """A selection of outer leaves, as leaves of the source; None is everything."""
    relation = source.relations.get(dimension)
    if relation is None:
        return leaves
    return set().union(*[relation[leaf] for leaf in (relation if leaves is None else leaves)])


def aggregate(measure, rows, selection, all_leaves):
    """(value, reason) of the rows that are selected; a null has a reason.

    selection  {column: leaves}; over a column without one the last leaf is the last of the facts
    """
    if measure.over is not None:
        leaves = selection.get(measure.over, all_leaves)
        rows = [row for row in rows if row[measure.over] == max(leaves)]
    if measure.how == "count":
        return (len(rows), None) if rows else (0, "e")
    if measure.how == "count_distinct":
        values = {row[measure.column] for row in rows if row[measure.column] is not None}
        return (len(values), None) if rows else (0, "e")
    values = [measure.kind(row[measure.column]) for row in rows if row[measure.column] is not None]
    if not values:
        return None, "n" if rows else "e"
    if measure.how == "avg":
        return (math.fsum(values) if measure.kind is float else float(sum(values))) / len(values), None
    if measure.how == "sum":
        return math.fsum(values) if measure.kind is float else sum(values), None
    return (max if measure.how == "max" else min)(values), None


class Virtual:
    """sources: {alias: Source}; measures: {name: Measure or Calculated}; levels: {"geo:region":
    {leaf: key}}. Members come in the order of their keys."""

    def __init__(self, sources, measures, levels):
        self.sources, self.measures, self.levels = sources, measures, levels

    def base(self, name, selection, levels):
        measure = self.measures[name]
        source = self.sources[measure.source]
        inner, repeated = {}, False
        for dimension, leaves in selection.items():
            if dimension not in source.columns and leaves is not None:
                if source.policies.get(dimension, "null") == "null":
                    return None, "x"
                repeated = True
        reason = None
        for dimension, column in source.columns.items():
            leaves = selection.get(dimension)
            translated = translate(source, dimension, leaves)
            if translated is not None:
                if not translated:
                    reason = "u"
                inner[column] = translated
        if reason:
            return None, reason
        if any(level in source.below_grain.get(dimension, ()) for dimension, level in levels):
            return None, "g"
        rows = [row for row in source.rows if all(row[c] in leaves for c, leaves in inner.items())]
        value, reason = aggregate(measure, rows, inner, {row[measure.over] for row in source.rows} if measure.over else ())
        return value, "r" if repeated and value is not None else reason

    def cell(self, names, selection, levels=()):
        """{measure: (value, status)}."""
        found = {}

        def get(name):
            if name not in found:
                measure = self.measures[name]
                if isinstance(measure, Calculated):
                    operands = [get(operand) for operand in measure.operands]
                    null = next((status for value, status in operands if value is None), None)
                    if null is not None:
                        found[name] = None, null
                    else:
                        value = measure.function(*[float(value) for value, _ in operands])
                        mark = next((s for _, s in operands if s in ("r", "a")), None)
                        found[name] = (value, mark) if value is not None else (None, "d")
                else:
                    found[name] = self.base(name, selection, levels)
            return found[name]

        return {name: get(name) for name in names}

    def groups(self, dimref, leaves):
        """Members of a level among the leaves: [(key, set of leaves)] in the order of keys."""
        members = {}
        for leaf, key in self.levels[dimref].items():
            if leaves is None or leaf in leaves:
                members.setdefault(key, set()).add(leaf)
        return sorted(members.items())

    def query(self, measures, drilldown=(), cut=None):
        """Rows and summary, as records. A row whose measures are all null is dropped."""
        cut = dict(cut or {})
        rows = []

        def descend(depth, keys, selection, levels):
            if depth == len(drilldown):
                cell = self.cell(measures, selection, levels)
                if any(value is not None and status != "e" for value, status in cell.values()):
                    rows.append(record(keys, cell))
                return
            dimref = drilldown[depth]
            name, level = dimref.split(":")
            dimension = name.split("@")[0]
            for key, leaves in self.groups(dimref, selection.get(dimension)):
                descend(depth + 1, {**keys, f"{name}.{level}": key}, {**selection, dimension: leaves},
                        [*levels, (dimension, level)])

        descend(0, {}, cut, [])
        return rows, record({}, self.cell(measures, cut))


def record(keys, cell):
    status = {name: status for name, (_, status) in cell.items() if status}
    result = {**keys, **{name: plain(value) for name, (value, _) in cell.items()}}
    return {**result, "_status": status} if status else result


def plain(value):
    return float(value) if isinstance(value, Decimal) else value


def ratio(a, b):
    return a / b if b else None


def order_by(rows, name, descending=True):
    """As order=name:desc does: nulls last, ties in member order."""
    known = [row for row in rows if row[name] is not None]
    return sorted(known, key=lambda row: row[name], reverse=descending) + \
        [row for row in rows if row[name] is None]


# ---- the files ----

def write(path, about, listname, items):
    """JSON with one line per row, so that a difference between two of them can be read."""
    def text(value):
        return json.dumps(value, ensure_ascii=False)

    parts = []
    for item in items:
        fields = []
        for key, value in item.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                value_text = "[\n" + ",\n".join("     " + text(row) for row in value) + "]"
            else:
                value_text = text(value)
            fields.append(f"   {text(key)}: {value_text}")
        parts.append("  {\n" + ",\n".join(fields) + "}")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("{\n " + f'"about": {text(about)},\n {text(listname)}: [\n' + ",\n".join(parts) + "\n ]\n}\n")
