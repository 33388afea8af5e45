#!/usr/bin/env python3
"""What does a question cost when it goes through a mapping? Virtual cubes, beside the joined cubes
asked directly and beside DuckDB, in one run.

    bench/virtual/run.py [PRODUCTS=1000000] [SALES=10000000] [DATA=../shared/data] [RUNS=15]
                         [THREADS=all] [KEEP=all|csv|none] [BUILD=build] [DUCKDB=newest]
                         [RESULTS=FILE]

The shop: a list of products by GTIN with its stock is the primary, sales by item code are joined to
it. The United Nations' population by age and sex is joined to a cube of countries; it is left out
when DATA has no world/unpop. Each question is asked of the virtual cube and of the joined cube by its
own level of as many groups, and of DuckDB three ways; the engines take turns. All answers are
compared. Prints the tables and puts them into bench/RESULTS.md.
"""
import shutil
import statistics
import sys
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import virtual_data as data  # noqa: E402
import queries  # noqa: E402

TARGET = 1.1
NFIRST_ANSWERS = 9
NROWS_LONG = 1000  # answers above are written as text by DuckDB, too
WAYS = ["aggregate, then join", "join, then aggregate", "own columns"]


def bodies_of(folder, number, query):
    """The files of the mapped query, and of its own ones."""
    mapped = data.write_body(folder, f"{number}.mapped", query.mapped)
    return mapped, [data.write_body(folder, f"{number}.own.{i}", body)
                    for i, body in enumerate(query.own)]


# ---- checking ----

def side_by_side(answers, naxes):
    """Rows of several answers that have the same keys in the same order, as one."""
    rows = answers[0]
    for other in answers[1:]:
        if [row[:naxes] for row in rows] != [row[:naxes] for row in other]:
            sys.exit("the cubes of a query have different members")
        rows = [row + more[naxes:] for row, more in zip(rows, other)]
    return rows


def text_of(value):
    """Keys that are texts in one engine and numbers in the other, and decimals with fewer digits,
    are the same."""
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def comparable(rows, without=()):
    """Rows in any order, without the keys at some positions."""
    return sorted(tuple(text_of(value) for i, value in enumerate(row) if i not in without)
                  for row in rows)


def check_answers(vcube, database, folder, asked, iso3_of):
    """Returns the number of rows of each query."""
    counts = []
    for number, query in enumerate(asked):
        mapped_body, own_bodies = bodies_of(folder, number, query)
        mapped = vcube.rows(mapped_body)
        own = side_by_side([vcube.rows(body) for body in own_bodies], len(query.mapped["dimensions"]))
        if query.own_keys is None:
            is_same = len(own) == len(mapped)
        else:
            is_same = comparable(own, query.own_keys) == comparable(mapped, query.own_keys)
        if not is_same:
            sys.exit(f"{query.label}: mapped {mapped[:3]}..., {len(mapped)} rows; "
                     f"own {own[:3]}..., {len(own)} rows")
        for way, sql in query.sql.items():
            rows = database.rows(sql)
            if query.mapped["dimensions"] and query.mapped["dimensions"][0]["level"] == "country":
                rows = [(iso3_of[row[0]], *row[1:]) for row in rows]
            if comparable(rows) != comparable(mapped) and way != "own columns":
                sys.exit(f"{query.label}: {way} {rows[:3]}..., {len(rows)} rows; "
                         f"mapped {mapped[:3]}..., {len(mapped)} rows")
            if way == "own columns" and comparable(rows, query.own_keys) != comparable(
                    own, query.own_keys):
                sys.exit(f"{query.label}: {way} {rows[:3]}..., own {own[:3]}...")
        counts.append(len(mapped))
    return counts


# ---- timing ----

def run_all(vcube, bodies):
    runs = [vcube.run(body) for body in bodies]
    return tuple(map(sum, zip(*runs)))


def time_queries(vcube, database, folder, asked, counts, nruns):
    tasks = {}
    for number, query in enumerate(asked):
        mapped, own = bodies_of(folder, number, query)
        tasks[number] = {"mapped": lambda mapped=mapped: vcube.run(mapped),
                         "own": lambda own=own: run_all(vcube, own),
                         **{way: (lambda sql=sql, is_long=counts[number] > NROWS_LONG:
                                 database.run(sql, is_long)) for way, sql in query.sql.items()}}
    return common.take_turns(tasks, nruns)


def time_table(asked, counts, times, text, value):
    """A row per query; text(times) shows one cell, value(times) is what ratios are made of."""
    rows, ratios, duckdb_ratios = [], [], []
    for number, query in enumerate(asked):
        of = times[number]
        ratios.append(value(of["mapped"]) / value(of["own"]))
        duckdb_ratios.append(min(value(of[way]) for way in WAYS[:2]) / value(of["mapped"]))
        rows.append([query.label, counts[number], text(of["mapped"]), text(of["own"]),
                     f"{ratios[-1]:.2f}", common.yes(ratios[-1] <= TARGET),
                     *(text(of[way]) if way in of else "" for way in WAYS), f"{duckdb_ratios[-1]:.1f}"])
    rows.append(["geometric mean", "", "", "", f"{common.geometric_mean(ratios):.2f}", "", "", "", "",
                 f"{common.geometric_mean(duckdb_ratios):.1f}"])
    return rows


