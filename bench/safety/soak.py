#!/usr/bin/env python3
"""Does a server stay as it is, when it is asked, loaded and changed for an hour?

    bench/safety/soak.py [MINUTES=60] [REQUESTS=20000000] [RATE=3000] [CONNECTIONS=64] [SAMPLES=FILE]
                         [HANGUP=yes] [BUILD=build] [DIR=build/safety] [RESULTS=FILE]

Ends after MINUTES or REQUESTS, whichever is first. RATE requests a second, 0: as many as are answered. They are
kept and computed answers, dear ones, 304s, members, facts, and such as are refused. Meanwhile a cube is loaded again
and again, defined anew, and one comes and goes; the sums of the loaded cube are looked at, and must be
those of one of the last two loads; the server gets SIGHUP unless HANGUP=no. Each second its memory and open
files are noted (SAMPLES, CSV). What counts is memory that is not of files (RssAnon), from the second quarter
on: the slope of a line through it, and by how much the last quarter's median is above the second's.
"""
import json
import os
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import client  # noqa: E402
import common  # noqa: E402
import store as stores  # noqa: E402

SLICE_S = 20
MIB = 2**20
WORLD = "/v1/cubes/world/aggregate?drilldown=geo:region&cut=date:{}&measures=pop,gdp,cpop"
DEAR = "/v1/cubes/large/aggregate?drilldown=item:group|place&cache=off&limit=10"
ALLOWED = {"kept": (200,), "computed": (200, 503), "dear": (200, 503), "known": (200, 304),
           "members": (200,), "facts": (200, 503), "days": (200,), "text": (200,), "body": (200,),
           "refused": (400, 404, 405, 406, 415, 422)}


def requests(port):
    """(weight, label, bytes) of everything that is asked."""
    tag = client.once(port, "GET", WORLD.format(2015))[1]["ETag"]
    query = json.dumps({"cube": "golden_left", "drilldown": ["country"]}).encode()
    found = [(300, "kept", client.get(WORLD.format(year))) for year in range(2000, 2020)]
    found += [(40, "computed", client.get(WORLD.format(year) + "&cache=off")) for year in range(2000, 2020)]
    found += [(10, "dear", client.get(DEAR))]
    found += [(900, "known", client.get(WORLD.format(2015), f"If-None-Match: {tag}"))]
    found += [(100, "members", client.get(f"/v1/cubes/world/dimensions/geo/members?q={letter}&limit=20"))
              for letter in "abcdefghij"]
    found += [(20, "facts", client.get("/v1/cubes/world/facts?cut=date:2015&limit=50"))]
    found += [(200, "days", client.get("/v1/cubes/days/aggregate?drilldown=day")),
              (50, "days", client.get("/v1/cubes/days")), (50, "text", client.get("/metrics")),
              (50, "text", client.get("/healthz")), (20, "text", client.get("/")),
              (100, "body", client.raw("POST", "/v1/query", body=query))]
    found += [(30, "refused", client.get(target)) for target in (
        "/v1/cubes/nope", "/v1/cubes/world/aggregate?drilldown=nope", "/nope", "/v1/cubes?x=1",
        "/v1/cubes/world/aggregate?cut=geo:Atlantis")]
    found += [(30, "refused", client.raw("POST", "/v1/query", body=b'{"cube": ' + b"[" * 200)),
              (20, "refused", client.raw("GET", "/healthz", "X(y): 1")),
              (20, "refused", client.raw("POST", "/v1/query", body=b"x", content_type="text/plain"))]
    return found


