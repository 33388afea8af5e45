#!/usr/bin/env python3
"""The Star Schema Benchmark, vcube beside DuckDB, in one run.

    bench/ssb/run.py [SF=1] [RUNS=15] [LOADS=3] [THREADS=all] [ORDERS=file,date,date.month+supplier]
                     [KEEP=all|csv|none] [MEMORY=8GB] [BUILD=build] [DUCKDB=newest] [RESULTS=FILE]

Builds what it needs, installs DuckDB into BUILD/venv, generates the data into BUILD/ssb/SF, loads it
into vcube, once per order of the facts, and into four forms of DuckDB tables, checks that all
answers are equal, and times the queries: per query, the engines take turns run by run, all in
processes that are up; those of more than 2 ms are also run again and again, for what a second thread
brings. Prints the tables and puts them into bench/RESULTS.md, in place of those of
the same scale factor.

ORDERS  what the facts are clustered by; "file" leaves them as they come. The definition's own is
        the last of these; ratios are judged for it and for "date", which is the default of a cube.
LOADS   0 takes the stores and tables that a former run kept
KEEP    what stays on the disk afterwards (all up to SF=1, csv above)
MEMORY  DuckDB's limit while its forms are made; the queries have DuckDB's default
"""
import json
import shutil
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import ssb_data as data  # noqa: E402

QUERIES = ["q11", "q12", "q13", "q21", "q22", "q23", "q31", "q32", "q33", "q34", "q41", "q42", "q43"]
BANDWIDTH_QUERIES = ["q11", "q12", "q13", "q21"]
FORMS = ["star", "flat", "tuned", "tuned2"]
TUNED = {"tuned": "lo_orderdate", "tuned2": "d_yearmonthnum, s_region, s_nation, s_city"}
TWIN = ("tuned2", "date.month+supplier")  # the form whose rows are in the order of a store
TARGETS = {"flat": 10, "tuned": 5}
MEAN_TARGETS = {"flat": 15, "tuned": 10}
NFIRST_ANSWERS = 9
NRUNS_IN_A_ROW = 20

# Columns of the facts that a query's names stand for (ssb.json), and by which its rows are ordered;
# rows that are equal there may come in any order.
MEASURE_COLUMNS = {"revenue": ["lo_revenue"], "discounted": ["lo_discounted"],
                   "profit": ["lo_revenue", "lo_supplycost"]}
ORDERED_BY = {"q3": [2, 3]}


def body_of(query):
    return HERE / f"queries/{query}.json"


def sql_of(query, form):
    return (HERE / f"queries/{query}.{'star' if form == 'star' else 'flat'}.sql").read_text()


def store_of(folder, order):
    return folder / f"store.{order}"


# ---- loading ----

def load_all(build, folder, options):
    """Load into all stores and into DuckDB's star, in turns. {engine: [Load]}"""
    orders, threads = options["ORDERS"].split(","), int(options["THREADS"])
    loads = {name: [] for name in [*orders, "star"]}
    for _ in range(int(options["LOADS"])):
        for order in orders:
            loads[order].append(common.load_vcube(build, store_of(folder, order),
                                                  [data.define(folder, order)], threads))
        loads["star"].append(common.load_duckdb(folder / "star.duckdb", data.star_statements(folder),
                                                threads))
    if loads["star"]:
        for form in FORMS[1:]:
            loads[form] = [common.load_duckdb(folder / f"{form}.duckdb",
                                              form_statements(folder, form, options["MEMORY"]), threads)]
    return loads


