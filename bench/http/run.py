#!/usr/bin/env python3
"""What does a request to vcube serve cost, beside a bare handler of libmicrohttpd?

    bench/http/run.py [SECONDS=3] [RUNS=5] [CONNECTIONS=64] [THREADS=2] [ROWS=5000000] [LARGE=3]
                      [BUILD=build] [RESULTS=FILE]

Small answers: wrk asks for SECONDS, on CONNECTIONS connections that stay open, what each of these
serves: the bare handler, which answers the bytes of the slice with as many headers; the slice, kept; a
304; slices that are not kept. They take turns RUNS times. Large answers: LARGE times a generated cube
of ROWS cells as NDJSON and as CSV, about 1 GB each. And bench/writers. Everything is on 127.0.0.1, at
ports that are free. Prints tables and puts them into bench/RESULTS.md. Needs wrk (a Debian package).
"""
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

SLICE = "/v1/cubes/country_stats/aggregate?drilldown=geo:region&cut=date:2020&measures=population,gdp"
JOINED = "/v1/cubes/world/aggregate?drilldown=geo:region&cut=date:2020&measures=pop"
NPLACES = 1000
LABEL = " of ninety letters which is as long as the titles in catalogues and names in gazetteers are"
MIB = 2**20


# ---- servers ----

def serve_bare(build, folder, headers, body):
    """The same bytes and headers; of those that MHD writes itself there is one of each then, too."""
    path = folder / "body"
    path.write_bytes(body)
    own = ("date", "content-length", "connection")
    return common.Server(build / "bench/http_bare", path,
                  *(text for header in headers if header[0].lower() not in own for text in header))


# ---- small answers ----

class Case:
    """What wrk asks of a server, and what came of it: a list of dictionaries, one per run."""

    def __init__(self, label, server, target, *headers, status=200):
        self.label, self.server, self.target, self.headers, self.runs = label, server, target, headers, []
        found = server.ask(target, **dict(header.split(": ", 1) for header in headers))[0]
        if found != status:
            sys.exit(f"{label}: {target} answers {found}, expected {status}")

    def median(self, name):
        return statistics.median(run[name] for run in self.runs)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def run_wrk(case, options):
    headers = [word for header in case.headers for word in ("-H", header)]
    before = case.server.cpu_seconds()
    output = subprocess.run(["wrk", "--latency", f"-t{options['THREADS']}", f"-c{options['CONNECTIONS']}",
                             f"-d{options['SECONDS']}s", *headers,
                             f"http://127.0.0.1:{case.server.port}{case.target}"],
                            check=True, capture_output=True, text=True).stdout
    cpu = case.server.cpu_seconds() - before
    nrequests = int(re.search(r"(\d+) requests in", output).group(1))
    if nrequests == 0 or "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{case.label}: {output}")
    latency = dict(re.findall(r"^\s+(\d+)%\s+([\d.]+[a-z]+)$", output, re.MULTILINE))
    case.runs.append({
        "rate": float(re.search(r"^Requests/sec:\s+([\d.]+)", output, re.MULTILINE).group(1)),
        "cpu": 1e6 * cpu / nrequests,
        "p50": milliseconds(latency["50"]), "p99": milliseconds(latency["99"])})


def measure_small(build, folder, options):
    store = folder / "world"
    common.load_vcube(build, store, [common.HOUSE / "samples/world"], common.NPROCESSORS)
    server = common.serve(build, store)
    server.ask(SLICE)
    status, headers, body = server.ask(SLICE)  # as it is kept: other timings
    if status != 200:
        sys.exit(f"{SLICE} answers {status}: {body.decode()}")
    bare = Case("bare libmicrohttpd, these bytes", serve_bare(build, folder, headers, body), "/")
    kept = Case("cached slice", server, SLICE)
    known = Case("304 of it", server, SLICE, f"If-None-Match: {dict(headers)['ETag']}", status=304)
    source = Case("uncached slice, source cube", server, SLICE + "&cache=off")
    joined = Case("uncached slice, virtual cube", server, JOINED + "&cache=off")
    cases = [bare, kept, known, source, joined]
    for run in range(int(options["RUNS"])):
        for case in cases if run % 2 == 0 else reversed(cases):
            run_wrk(case, options)
    server.close()
    bare.server.close()
    share = statistics.median(k["rate"] / b["rate"] for k, b in zip(kept.runs, bare.runs))
    faster = statistics.median(n["rate"] / k["rate"] for n, k in zip(known.runs, kept.runs))
    goals = {
        bare: "", known: f"{faster:.2f} of cached; at least 1: {common.yes(faster >= 1)}",
        kept: f"{100 * share:.0f} % of bare's requests/s; at least 70 %: {common.yes(share >= 0.7)}; "
              f"at most 25 µs: {common.yes(kept.median('cpu') <= 25)}",
        source: f"at most 150 µs: {common.yes(source.median('cpu') <= 150)}",
        joined: f"at most 150 µs: {common.yes(joined.median('cpu') <= 150)}"}
    rows = [[case.label, f"{case.median('cpu'):.1f}", f"{min(run['cpu'] for run in case.runs):.1f}",
             f"{case.median('rate'):,.0f}", f"{max(run['rate'] for run in case.runs):,.0f}",
             f"{case.median('p50'):.2f}", f"{case.median('p99'):.2f}", goals[case]] for case in cases]
    return len(body), common.table(["answer", "server CPU µs/request", "least", "requests/s", "most",
                                    "p50 ms", "p99 ms", "to reach"], rows)