class Changes(threading.Thread):
    """Loads, definitions and reloads, until it is told to end."""

    def __init__(self, server, hangs_up):
        super().__init__(daemon=True)
        self.server, self.hangs_up, self.is_over = server, hangs_up, False
        self.counts, self.problems = {"loads": 0, "definitions": 0, "hangups": 0, "sums": 0}, []

    def do(self, what, statuses, *arguments, **named):
        status, _, body = client.once(self.server.port, *arguments, **named)
        if status not in statuses:
            self.problems.append(f"{what}: {status} {body[:300]!r}")
        return body

    def load(self, salt):
        body, total = stores.days(salt)
        self.do("load", (200,), "POST", "/v1/cubes/days/load?mode=replace", body, Content_Type="text/csv")
        answer = json.loads(self.do("sum", (200,), "GET", "/v1/cubes/days/aggregate"))
        if answer["cells"][0]["n"] != total:
            self.problems.append(f"load {salt}: the sum is {answer['cells'][0]['n']}, expected {total}")
        self.counts["loads"] += 1
        self.counts["sums"] += 1

    def define(self, salt):
        text = json.dumps(stores.definition_of_days(f"the {salt}th")).encode()
        self.do("definition", (200,), "PUT", "/v1/cubes/days", text, Content_Type="application/json")
        other = json.dumps({**stores.definition_of_days("another"), "name": "other"}).encode()
        self.do("new", (200, 201), "PUT", "/v1/cubes/other", other, Content_Type="application/json")
        self.do("drop", (200, 204), "DELETE", "/v1/cubes/other")
        self.counts["definitions"] += 2

    def run(self):
        salt = 0
        while not self.is_over:
            try:
                salt += 1
                self.load(salt)
                if salt % 3 == 0:
                    self.define(salt)
                if self.hangs_up and salt % 4 == 0:
                    os.kill(self.server.process.pid, signal.SIGHUP)
                    self.counts["hangups"] += 1
            except Exception as problem:  # to be told at the end
                self.problems.append(f"{time.strftime('%H:%M:%S')} {problem!r}")
            time.sleep(2)


class Samples(threading.Thread):
    """A row each second: seconds, RssAnon, VmRSS, descriptors, threads, bytes of the store."""

    def __init__(self, server, path, store):
        super().__init__(daemon=True)
        self.server, self.store, self.rows, self.is_over = server, store, [], False
        self.file = open(path, "w")
        self.file.write("seconds,anonymous,resident,descriptors,threads,store\n")

    def run(self):
        begin = time.monotonic()
        while not self.is_over:
            pid = self.server.process.pid
            if self.server.process.poll() is not None:
                return
            row = (round(time.monotonic() - begin, 1), self.server.memory("RssAnon"), self.server.memory("VmRSS"),
                   client.ndescriptors(pid), len(os.listdir(f"/proc/{pid}/task")),
                   (self.store / "vcube.mdb").stat().st_blocks * 512)
            self.rows.append(row)
            self.file.write(",".join(map(str, row)) + "\n")
            self.file.flush()
            time.sleep(1)