def form_statements(folder, form, memory):
    """The flattened table, and those that are tuned: texts as ENUMs, rows in an order."""
    texts = ["c_city", "c_nation", "c_region", "s_city", "s_nation", "s_region", "p_mfgr",
             "p_category", "p_brand1", "d_yearmonth"]
    numbers = ["d_year", "d_yearmonthnum", "d_weeknuminyear", "lo_orderdate", "lo_quantity",
               "lo_discount", "lo_revenue", "lo_supplycost", "lo_discounted"]
    statements = [f"SET memory_limit = '{memory}'", f"SET temp_directory = '{folder / 'spill'}'",
                  f"ATTACH '{folder / 'star.duckdb'}' AS star (READ_ONLY)"]
    order = ""
    if form in TUNED:
        table_of = {"c": "customer", "s": "supplier", "p": "part", "d": "date"}
        statements += [f"CREATE TYPE {name}_type AS ENUM (SELECT DISTINCT {name} FROM "
                       f"star.{table_of[name[0]]} ORDER BY {name})" for name in texts]
        texts = [f"{name}::{name}_type AS {name}" for name in texts]
        order = f"ORDER BY {TUNED[form]}"
    return [*statements, f"""CREATE TABLE lineorder_flat AS SELECT {', '.join(texts + numbers)}
        FROM star.lineorder JOIN star.customer ON lo_custkey = c_custkey
        JOIN star.supplier ON lo_suppkey = s_suppkey JOIN star.part ON lo_partkey = p_partkey
        JOIN star.date ON lo_orderdate = d_datekey {order}"""]


# ---- checking ----

def check_answers(stores, databases):
    """All answers must be equal, and in the order that was asked for. Returns the rows of each."""
    counts = {}
    for query in QUERIES:
        answers = {f"vcube, {order}": store.rows(body_of(query)) for order, store in stores.items()}
        answers |= {form: database.rows(sql_of(query, form)) for form, database in databases.items()}
        expected = answers["star"]
        columns = ORDERED_BY.get(query[:2], range(len(expected[0]) if expected else 0))
        for name, rows in answers.items():
            is_same = (sorted(rows) == sorted(expected) and
                       [[row[i] for i in columns] for row in rows] ==
                       [[row[i] for i in columns] for row in expected])
            if not is_same:
                sys.exit(f"{query}: {name} answers {rows[:3]}..., {len(rows)} rows; "
                         f"star answers {expected[:3]}..., {len(expected)} rows")
        counts[query] = len(expected)
    return counts


def time_kernels(build, store, nruns):
    """{query: {level: Times}} of one thread, for every level that this machine has, after checking
    that their answers are the same bytes."""
    engines = {}
    for name in ("portable", "avx2", "avx512"):
        engine = common.Vcube(build, store, 1, kernels=name)
        level = engine.ask("kernels").strip()
        if level in engines:
            engine.close()
        else:
            engines[level] = engine
    for query in QUERIES:
        answers = {level: engine.ask("answer", body_of(query)) for level, engine in engines.items()}
        if len(set(answers.values())) != 1:
            sys.exit(f"{query}: the levels of kernels answer differently: {answers}")
    times = common.take_turns(
        {query: {level: (lambda engine=engine, query=query: engine.run(body_of(query)))
                 for level, engine in engines.items()} for query in QUERIES}, nruns)
    for engine in engines.values():
        engine.close()
    return times


# ---- timing ----

def bytes_of(query, columns):
    """Stored bytes of the fact columns that a query names."""
    body = json.loads(body_of(query).read_text())
    names = {condition["member"].split(".")[0] for condition in body["filters"]}
    names |= {axis["dim"] for axis in body.get("dimensions", [])}
    if "cut" in body:
        names.add(body["cut"].partition("@")[0])
    for measure in body["measures"]:
        names.update(MEASURE_COLUMNS[measure])
    return sum(columns[name] for name in names)


def time_queries(stores, databases, single, main, nbytes, nruns):
    """{query: {engine: Times}}; engines: orders, "1 thread", forms, "sum ORDER"."""
    tasks = {}
    for query in QUERIES:
        engines = {order: (lambda store=store, query=query: store.run(body_of(query)))
                   for order, store in stores.items()}
        engines["1 thread"] = lambda query=query: single.run(body_of(query))
        for form, database in databases.items():
            engines[form] = lambda database=database, text=sql_of(query, form): database.run(text)
        for order in stores if query in BANDWIDTH_QUERIES else ():
            engines[f"sum {order}"] = lambda query=query, order=order: tuple(
                map(int, stores[main].ask("sum", nbytes[order][query]).split()))
        tasks[query] = engines
    return common.take_turns(tasks, nruns)


