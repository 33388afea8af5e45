#!/usr/bin/env python3
"""The Star Schema Benchmark, vcube beside DuckDB, in one run.

    bench/ssb/run.py [SF=1] [RUNS=7] [LOADS=3] [THREADS=all] [BUILD=build] [DUCKDB=newest]

Builds what it needs, installs DuckDB into BUILD/venv, generates the data into BUILD/ssb/SF, loads it
into vcube and into three forms of DuckDB tables, checks that all answers are equal, and times the
queries: per query, the engines take turns run by run, all in processes that are up. Prints the
tables and puts them into bench/RESULTS.md, in place of those of the same scale factor.
"""
import gc
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOUSE = HERE.parent.parent
RESULTS = HERE.parent / "RESULTS.md"
QUERIES = ["q11", "q12", "q13", "q21", "q22", "q23", "q31", "q32", "q33", "q34", "q41", "q42", "q43"]
TABLES = ["customer", "supplier", "part", "date", "lineorder"]
FORMS = ["star", "flat", "tuned"]

# Columns of the facts that a query's names stand for (ssb.json), and by which its rows are ordered;
# rows that are equal there may come in any order.
MEASURE_COLUMNS = {"revenue": ["lo_revenue"], "discounted": ["lo_discounted"],
                   "profit": ["lo_revenue", "lo_supplycost"]}
ORDERED_BY = {"q3": [2, 3]}


def options_of(arguments):
    options = {"SF": "1", "RUNS": "7", "LOADS": "3", "THREADS": str(len(os.sched_getaffinity(0))),
               "BUILD": "build", "DUCKDB": "newest"}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in options or not value:
            sys.exit(__doc__)
        options[name] = value
    return options


def install_duckdb(build, version):
    """Go on inside a virtual environment that has DuckDB, made when it is not there."""
    python = build / "venv" / "bin" / "python"
    if Path(sys.prefix) == python.parent.parent:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
    wanted = "duckdb" if version == "newest" else f"duckdb=={version}"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-U", wanted],
                   check=True)
    os.execv(python, [str(python), *sys.argv])


def generate(build, scale):
    data = build / "ssb" / scale
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "complete").exists():
        subprocess.run([build / "bench/ssb_generate", scale, data], check=True)
        (data / "complete").touch()
    shutil.copy(HERE / "ssb.json", data / "ssb.json")
    return data


# ---- loading ----