def header(first):
    return [first, "rows", "vcube mapped", "vcube own", "mapped / own", f"at most {TARGET}?",
            *(f"DuckDB {way}" for way in WAYS), "DuckDB's better join / mapped"]


def measure(options, build, folder, asked, plain_statements, tuned_statements, iso3_of):
    """Load, check, time. Returns the lines of the report."""
    threads, nruns = int(options["THREADS"]), int(options["RUNS"])
    store, plain_file, tuned_file = folder / "store", folder / "plain.duckdb", folder / "tuned.duckdb"
    common.load_vcube(build, store, sorted(folder.glob("*.json")), threads)
    common.load_duckdb(plain_file, plain_statements, threads)
    common.load_duckdb(tuned_file, tuned_statements(plain_file), threads)
    mapped = [bodies_of(folder, number, query)[0] for number, query in enumerate(asked)]
    own = [bodies_of(folder, number, query)[1][-1] for number, query in enumerate(asked)]
    threads_line = common.check_threads(build, store, mapped)
    firsts = {name: statistics.median(common.first_answers(build, store, threads, body,
                                                           NFIRST_ANSWERS)) / 1e6
              for name, body in (("virtual", mapped[0]), ("joined", own[0]))}
    vcube, database = common.Vcube(build, store, threads), common.Duckdb(tuned_file, threads)
    counts = check_answers(vcube, database, folder, asked, iso3_of(database))
    times = time_queries(vcube, database, folder, asked, counts, nruns)
    refused = [query.label for query, body in zip(asked, mapped) if vcube.is_refused(body)]
    vcube.close()
    database.close()
    sizes = f"{store_bytes(store) / 2**20:.0f} MiB, DuckDB's file {tuned_file.stat().st_size / 2**20:.0f} MiB"
    return [*common.table(header("milliseconds"),
                          time_table(asked, counts, times, str, lambda of: of.median)), "",
            f"Answers were equal: mapped, own, DuckDB's. {threads_line} {common.refused_line(refused)} The store has {sizes}.", "",
            f"Start of a process until its first answer, which resolves the join and measures its coverage: "
            f"{firsts['virtual']:.0f} ms through the virtual cube, {firsts['joined']:.0f} ms of the joined cube "
            f"(medians of {NFIRST_ANSWERS} processes, file in the page cache).", "",
            *common.table(header("milliseconds of processor time, medians"),
                          time_table(asked, counts, times, lambda of: f"{of.cpu / 1e6:.2f}",
                                     lambda of: of.cpu))]


def store_bytes(store):
    return (store / "vcube.mdb").stat().st_size


def clean(folder, keep):
    if keep == "none":
        shutil.rmtree(folder)
    elif keep == "csv":
        shutil.rmtree(folder / "store")
        for path in folder.glob("*.duckdb*"):
            path.unlink()


def main():
    options = common.options_of(__doc__, PRODUCTS="1000000", SALES="10000000", DATA="../shared/data",
                                RUNS="15", KEEP="all")
    if options["KEEP"] not in ("all", "csv", "none"):
        sys.exit(__doc__)
    common.enter_environment(options)
    build = common.make(options, "vcube", "bench/virtual_generate", "bench/query")
    explained = (f"{options['THREADS']} threads for every engine. Medians / minima of {options['RUNS']} runs in "
                 "turns; ratios are of medians. \"Mapped\" goes through the join of the virtual cube, \"own\" "
                 "asks the joined cube by its own level of as many groups.")

    machine = common.Machine()
    shop = data.generate_shop(build, options["PRODUCTS"], options["SALES"])
    lines = measure(options, build, shop, queries.SHOP, data.shop_statements(shop),
                    data.tuned_shop_statements, lambda database: {})
    name = f"virtual PRODUCTS={options['PRODUCTS']} SALES={options['SALES']}"
    common.write_block(options, name, [
        f"## Virtual cubes: {int(options['PRODUCTS']):,} products, {int(options['SALES']):,} sales", "",
        *machine.describe(options, "bench/virtual/run.py"), "", explained, "", *lines])
    clean(shop, options["KEEP"])

    source = data.find_un(common.HOUSE / options["DATA"])
    if source is None:
        print(f"{options['DATA']} has no world/unpop/{data.UN_FILE}: the population is left out")
        return
    machine = common.Machine()
    folder = data.prepare_un(build, source)
    lines = measure(options, build, folder, queries.UN, data.un_statements(folder),
                    lambda plain_file: data.tuned_un_statements(folder, plain_file),
                    lambda database: dict(database.rows("SELECT m49, iso3 FROM geo")))
    common.write_block(options, "virtual UN", [
        "## Virtual cubes: the United Nations' population by age and sex", "",
        *machine.describe(options, "bench/virtual/run.py"), "", explained, "", *lines])
    clean(folder, options["KEEP"])


if __name__ == "__main__":
    main()
