"""DuckDB, pandas and pyarrow read our answers by their addresses.

DuckDB's own httpfs is an extension that is fetched at run time, from elsewhere than the Python registry. So here
the addresses in its SQL are opened by fsspec, which is registered with it; Arrow tables it reads where they are.
"""

import datetime
import json
import urllib.parse
import urllib.request
from decimal import Decimal

import duckdb
import pandas
import pyarrow
import pyarrow.ipc
from fsspec.implementations.http import HTTPFileSystem

from lib.check import URL, check, done

QUESTION = {"drilldown": "geo:country|date:year", "cut": "date:2015-2020", "measures": "pop,gdp,cpop"}


def address(**more):
    return f"{URL}/v1/cubes/world/aggregate?{urllib.parse.urlencode({**QUESTION, **more})}"


def fetch(**more):
    with urllib.request.urlopen(address(**more)) as answer:
        return answer.read()


CELLS = json.loads(fetch(), parse_float=Decimal)["cells"]
assert len(CELLS) > 1000
TOTAL = sum(Decimal(cell["gdp"]) for cell in CELLS if cell["gdp"] is not None)


@check
def duckdb_reads_csv():
    csv = duckdb.read_csv(urllib.request.urlopen(address(format="csv")))
    rows, gdp, nulls = duckdb.sql(
        "select count(*), sum(gdp::decimal(38, 2)), count(*) filter (cpop is null) from csv"
    ).fetchall()[0]
    assert rows == len(CELLS), rows
    assert gdp == TOTAL, (gdp, TOTAL)
    assert nulls == sum(cell["cpop"] is None for cell in CELLS), nulls


class Http(HTTPFileSystem):
    """What DuckDB asks of a file system and fsspec does not say of HTTP."""

    def modified(self, path):
        return datetime.datetime.now(datetime.timezone.utc)

    def glob(self, path, **_):  # "?" begins a question, it is no wildcard
        return [path]


@check
def duckdb_reads_csv_by_its_address():
    connection = duckdb.connect()
    connection.register_filesystem(Http())
    rows, gdp = connection.execute(
        f"select count(*), sum(gdp::decimal(38, 2)) from read_csv('{address(format='csv')}')"
    ).fetchall()[0]
    assert (rows, gdp) == (len(CELLS), TOTAL), (rows, gdp)


@check
def namibia_is_no_null():
    csv = duckdb.read_csv(urllib.request.urlopen(address(format="csv", properties="iso2")))
    assert duckdb.sql("select count(*) from csv where \"geo.iso2\" = 'NA'").fetchall()[0][0] > 0


@check
def pyarrow_reads_the_stream():
    with urllib.request.urlopen(address(format="arrow")) as answer:
        table = pyarrow.ipc.open_stream(answer).read_all()
    assert table.schema.field("gdp").type == pyarrow.decimal128(38, 2)
    assert table.schema.field("pop").type == pyarrow.int64()
    rows = table.select(["geo.country", "date.year", "pop", "gdp", "cpop"]).to_pylist()
    for row, cell in zip(rows, CELLS, strict=True):
        assert row["geo.country"] == cell["geo.country"] and row["pop"] == cell["pop"], (row, cell)
        assert row["gdp"] == (None if cell["gdp"] is None else Decimal(cell["gdp"])), (row, cell)


@check
def duckdb_asks_the_arrow_table():
    with urllib.request.urlopen(address(format="arrow")) as answer:
        world = pyarrow.ipc.open_stream(answer).read_all()
    assert duckdb.sql("select sum(gdp) from world").fetchall()[0][0] == TOTAL
    best = duckdb.sql(
        'select "geo.country" from world where "date.year" = \'2020\' order by gdp desc nulls last limit 1'
    ).fetchall()[0]
    assert best == ("USA",), best
    assert len(world.column("geo.country")) == len(CELLS)


@check
def pandas_reads_csv_and_the_stream_alike():
    csv = pandas.read_csv(address(format="csv"), keep_default_na=False, na_values=[""])
    with urllib.request.urlopen(address(format="arrow")) as answer:
        arrow = pyarrow.ipc.open_stream(answer).read_pandas()
    assert len(csv) == len(arrow) == len(CELLS)
    assert csv["pop"].sum() == arrow["pop"].sum() == sum(cell["pop"] or 0 for cell in CELLS)
    assert csv["geo.country"].tolist() == arrow["geo.country"].tolist()


@check
def pandas_reads_flat_json():
    with urllib.request.urlopen(address(format="columns")) as answer:
        columns = json.load(answer)["columns"]
    frame = pandas.DataFrame(columns)
    assert len(frame) == len(CELLS)
    assert frame["pop"].sum() == sum(cell["pop"] or 0 for cell in CELLS)


done()