STAR_COLUMNS = {
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


def load_star(data, threads):
    """In a process of its own, so that its memory can be told: the columns of vcube's cube, no more,
    in the narrowest types. Prints the seconds, without starting Python."""
    import duckdb
    path = data / "star.duckdb"
    begin = time.perf_counter()
    connection = duckdb.connect(str(path), config={"threads": threads})
    for table, columns in STAR_COLUMNS.items():
        names = ", ".join(column.split()[0] for column in columns)
        types = ", ".join("'%s': '%s'" % tuple(column.split()) for column in columns)
        connection.execute(f"CREATE TABLE {table} AS SELECT {names} FROM "
                           f"read_csv('{data / table}.csv', header = true, types = {{{types}}})")
    connection.execute("CHECKPOINT")
    connection.close()
    print(time.perf_counter() - begin)


def run_measured(command):
    """Seconds, CPU seconds, peak memory in bytes, standard output."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, messages = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed: {messages.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.decode()


def load_all(build, data, threads, nloads):
    """Load into both, in turns. Per engine a list of (seconds, CPU seconds, peak bytes)."""
    loads = {"vcube": [], "duckdb": []}
    for _ in range(nloads):
        shutil.rmtree(data / "store", ignore_errors=True)
        loads["vcube"].append(
            run_measured([build / "vcube", "load", "-d", data / "store", data / "ssb.json"])[:3])
        for path in data.glob("*.duckdb*"):
            path.unlink()
        _, cpu, peak, output = run_measured([sys.executable, __file__, "load-star", data, str(threads)])
        loads["duckdb"].append((float(output), cpu, peak))
    return loads


def make_forms(data, threads):
    """The flattened table, and the one that is tuned: texts as ENUMs, rows in order of the date."""
    import duckdb
    attributes = ["c_city", "c_nation", "c_region", "s_city", "s_nation", "s_region", "p_mfgr",
                  "p_category", "p_brand1", "d_yearmonth"]
    numbers = ["d_year", "d_yearmonthnum", "d_weeknuminyear", "lo_orderdate", "lo_quantity",
               "lo_discount", "lo_revenue", "lo_supplycost", "lo_discounted"]
    joined = ("star.lineorder JOIN star.customer ON lo_custkey = c_custkey "
              "JOIN star.supplier ON lo_suppkey = s_suppkey JOIN star.part ON lo_partkey = p_partkey "
              "JOIN star.date ON lo_orderdate = d_datekey")
    for form in ("flat", "tuned"):
        connection = duckdb.connect(str(data / f"{form}.duckdb"), config={"threads": threads})
        connection.execute(f"ATTACH '{data / 'star.duckdb'}' AS star (READ_ONLY)")
        texts, order = attributes, ""
        if form == "tuned":
            table_of = {"c": "customer", "s": "supplier", "p": "part", "d": "date"}
            for name in attributes:
                connection.execute(f"CREATE TYPE {name}_type AS ENUM (SELECT DISTINCT {name} FROM "
                                   f"star.{table_of[name[0]]} ORDER BY {name})")
            texts = [f"{name}::{name}_type AS {name}" for name in attributes]
            order = "ORDER BY lo_orderdate"
        connection.execute(f"CREATE TABLE lineorder_flat AS SELECT {', '.join(texts + numbers)} "
                           f"FROM {joined} {order}")
        connection.execute("CHECKPOINT")
        connection.close()


# ---- the engines ----

class Vcube:
    def __init__(self, build, data, threads):
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [build / "bench/ssb_query", data / "store", str(threads), "ssb"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.ask("run", HERE / "queries/q11.json")
        self.first_answer_ns = (time.perf_counter() - begin) * 1e9

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"ssb_query ended at: {' '.join(map(str, words))}")
        return line

    def run(self, query):
        return tuple(map(int, self.ask("run", HERE / f"queries/{query}.json").split()[:2]))

    def answer(self, query):
        answer = json.loads(self.ask("answer", HERE / f"queries/{query}.json"))
        shown = [i for i, name in enumerate(answer["columns"]) if not name.endswith("_label")]
        return [tuple(row[i] for i in shown) for row in answer["rows"]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Duckdb:
    def __init__(self, data, form, threads):
        import duckdb
        self.form = "star" if form == "star" else "flat"
        self.connection = duckdb.connect(str(data / f"{form}.duckdb"), read_only=True,
                                         config={"threads": threads})
        self.texts = {query: (HERE / f"queries/{query}.{self.form}.sql").read_text()
                      for query in QUERIES}

    def run(self, query):
        cpu, begin = time.process_time_ns(), time.perf_counter_ns()
        self.connection.execute(self.texts[query]).fetchall()
        end = time.perf_counter_ns()
        return end - begin, time.process_time_ns() - cpu

    def answer(self, query):
        return self.connection.execute(self.texts[query]).fetchall()

    def close(self):
        self.connection.close()


def check_answers(engines):
    """All answers must be equal, and in the order that was asked for. Returns the rows of each."""
    counts = {}
    for query in QUERIES:
        answers = {name: engine.answer(query) for name, engine in engines.items()}
        expected = answers["star"]
        columns = ORDERED_BY.get(query[:2])
        for name, rows in answers.items():
            is_same = sorted(rows) == sorted(expected)
            if columns is None:
                is_same &= rows == expected
            else:
                is_same &= ([[row[i] for i in columns] for row in rows] ==
                            [[row[i] for i in columns] for row in expected])
            if not is_same:
                sys.exit(f"{query}: {name} answers {rows[:3]}..., {len(rows)} rows; "
                         f"star answers {expected[:3]}..., {len(expected)} rows")
        counts[query] = len(expected)
    return counts


def time_queries(engines, nruns):
    """Per query and engine lists of nanoseconds, passed and of processor time; the engines take
    turns."""
    times = {query: {name: [] for name in engines} for query in QUERIES}
    cpu_times = {query: {name: [] for name in engines} for query in QUERIES}
    gc.disable()
    for query in QUERIES:
        for engine in engines.values():
            engine.run(query)
        for _ in range(nruns):
            for name, engine in engines.items():
                passed, cpu = engine.run(query)
                times[query][name].append(passed)
                cpu_times[query][name].append(cpu)
    gc.enable()
    return times, cpu_times


def bytes_of(query, columns):
    """Stored bytes of the fact columns that a query names."""
    body = json.loads((HERE / f"queries/{query}.json").read_text())
    names = {condition["member"].split(".")[0] for condition in body["filters"]}
    names |= {axis["dim"] for axis in body.get("dimensions", [])}
    if "cut" in body:
        names.add(body["cut"].partition("@")[0])
    for measure in body["measures"]:
        names.update(MEASURE_COLUMNS[measure])
    return sum(columns[name] for name in names)


# ---- the report ----

def milliseconds(times):
    return f"{statistics.median(times) / 1e6:.2f} / {min(times) / 1e6:.2f}"


def ratio(times, other, ours):
    return statistics.median(times[other]) / statistics.median(times[ours])


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|---" + "|---:" * (len(header) - 1) + "|"]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def query_table(times, counts):
    rows, ratios = [], {"flat": [], "tuned": [], "vcube_1": []}
    for query in QUERIES:
        of = times[query]
        for name, values in ratios.items():
            values.append(ratio(of, name, "vcube"))
        rows.append([f"Q{query[1]}.{query[2]}", counts[query], milliseconds(of["vcube"]),
                     milliseconds(of["vcube_1"]), *(milliseconds(of[form]) for form in FORMS),
                     *(f"{values[-1]:.2f}" for values in ratios.values())])
    rows.append(["geometric mean", *[""] * 6,
                 *(f"{geometric_mean(values):.2f}" for values in ratios.values())])
    return table(["query", "rows", "vcube", "vcube, 1 thread", "DuckDB star", "flattened", "tuned",
                  "flattened / vcube", "tuned / vcube", "1 thread / all"], rows)


def cpu_table(cpu_times):
    rows, ratios = [], {form: [] for form in FORMS}
    for query in QUERIES:
        of = cpu_times[query]
        for form, values in ratios.items():
            values.append(ratio(of, form, "vcube"))
        rows.append([f"Q{query[1]}.{query[2]}",
                     *(milliseconds(of[name]) for name in ("vcube", *FORMS)),
                     *(f"{values[-1]:.2f}" for values in ratios.values())])
    rows.append(["geometric mean", *[""] * 4,
                 *(f"{geometric_mean(values):.2f}" for values in ratios.values())])
    return table(["processor time", "vcube", "DuckDB star", "flattened", "tuned", "star / vcube",
                  "flattened / vcube", "tuned / vcube"], rows)


def bandwidth_table(vcube, times, columns, nruns):
    rows = []
    for query in ("q11", "q12", "q13", "q21"):
        nbytes = bytes_of(query, columns)
        sums = [int(vcube.ask("sum", nbytes)) for _ in range(nruns + 1)][1:]
        ours, sum_ns = statistics.median(times[query]["vcube"]), statistics.median(sums)
        rows.append([f"Q{query[1]}.{query[2]}", f"{nbytes / 1e6:.1f}", f"{nbytes / ours:.2f}",
                     f"{nbytes / sum_ns:.2f}", f"{sum_ns / ours:.3f}"])
    return table(["query", "MB in its columns", "vcube GB/s", "plain sum GB/s", "share"], rows)


def load_table(data, loads):
    rows = []
    store = (data / "store/vcube.mdb").stat().st_size
    sizes = {"vcube": store, "duckdb": (data / "star.duckdb").stat().st_size}
    for name, label in (("vcube", "vcube"), ("duckdb", "DuckDB read_csv, star")):
        seconds, cpu, peak = zip(*loads[name])
        rows.append([label, f"{statistics.median(seconds):.2f} / {min(seconds):.2f}",
                     f"{statistics.median(cpu):.2f}", f"{max(peak) / 2**20:.0f}",
                     f"{sizes[name] / 2**20:.1f}"])
    for form in ("flat", "tuned"):
        rows.append([f"DuckDB {form}", "", "", "",
                     f"{(data / f'{form}.duckdb').stat().st_size / 2**20:.1f}"])
    faster = (statistics.median(load[0] for load in loads["duckdb"]) /
              statistics.median(load[0] for load in loads["vcube"]))
    return table(["load", "seconds, median / min", "CPU seconds", "peak MiB", "file MiB"], rows) + [
        "", f"DuckDB takes {faster:.2f} times as long as vcube; vcube's file is "
        f"{store / sizes['duckdb']:.2f} of DuckDB's."]


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True, cwd=HOUSE).stdout.partition("\n")[0]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def describe(options, threads):
    import duckdb
    commit = first_line(["git", "rev-parse", "--short=12", "HEAD"])
    is_changed = first_line(["git", "status", "--porcelain", "--untracked-files=no", "--", "*.c", "*.h"])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"## Star Schema Benchmark, SF {options['SF']}", "",
        f"`bench/ssb/run.py SF={options['SF']} RUNS={options['RUNS']} LOADS={options['LOADS']} "
        f"THREADS={threads}` on {time.strftime('%Y-%m-%d')}, commit {commit}"
        f"{' with local changes' if is_changed else ''}.", "",
        f"{processor()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {platform.release()}; "
        f"{first_line(['cc', '--version'])}; DuckDB {duckdb.__version__}; Python "
        f"{platform.python_version()}; load average at the end {os.getloadavg()[0]:.1f}. "
        f"{threads} threads for every engine. Milliseconds, median / minimum; ratios of medians.", ""]


def write_results(scale, lines):
    begin, end = f"<!-- ssb SF={scale} -->", f"<!-- end of ssb SF={scale} -->"
    text = RESULTS.read_text() if RESULTS.exists() else "# Results\n"
    block = "\n".join([begin, *lines, end])
    if begin in text:
        text = text[:text.index(begin)] + block + text[text.index(end) + len(end):]
    else:
        text = text.rstrip("\n") + "\n\n" + block + "\n"
    RESULTS.write_text(text)


def main():
    if sys.argv[1:2] == ["load-star"]:
        load_star(Path(sys.argv[2]), int(sys.argv[3]))
        return
    options = options_of(sys.argv[1:])
    build = HOUSE / options["BUILD"]
    threads, nruns = int(options["THREADS"]), int(options["RUNS"])
    programs = [f"{options['BUILD']}/{name}" for name in ("vcube", "bench/ssb_generate", "bench/ssb_query")]
    subprocess.run(["make", "-s", f"-j{threads}", f"BUILD={options['BUILD']}", *programs], cwd=HOUSE,
                   check=True)
    install_duckdb(build, options["DUCKDB"])
    data = generate(build, options["SF"])
    loads = load_all(build, data, threads, int(options["LOADS"]))
    make_forms(data, threads)
    Vcube(build, data, threads).close()  # so that the next one finds the file in the page cache
    vcube = Vcube(build, data, threads)
    engines = {"vcube": vcube, "vcube_1": Vcube(build, data, 1),
               **{form: Duckdb(data, form, threads) for form in FORMS}}
    counts = check_answers(engines)
    times, cpu_times = time_queries(engines, nruns)
    columns = json.loads(vcube.ask("columns"))
    lines = describe(options, threads) + query_table(times, counts)
    lines += ["", "All answers were equal. The processor time of all threads, which depends less on what "
              "else the machine does:", ""] + cpu_table(cpu_times) + [""]
    lines += bandwidth_table(vcube, times, columns, nruns)
    lines += [""] + load_table(data, loads) + [
        "", f"Start of a process until its first answer (Q1.1), file in the page cache: "
        f"{vcube.first_answer_ns / 1e6:.1f} ms."]
    for engine in engines.values():
        engine.close()
    print("\n".join(lines))
    write_results(options["SF"], lines)


if __name__ == "__main__":
    main()
