"""The data of the Star Schema Benchmark, as vcube and DuckDB load it."""
import json
from pathlib import Path

import common

HERE = Path(__file__).resolve().parent

# What vcube's cube has, no more, in the narrowest types.
COLUMNS = {
    "lineorder": ["lo_custkey INTEGER", "lo_partkey INTEGER", "lo_suppkey INTEGER",
                  "lo_orderdate INTEGER", "lo_quantity UTINYINT", "lo_discount UTINYINT",
                  "lo_revenue INTEGER", "lo_supplycost INTEGER", "lo_discounted INTEGER"],
    "customer": ["c_custkey INTEGER", "c_name VARCHAR", "c_city VARCHAR", "c_nation VARCHAR",
                 "c_region VARCHAR"],
    "supplier": ["s_suppkey INTEGER", "s_name VARCHAR", "s_city VARCHAR", "s_nation VARCHAR",
                 "s_region VARCHAR"],
    "part": ["p_partkey INTEGER", "p_name VARCHAR", "p_mfgr VARCHAR", "p_category VARCHAR",
             "p_brand1 VARCHAR"],
    "date": ["d_datekey INTEGER", "d_date VARCHAR", "d_year USMALLINT", "d_yearmonthnum INTEGER",
             "d_yearmonth VARCHAR", "d_weeknuminyear UTINYINT"],
}


def generate(build, scale):
    """The folder of the CSV files."""
    folder = build / "ssb" / scale
    common.generate(build / "bench/ssb_generate", [scale], folder)
    return folder


def own_order():
    """What the definition itself clusters by."""
    return "+".join(json.loads((HERE / "ssb.json").read_text())["cluster"])


def define(folder, order):
    """Write the definition with its facts in an order, "file" or what to cluster by
    ("date.month+supplier"). Returns its path."""
    definition = json.loads((HERE / "ssb.json").read_text())
    definition["cluster"] = [] if order == "file" else order.split("+")
    path = folder / f"ssb.{order}.json"
    path.write_text(json.dumps(definition))
    return path


def star_statements(folder):
    return [common.create_from_csv(table, folder / f"{table}.csv", columns)
            for table, columns in COLUMNS.items()]