def slope(points):
    """Of a line through points, by least squares."""
    mean_x = statistics.fmean(x for x, _ in points)
    mean_y = statistics.fmean(y for _, y in points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / max(1e-9, sum((x - mean_x) ** 2 for x, _ in points))


def judge(rows):
    """From the second quarter on: MiB an hour, MiB of growth, and the most and least descriptors."""
    rows = rows[len(rows) // 4:]
    third = len(rows) // 3
    anonymous = [(row[0] / 3600, row[1] / MIB) for row in rows]
    growth = (statistics.median(y for _, y in anonymous[-third:])
              - statistics.median(y for _, y in anonymous[:third]))
    descriptors = [row[3] for row in rows]
    return {"MiB/h": slope(anonymous), "growth": growth, "median": statistics.median(y for _, y in anonymous),
            "most": max(y for _, y in anonymous), "descriptors": (min(descriptors), max(descriptors)),
            "threads": max(row[4] for row in rows), "store": rows[-1][5] / MIB}


def serve(build, store):
    """By a configuration, which can be reloaded, with a role for those without a token. Few answers
    are kept, so that they have all been replaced by others many times."""
    path = store.parent / "soak.json"
    everything = {"may": ["read", "load", "define", "backup", "metrics"], "cubes": {"*": {}}}
    path.write_text(json.dumps({"store": str(store), "listen": "127.0.0.1:0", "limits": {"cache": "8Mi"},
                                "roles": {"all": everything}, "anonymous": "all"}))
    path.chmod(0o600)
    return common.Server(build / "vcube", "serve", "--config", path)


def soak(build, store, minutes, nrequests, rate, connections, samples, hangs_up):
    """A dictionary of what happened."""
    server = serve(build, store)
    sampling, changing = Samples(server, samples, store), Changes(server, hangs_up)
    wanted = requests(server.port)
    sampling.start()
    changing.start()
    begin, asked, wrong, errors, statuses = time.monotonic(), 0, {}, {}, {}
    while asked < nrequests and time.monotonic() - begin < minutes * 60 and server.process.poll() is None:
        seconds = min(SLICE_S, max(1, minutes * 60 - (time.monotonic() - begin)))
        outcome = client.ask(build, server.port, seconds, connections, rate, wanted, seed=asked + 1)
        asked += outcome.count()
        for (label, status), row in outcome.rows.items():
            statuses[label, status] = statuses.get((label, status), 0) + row["count"]
        for found, into in ((outcome.wrong(ALLOWED), wrong), (outcome.errors, errors)):
            for name, count in found.items():
                into[name] = into.get(name, 0) + count
    passed = time.monotonic() - begin
    changing.is_over = sampling.is_over = True
    changing.join()
    sampling.join()
    time.sleep(1)  # connections that were closed are seen
    final = client.ndescriptors(server.process.pid)
    server.close()
    return {"minutes": passed / 60, "requests": asked, "statuses": statuses, "wrong": wrong,
            "errors": {name: count for name, count in errors.items() if count}, "problems": changing.problems,
            "changes": changing.counts, "first descriptors": sampling.rows[0][3],
            "last descriptors": final, "exit": server.process.returncode, **judge(sampling.rows)}


def main():
    options = common.options_of(__doc__, MINUTES="60", REQUESTS="20000000", RATE="3000", CONNECTIONS="64",
                                SAMPLES="", HANGUP="yes", DIR="")
    build = common.make(options, "vcube", "bench/http_client")
    folder = Path(options["DIR"] or build / "safety")
    store = stores.make(build, folder)
    machine = common.Machine()
    found = soak(build, store, float(options["MINUTES"]), int(options["REQUESTS"]), float(options["RATE"]),
                 int(options["CONNECTIONS"]), options["SAMPLES"] or folder / "samples.csv",
                 options["HANGUP"] == "yes")
    is_good = not (found["wrong"] or found["errors"] or found["problems"] or found["exit"])
    lines = ["### An hour and more", "", *machine.describe(options, "bench/safety/soak.py", "http_client"), "",
             f"{found['requests']:,} requests in {found['minutes']:.1f} minutes "
             f"({found['requests'] / found['minutes'] / 60:,.0f} a second); {found['changes']}.",
             f"Anonymous memory: median {found['median']:.1f} MiB, most {found['most']:.1f} MiB, from the second to the last "
             f"quarter {found['growth']:+.2f} MiB, slope {found['MiB/h']:+.2f} MiB an hour. Descriptors: "
             f"{found['first descriptors']} before, {found['descriptors'][0]} to {found['descriptors'][1]} meanwhile, "
             f"{found['last descriptors']} after; {found['threads']} threads; the store has {found['store']:.0f} MiB.",
             f"Wrong: {found['wrong'] or 'nothing'}; errors: {found['errors'] or 'none'}; "
             f"problems: {found['problems'][:5] or 'none'}; exit status {found['exit']}: "
             f"{common.yes(is_good)}.", "", "| asked | " + " | ".join("status count".split()) + " |", "|---|---:|---:|"]
    lines += [f"| {label} | {status} | {count:,} |" for (label, status), count in sorted(found["statuses"].items())]
    common.write_block(options, "soak", lines)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    try:
        main()
    finally:
        common.close_servers()