def time_nothing(database, nruns=101):
    """Median nanoseconds of the least query that DuckDB can be asked."""
    return statistics.median(database.run("SELECT 1")[0] for _ in range(nruns))


# ---- the report ----

def label_of(query):
    return f"Q{query[1]}.{query[2]}"


def order_label(order):
    return "vcube, file's order" if order == "file" else f"vcube by {order.replace('+', ', ')}"


FORM_LABELS = {"star": "DuckDB star", "flat": "flattened", "tuned": "tuned",
               "tuned2": "tuned by month, supplier"}


def time_table(times, counts, orders):
    engines = [*orders, "1 thread", *FORMS]
    return common.table(
        ["milliseconds", "rows", *map(order_label, orders), "1 thread", *FORM_LABELS.values()],
        [[label_of(query), counts[query], *(times[query][name] for name in engines)]
         for query in QUERIES])


def ratio_columns(orders):
    columns = [(form, order) for form in TARGETS for order in orders]
    return columns + [TWIN] * (TWIN[1] in orders)


def is_judged(form, order, main):
    return order in (main, "date") and form in TARGETS


def ratio_rows(value, orders, main):
    """A row per query and one of means: form / vcube per order, and whether the main one reaches the
    form's target. value(query, engine) is what to compare."""
    columns = ratio_columns(orders)
    ratios = {column: [value(query, column[0]) / value(query, column[1]) for query in QUERIES]
              for column in columns}
    rows = []
    for i, query in enumerate(QUERIES):
        row = [label_of(query)]
        for form, order in columns:
            row.append(f"{ratios[form, order][i]:.2f}")
            if is_judged(form, order, main):
                row.append(common.yes(ratios[form, order][i] >= TARGETS[form]))
        rows.append(row)
    last = ["geometric mean"]
    for form, order in columns:
        mean = common.geometric_mean(ratios[form, order])
        last.append(f"{mean:.2f}")
        if is_judged(form, order, main):
            last.append(f"at least {MEAN_TARGETS[form]}: {common.yes(mean >= MEAN_TARGETS[form])}")
    return rows + [last]


def ratio_header(first, orders, main):
    header = [first]
    for form, order in ratio_columns(orders):
        header.append(f"{FORM_LABELS[form]} / {order_label(order).removeprefix('vcube').strip(', ')}")
        if is_judged(form, order, main):
            header.append(f"at least {TARGETS[form]}?")
    return header


def queries_above_2_ms(times):
    return [query for query in QUERIES if times[query]["1 thread"].median > 2e6]


def run_in_a_row(engine, query):
    """Medians of the time passed and the processor time, when nothing else runs in between."""
    runs = [engine.run(body_of(query)) for _ in range(NRUNS_IN_A_ROW)]
    return tuple(statistics.median(run[part] for run in runs) for part in (0, 1))


def time_in_a_row(single, many, queries, nruns):
    return common.take_turns(
        {query: {"1 thread": lambda query=query: run_in_a_row(single, query),
                 "threads": lambda query=query: run_in_a_row(many, query)} for query in queries}, nruns)


def thread_table(measured, main, nthreads):
    rows = []
    for query in queries_above_2_ms(measured.times):
        one, many = measured.times[query]["1 thread"], measured.times[query][main]
        again, all_again = measured.in_a_row[query]["1 thread"], measured.in_a_row[query]["threads"]
        rows.append([label_of(query), one, many, f"{one.median / many.median:.2f}",
                     again, all_again, f"{again.median / all_again.median:.2f}"])
    if not rows:
        return ["No query takes more than 2 ms with one thread."]
    means = [f"{common.geometric_mean(float(row[place]) for row in rows):.2f}" for place in (3, 6)]
    rows.append(["geometric mean", "", "", means[0], "", "", means[1]])
    return common.table(["milliseconds, of queries above 2", "1 thread", f"{nthreads} threads",
                         "times as fast", f"1 thread, {NRUNS_IN_A_ROW} in a row",
                         f"{nthreads} threads, in a row", "times as fast, in a row"], rows)