# ---- large answers ----

def generate_large(folder, nrows):
    """Items by places, all of their cells there, with long labels."""
    nitems = nrows // NPLACES
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "complete").exists():
        return
    for name, count in (("item", nitems), ("place", NPLACES)):
        (folder / f"{name}s.csv").write_text(
            f"{name},title\n" + "".join(f"{name[0].upper()}{i:05},{name.capitalize()} {i:05}{LABEL}\n"
                                        for i in range(count)))
    with open(folder / "facts.csv", "w") as facts:
        facts.write("item,place,quantity\n")
        for i in range(nitems):
            facts.write("".join(f"I{i:05},P{p:05},{(i * 7919 + p * 104729) % 10007}\n"
                                for p in range(NPLACES)))
    (folder / "large.json").write_text(json.dumps({
        "name": "large", "kind": "source", "data": {"csv": "facts.csv"},
        "dimensions": [{"name": name, "table": {"csv": f"{name}s.csv"}, "key": name, "column": name,
                        "levels": [{"name": name, "key": name, "label": "title"}]}
                       for name in ("item", "place")],
        "measures": [{"name": "quantity", "type": "int", "aggregator": "sum"}]}))
    (folder / "complete").touch()


class Peak(threading.Thread):
    """The largest anonymous memory of a server while it works."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.bytes, self.is_over = server, 0, False

    def run(self):
        while not self.is_over:
            self.bytes = max(self.bytes, self.server.memory("RssAnon"))
            time.sleep(0.01)

    def end(self):
        self.is_over = True
        self.join()
        return self.bytes


def receive(server, target):
    """Bytes of a whole answer; seconds until the first of them and until the last."""
    block = bytearray(MIB)
    begin = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", target)
    response = connection.getresponse()
    first, nbytes = time.perf_counter() - begin, 0
    if response.status != 200:
        sys.exit(f"{target} answers {response.status}: {response.read(1000).decode()}")
    while count := response.readinto(block):
        nbytes += count
    seconds = time.perf_counter() - begin
    connection.close()
    return nbytes, first, seconds


def measure_large(build, folder, options):
    nrows = int(options["ROWS"])
    folder = folder / f"large.{nrows}"
    generate_large(folder, nrows)
    store = folder / "store"
    common.load_vcube(build, store, [folder / "large.json"], common.NPROCESSORS)
    rows = []
    for name in ("ndjson", "csv"):
        target = f"/v1/cubes/large/aggregate?drilldown=item|place&cache=off&format={name}"
        server = common.serve(build, store, "--max-cells", str(4 * nrows), "--max-memory", "16G")
        server.ask("/v1/cubes/large/aggregate?drilldown=item&cache=off")  # the file is mapped and read
        rates, growth, anonymous, cpu, first = [], [], [], [], []
        for _ in range(int(options["LARGE"])):
            server.forget_peak()
            resident, private, before = (server.memory("VmRSS"), server.memory("RssAnon"),
                                         server.cpu_seconds())
            peak = Peak(server)
            peak.start()
            nbytes, waited, seconds = receive(server, target)
            anonymous.append(peak.end() - private)
            growth.append(server.memory("VmHWM") - resident)
            cpu.append(server.cpu_seconds() - before)
            rates.append(nbytes / seconds / 1e6)
            first.append(waited)
        server.close()
        rows.append([name, f"{nbytes / 1e9:.2f}", f"{statistics.median(rates):.0f}",
                     f"{statistics.median(first):.2f}", f"{nbytes / statistics.median(cpu) / 1e6:.0f}",
                     f"{max(growth) / MIB:.0f}", f"{max(anonymous) / MIB:.0f}",
                     f"at least 150 MB/s: {common.yes(statistics.median(rates) >= 150)}; "
                     f"at most 64 MiB: {common.yes(max(growth) <= 64 * MIB)}"])
    shutil.rmtree(store)
    return common.table(["format", "GB", "MB/s", "seconds until the first byte", "MB per second of server CPU",
                         "resident memory grows by MiB", "of it not of files", "to reach"], rows)


def main():
    options = common.options_of(__doc__, SECONDS="3", RUNS="5", CONNECTIONS="64", THREADS="2",
                                ROWS="5000000", LARGE="3")
    if shutil.which("wrk") is None:
        sys.exit("this bench needs wrk: apt-get install wrk")
    machine = common.Machine()
    build = common.make(options, "vcube", "bench/http_bare", "bench/writers")
    folder = build / "http"
    folder.mkdir(parents=True, exist_ok=True)
    size, small = measure_small(build, folder, options)
    large = measure_large(build, folder, options) if int(options["LARGE"]) > 0 else []
    writers = subprocess.run([build / "bench/writers"], check=True, capture_output=True,
                             text=True).stdout.splitlines()
    wrk = re.search(r"wrk (\S+)", subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout)
    lines = ["## HTTP", "", *machine.describe(options, "bench/http/run.py",
                                              f"wrk {wrk.group(1) if wrk else 'unknown'}"),
             "", f"### Small answers: {size} bytes, {options['CONNECTIONS']} connections kept open", "",
             *small]
    if large:
        lines += ["", f"### Large answers: {int(options['ROWS']):,} cells to one client", "", *large]
    lines += ["", "### Writers: MB/s of a thread's processor time, results in memory", "", *writers]
    common.write_block(options, "http", lines)


if __name__ == "__main__":
    try:
        main()
    finally:
        common.close_servers()
