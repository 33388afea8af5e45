#!/usr/bin/env python3
"""How many reports a second, how much memory for a table of a million cells, and what does kill -9 leave?

    bench/report/run.py [RUNS=5] [ROWS=5000] [COLUMNS=200] [BUILD=build] [RESULTS=FILE]

The country profile of samples/world (four figures with changes, two charts, two tables), one file for each of 216
countries, by the command, start of the process and sync to the disk included, formats taking turns. Then a
pivot of ROWS x COLUMNS numbers, each of one fact, as CSV and as a workbook: memory is the largest resident set
of the process beyond that of the same report of one row. Prints tables in Markdown and puts them into RESULTS.
"""
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common  # noqa: E402

PROFILE = common.HOUSE / "samples/world/reports/profile.json"
WANTED = {"html": 200, "pdf": 40, "xlsx": 60}
MIB = 2**20


def run(command):
    """Seconds, processor seconds, bytes of the largest resident set."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: {said}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def sweeps(build, store, folder, nruns):
    """{format: [(seconds, processor seconds, bytes)]}"""
    times = {name: [] for name in WANTED}
    for i in range(nruns + 1):  # the first run is not counted
        for name in WANTED:
            out = folder / f"out-{name}"
            shutil.rmtree(out, ignore_errors=True)
            found = run([build / "vcube", "report", "-q", "-d", store, PROFILE, "-o", out, "--format", name])
            if i > 0:
                times[name].append(found)
    return times


def make_table(folder, nrows, ncolumns):
    """A cube with a fact for each cell, and a report of it; and one of a single row."""
    chance = random.Random(1)
    with open(folder / "table.csv", "w") as file:
        file.write("row,column,value\n")
        for row in range(nrows):
            file.writelines(f"r{row:05d},c{column:03d},{chance.randrange(1, 10**7) / 100}\n" for column in range(ncolumns))
    (folder / "table.json").write_text(json.dumps({
        "name": "table", "kind": "source", "data": {"csv": "table.csv"},
        "dimensions": [{"name": name, "levels": [name]} for name in ("row", "column")],
        "measures": [{"name": "value", "type": "decimal(2)", "aggregator": "sum", "format": "#,##0.00"}]}))
    for name, cut in (("large", ""), ("small", "row:r00000")):
        (folder / f"{name}.json").write_text(json.dumps({
            "kind": "report", "name": name, "title": "A table", "cube": "table", "sections": [
                {"kind": "pivot", "id": "table",
                 "query": {"drilldown": "row|column", "measures": "value", **({"cut": cut} if cut else {})}}]}))


def tables(build, store, folder, nruns):
    """{format: (seconds, growth in bytes, bytes of the file)}"""
    found = {}
    for name in ("csv", "xlsx"):
        rows = []
        for _ in range(nruns):
            sizes = {}
            for spec in ("small", "large"):
                out = folder / f"out-{spec}"
                shutil.rmtree(out, ignore_errors=True)
                sizes[spec] = run([build / "vcube", "report", "-q", "-d", store, folder / f"{spec}.json", "-o", out,
                                   "--format", name, "--jobs", "1"])
            rows.append((sizes["large"][0], sizes["large"][2] - sizes["small"][2]))
        file = max((folder / "out-large").glob(f"*.{name}"), key=lambda path: path.stat().st_size)
        found[name] = (statistics.median(row[0] for row in rows), max(row[1] for row in rows), file.stat().st_size)
    return found


def main():
    options = common.options_of(__doc__, RUNS="5", ROWS="5000", COLUMNS="200")
    build = common.make(options, "vcube")
    folder = (build / "report").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nruns, nrows, ncolumns = (int(options[name]) for name in ("RUNS", "ROWS", "COLUMNS"))
    machine = common.Machine()
    store = folder / "store"
    make_table(folder, nrows, ncolumns)
    common.load_vcube(build, store, [common.HOUSE / "samples/world", folder / "table.json"], common.NPROCESSORS)
    times = sweeps(build, store, folder, nruns)
    cells = tables(build, store, folder, nruns)
    nfiles = len(list((folder / "out-html").glob("*.html")))
    lines = ["### Reports", "", *machine.describe(options, "bench/report/run.py", "vcube"), "",
             f"The country profile, {nfiles} files, {nruns} runs; medians, in brackets the fastest run.", "",
             "| format | files/s | asked for | processor ms a file | largest resident set |", "|---|---:|---:|---:|---:|"]
    for name, rows in times.items():
        rate = nfiles / statistics.median(row[0] for row in rows)
        best = nfiles / min(row[0] for row in rows)
        cpu = 1000 * statistics.median(row[1] for row in rows) / nfiles
        most = max(row[2] for row in rows) / MIB
        lines.append(f"| {name} | {rate:,.0f} ({best:,.0f}) | {WANTED[name]} | {cpu:.2f} | {most:.0f} MiB |")
    lines += ["", f"A pivot of {nrows:,} x {ncolumns:,} numbers, memory beyond that of one of its rows.", "",
              "| format | whole run | growth | asked for | file |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {name} | {seconds:.2f} s | {growth / MIB:.1f} MiB | 64 MiB | {size / 1e6:.1f} MB |"
              for name, (seconds, growth, size) in cells.items()]
    common.write_block(options, "report", lines)


if __name__ == "__main__":
    main()