def kernel_table(times):
    levels = list(times["q11"])
    rows = [[label_of(query), *(times[query][level] for level in levels),
             *(f"{times[query][levels[0]].median / times[query][level].median:.2f}"
               for level in levels[1:])] for query in QUERIES]
    return common.table(["milliseconds, 1 thread", *levels,
                         *(f"{levels[0]} / {level}" for level in levels[1:])], rows)


def bandwidth_table(times, orders, named, touched):
    rows = []
    for query in BANDWIDTH_QUERIES:
        for order in orders:
            nbytes = touched[order].get(query, named[order][query])
            ours, plain = times[query][order].median, times[query][f"sum {order}"].median
            rows.append([f"{label_of(query)}, {order_label(order)}", f"{named[order][query] / 1e6:.1f}",
                         f"{touched[order][query] / 1e6:.1f}" if query in touched[order] else "not told",
                         f"{nbytes / ours:.2f}", f"{nbytes / plain:.2f}", f"{plain / ours:.3f}",
                         common.yes(2 * plain >= ours)])
    return common.table(["query", "MB of the columns it names", "MB it read", "vcube GB/s",
                         "plain sum GB/s", "vcube / sum", "at least half?"], rows)


def load_lines(folder, loads, orders):
    rows = [common.load_row(order_label(order), loads[order],
                            (store_of(folder, order) / "vcube.mdb").stat().st_size)
            for order in orders]
    labels = {"star": "DuckDB read_csv, star", "flat": "DuckDB flattened, from the star",
              "tuned": "DuckDB tuned, from the star",
              "tuned2": "DuckDB tuned by month, supplier, from the star"}
    rows += [common.load_row(label, loads[form], (folder / f"{form}.duckdb").stat().st_size)
             for form, label in labels.items()]
    star = common.median_seconds(loads["star"])
    size = (folder / "star.duckdb").stat().st_size
    lines = common.table(["load", *common.LOAD_COLUMNS], rows) + [""]
    for order in orders:
        seconds = common.median_seconds(loads[order])
        store = (store_of(folder, order) / "vcube.mdb").stat().st_size
        lines.append(f"- {order_label(order)}: DuckDB takes {star / seconds:.2f} times as long to load "
                     f"its star; the store is {store / size:.2f} of its file.")
    return lines


def clean(folder, keep):
    """Remove what is not kept: of "csv" all but the CSV files, of "none" everything."""
    if keep == "none":
        shutil.rmtree(folder)
    elif keep == "csv":
        for store in folder.glob("store.*"):
            shutil.rmtree(store)
        for path in folder.glob("*.duckdb*"):
            path.unlink()


def bytes_read(store, folder):
    """{query: bytes}, as far as explanations tell them."""
    told = {query: store.touched(body_of(query), folder) for query in BANDWIDTH_QUERIES}
    return {query: nbytes for query, nbytes in told.items() if nbytes is not None}


class Measured:
    """All that is measured of loaded stores and tables."""

    def __init__(self, build, folder, options, orders, main):
        threads, nruns = int(options["THREADS"]), int(options["RUNS"])
        store = store_of(folder, main)
        begin = time.monotonic()
        self.threads_line = common.check_threads(build, store, map(body_of, QUERIES))
        stores = {order: common.Vcube(build, store_of(folder, order), threads) for order in orders}
        single = common.Vcube(build, store, 1)
        databases = {form: common.Duckdb(folder / f"{form}.duckdb", threads) for form in FORMS}
        self.counts = check_answers(stores, databases)
        columns = {order: json.loads(engine.ask("columns", "ssb")) for order, engine in stores.items()}
        self.named = {order: {query: bytes_of(query, columns[order]) for query in BANDWIDTH_QUERIES}
                      for order in orders}
        self.touched = {order: bytes_read(stores[order], folder) for order in orders}
        self.refused = [label_of(query) for query in QUERIES if stores[main].is_refused(body_of(query))]
        nbytes = {order: self.named[order] | self.touched[order] for order in orders}
        self.times = time_queries(stores, databases, single, main, nbytes, nruns)
        self.in_a_row = time_in_a_row(single, stores[main], queries_above_2_ms(self.times), nruns)
        self.nothing_ns = time_nothing(databases["tuned"])
        for engine in [*stores.values(), single, *databases.values()]:
            engine.close()
        self.kernels = time_kernels(build, store, nruns)
        self.firsts = common.first_answers(build, store, threads, body_of("q11"), NFIRST_ANSWERS)
        self.minutes = (time.monotonic() - begin) / 60


