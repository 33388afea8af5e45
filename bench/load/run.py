#!/usr/bin/env python3
"""How fast are CSV files loaded, beside DuckDB's read_csv into its file?

    bench/load/run.py [SF=1] [PRODUCTS=1000000] [SALES=10000000] [DATA=../shared/data] [LOADS=5]
                      [THREADS=1,2] [BUILD=build] [DUCKDB=newest] [RESULTS=FILE]

The facts and tables of the Star Schema Benchmark, the sales and items of the bench of virtual cubes,
and the United Nations' population by age and sex (left out when DATA has no world/unpop), each with
every number of threads; the engines take turns, each into an empty store or file. Both read the CSV
files from the page cache. Prints a table and puts it into bench/RESULTS.md.
"""
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("", "ssb", "virtual")]
import common  # noqa: E402
import ssb_data as ssb  # noqa: E402
import virtual_data as virtual  # noqa: E402


DUCKDB = "DuckDB read_csv"


class Case:
    """label; definitions for vcube by name of the way they are loaded; statements for DuckDB; the CSV
    files that are read by both; facts is the one whose rows are counted."""

    def __init__(self, label, folder, definitions, statements, files, facts):
        self.label, self.folder, self.definitions, self.statements = label, folder, definitions, statements
        counts = {path: virtual.count_rows(path) for path in files}
        self.nrows, self.nbytes = counts[facts][0], sum(nbytes for _, nbytes in counts.values())


def ssb_case(build, scale):
    folder = ssb.generate(build, scale)
    orders = ["file", ssb.own_order()]
    return Case(f"Star Schema Benchmark, SF {scale}", folder,
                {("vcube, file's order" if order == "file" else f"vcube by {order}"):
                 [ssb.define(folder, order)] for order in orders}, ssb.star_statements(folder),
                [folder / f"{table}.csv" for table in ssb.COLUMNS], folder / "lineorder.csv")


def sales_case(build, nproducts, nsales):
    folder = virtual.generate_shop(build, nproducts, nsales)
    tables = ["sales", "items", "stores"]
    return Case(f"sales, with {int(nproducts):,} products", folder, {"vcube": [folder / "sales.json"]},
                virtual.shop_statements(folder, tables), [folder / f"{table}.csv" for table in tables],
                folder / "sales.csv")


def un_case(build, source):
    folder = virtual.prepare_un(build, source)
    return Case("population by age and sex (gzip)", folder, {"vcube": [folder / "un_population.json"]},
                virtual.un_statements(folder), [folder / virtual.UN_FILE], folder / virtual.UN_FILE)


def measure(build, case, counts, nloads):
    """Rows of the table: every engine with every number of threads."""
    store, path = case.folder / "load-store", case.folder / "load.duckdb"
    loads = {(name, threads): [] for threads in counts
             for name in [*case.definitions, DUCKDB]}
    sizes = {}
    for _ in range(nloads):
        for name, threads in loads:
            if name in case.definitions:
                load = common.load_vcube(build, store, case.definitions[name], threads)
                sizes[name] = (store / "vcube.mdb").stat().st_size
            else:
                load = common.load_duckdb(path, case.statements, threads)
                sizes[name] = path.stat().st_size
            loads[name, threads].append(load)
    shutil.rmtree(store)
    common.remove_database(path)
    rows = []
    for name, threads in loads:
        of = loads[name, threads]
        row = common.load_row(f"{name}, {threads} {'thread' if threads == 1 else 'threads'}", of,
                              sizes[name], case.nrows, case.nbytes)
        if name in case.definitions:
            row += [f"{common.median_seconds(loads[DUCKDB, threads]) / common.median_seconds(of):.2f}",
                    f"{sizes[name] / sizes[DUCKDB]:.2f}"]
        else:
            row += ["", ""]
        rows.append(row)
    return rows


def main():
    options = common.options_of(__doc__, SF="1", PRODUCTS="1000000", SALES="10000000",
                                DATA="../shared/data", LOADS="5",
                                THREADS=",".join(map(str, sorted({1, min(2, common.NPROCESSORS)}))))
    common.enter_environment(options)
    machine = common.Machine()
    build = common.make(options, "vcube", "bench/ssb_generate", "bench/virtual_generate")
    cases = [ssb_case(build, options["SF"]), sales_case(build, options["PRODUCTS"], options["SALES"])]
    source = virtual.find_un(common.HOUSE / options["DATA"])
    if source is not None:
        cases.append(un_case(build, source))
    counts = [int(count) for count in options["THREADS"].split(",")]
    lines = []
    for case in cases:
        lines += ["", f"### {case.label}: {case.nrows:,} facts, {case.nbytes / 1e6:.0f} MB of CSV", "",
                  *common.table(["load", *common.RATE_COLUMNS, "DuckDB's seconds / these", "file / DuckDB's"],
                                measure(build, case, counts, int(options["LOADS"])))]
    common.write_block(options, "load", ["## Loading", "",
                                         *machine.describe(options, "bench/load/run.py"), *lines])


if __name__ == "__main__":
    main()