def report(options, machine, measured, orders, main):
    times, threads = measured.times, options["THREADS"]
    firsts = [ns / 1e6 for ns in measured.firsts]
    header = ratio_header("time passed", orders, main)
    return [
        f"## Star Schema Benchmark, SF {options['SF']}", "",
        *machine.describe(options, "bench/ssb/run.py"), "",
        f"{threads} threads for every engine but one. Medians / minima of {options['RUNS']} runs in turns; "
        f"ratios are of medians, DuckDB's to vcube's. \"1 thread\" is {order_label(main)}. The least query, `SELECT 1`, takes "
        f"DuckDB {measured.nothing_ns / 1e6:.2f} ms. Timing took {measured.minutes:.0f} minutes.", "",
        "### Times", "", *time_table(times, measured.counts, orders), "",
        f"All answers were equal. {measured.threads_line} {common.refused_line(measured.refused)}", "",
        "### Ratios", "",
        *common.table(header, ratio_rows(lambda query, name: times[query][name].median, orders, main)),
        "", "The processor time of all threads, which depends less on what else the machine does:", "",
        *common.table(["milliseconds of processor time, medians", *map(order_label, orders),
                       *FORM_LABELS.values()],
                      [[label_of(query), *(f"{times[query][name].cpu / 1e6:.2f}" for name in [*orders, *FORMS])]
                       for query in QUERIES]), "",
        *common.table(["processor time", *header[1:]],
                      ratio_rows(lambda query, name: times[query][name].cpu, orders, main)), "",
        "### Threads", "", *thread_table(measured, main, threads), "",
        "### Kernels", "", *kernel_table(measured.kernels), "",
        "Their answers were the same bytes.", "",
        "### Memory bandwidth", "",
        *bandwidth_table(times, orders, measured.named, measured.touched), "",
        "### Opening", "",
        f"Start of a process until its first answer (Q1.1, {order_label(main)}), file in the page cache: "
        f"{statistics.median(firsts):.1f} ms, median of {len(firsts)} processes ({min(firsts):.1f} to "
        f"{max(firsts):.1f})."]


def main():
    options = common.options_of(__doc__, SF="1", RUNS="15", LOADS="3", KEEP="", MEMORY="8GB",
                                ORDERS="file,date,date.month+supplier")
    options["KEEP"] = options["KEEP"] or ("all" if float(options["SF"]) <= 1 else "csv")
    if options["KEEP"] not in ("all", "csv", "none"):
        sys.exit(__doc__)
    common.enter_environment(options)
    machine = common.Machine()
    build = common.make(options, "vcube", "bench/ssb_generate", "bench/query")
    orders = options["ORDERS"].split(",")
    main_order = data.own_order() if data.own_order() in orders else orders[0]
    folder = data.generate(build, options["SF"])
    loads = load_all(build, folder, options)
    measured = Measured(build, folder, options, orders, main_order)
    lines = report(options, machine, measured, orders, main_order)
    if loads["star"]:
        lines += ["", "### Loading", "", *load_lines(folder, loads, orders)]
    common.write_block(options, f"ssb SF={options['SF']}", lines)
    clean(folder, options["KEEP"])


if __name__ == "__main__":
    main()
