"""What the benches share: options, DuckDB in its own environment, the engines, measuring, reports."""
import gc
import http.client
import json
import math
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

BENCH = Path(__file__).resolve().parent
HOUSE = BENCH.parent
NPROCESSORS = len(os.sched_getaffinity(0))


# ---- options, programs ----

def options_of(usage, **defaults):
    """NAME=VALUE arguments; for a name that is not among the defaults, the usage and the end."""
    options = {"BUILD": "build", "DUCKDB": "newest", "THREADS": str(NPROCESSORS),
               "RESULTS": str(BENCH / "RESULTS.md"), **defaults}
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name not in options or not value:
            sys.exit(usage)
        options[name] = value
    return options


def enter_environment(options):
    """Go on inside a virtual environment below BUILD that has DuckDB, made when it is not there."""
    python = HOUSE / options["BUILD"] / "venv/bin/python"
    if Path(sys.prefix) == python.parent.parent:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
    version = options["DUCKDB"]
    wanted = "duckdb" if version == "newest" else f"duckdb=={version}"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-U", wanted],
                   check=True)
    os.execv(python, [str(python), *sys.argv])


def make(options, *programs):
    """Build programs ("vcube", "bench/query"). Returns the folder of builds."""
    folder = HOUSE / options["BUILD"]
    build = folder.relative_to(HOUSE) if folder.is_relative_to(HOUSE) else folder  # as the Makefile has it
    subprocess.run(["make", "-s", f"-j{NPROCESSORS}", f"BUILD={build}",
                    *(f"{build}/{program}" for program in programs)], cwd=HOUSE, check=True)
    return folder


def generate(program, arguments, folder):
    """Let a generator write into a folder, unless it did."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "complete").exists():
        subprocess.run([program, *map(str, arguments), folder], check=True)
        (folder / "complete").touch()


# ---- loading ----

class Load:
    """One load: seconds passed, CPU seconds, largest resident set in bytes."""

    def __init__(self, seconds, cpu, peak):
        self.seconds, self.cpu, self.peak = seconds, cpu, peak


def run_measured(command, text=""):
    """A Load of the whole process, and its standard output."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(text.encode())
    process.stdin.close()
    output, messages = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {messages.decode()}")
    return Load(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024), output.decode()


def load_vcube(build, store, definitions, threads):
    """Load definitions into an empty store."""
    shutil.rmtree(store, ignore_errors=True)
    command = [build / "vcube", "load", "-d", store, *definitions]
    usage = subprocess.run([build / "vcube", "load", "--help"], capture_output=True, text=True).stdout
    if "--threads" in usage:
        command += ["--threads", str(threads)]
    return run_measured(command)[0]


LOAD_DUCKDB = """
import json, sys, time, duckdb
begin, cpu = time.perf_counter(), time.process_time()
connection = duckdb.connect(sys.argv[1], config={"threads": int(sys.argv[2])})
connection.execute("SET enable_progress_bar = false")
for statement in json.load(sys.stdin):
    connection.execute(statement)
connection.execute("CHECKPOINT")
connection.close()
print(time.perf_counter() - begin, time.process_time() - cpu)
"""


def remove_database(path):
    for suffix in ("", ".wal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def load_duckdb(path, statements, threads):
    """Run statements on an empty database file, in a process of their own so that its memory can be
    told. Time and CPU are without the start of Python."""
    remove_database(path)
    load, output = run_measured([sys.executable, "-c", LOAD_DUCKDB, path, str(threads)],
                                json.dumps(statements))
    seconds, cpu = map(float, output.split())
    return Load(seconds, cpu, load.peak)


def create_from_csv(table, path, columns):
    """CREATE TABLE of some columns of a CSV file, ["name TYPE"]."""
    types = ", ".join("'%s': '%s'" % tuple(column.split()) for column in columns)
    names = ", ".join(column.split()[0] for column in columns)
    return (f"CREATE TABLE {table} AS SELECT {names} FROM "
            f"read_csv('{path}', header = true, types = {{{types}}})")


# ---- the engines ----

class Vcube:
    """A bench/query process over a store. A query is the path of a JSON body."""

    def __init__(self, build, store, threads, kernels=None):
        environment = {**os.environ, **({"VCUBE_KERNELS": kernels} if kernels else {})}
        self.process = subprocess.Popen([build / "bench/query", store, str(threads)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.opening_ns = int(self.process.stdout.readline() or sys.exit("bench/query did not start"))

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench/query ended at: {' '.join(map(str, words))}")
        return line

    def run(self, query):
        """Nanoseconds passed, and of processor time."""
        return tuple(map(int, self.ask("run", query).split()[:2]))

    def rows(self, query):
        """The rows of the answer without the columns of labels; numbers are exact."""
        answer = json.loads(self.ask("answer", query), parse_float=Decimal)
        shown = [i for i, name in enumerate(answer["columns"]) if not name.endswith("_label")]
        return [tuple(row[i] for i in shown) for row in answer["rows"]]

    def touched(self, query, folder):
        """Stored bytes that answering a query read, after zones were skipped, as its explanation tells;
        None when it tells an estimate only."""
        body = {**json.loads(Path(query).read_text()), "explain": True}
        path = folder / "explained.json"
        path.write_text(json.dumps(body))
        explained = json.loads(self.ask("answer", path))["meta"]["explain"]
        path.unlink()
        scans = [scan for scan in explained["scans"] if not scan["derived"]]
        return sum(scan["bytes"] for scan in scans) if explained["executed"] else None

    def is_refused(self, query):
        """Would a server refuse it, because it may need more memory than is allowed by default?"""
        estimate, limit = map(int, self.ask("memory", query).split())
        return estimate > limit

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Duckdb:
    """A connection that only reads. A query is an SQL text. Its time is until the rows are objects of
    Python; for a long answer, whose objects would cost more than itself, until they are written as
    CSV to /dev/null."""

    def __init__(self, path, threads):
        import duckdb
        self.connection = duckdb.connect(str(path), read_only=True, config={"threads": threads})
        self.connection.execute("SET enable_progress_bar = false")

    def run(self, query, is_long=False):
        if is_long:
            query = f"COPY ({query}) TO '/dev/null' (FORMAT csv)"
        cpu, begin = time.process_time_ns(), time.perf_counter_ns()
        self.connection.execute(query).fetchall()
        end = time.perf_counter_ns()
        return end - begin, time.process_time_ns() - cpu

    def rows(self, query):
        return self.connection.execute(query).fetchall()

    def close(self):
        self.connection.close()


def first_answers(build, store, threads, query, nprocesses):
    """Nanoseconds from the start of a process until its first answer, for several processes."""
    times = []
    for _ in range(nprocesses):
        begin = time.perf_counter_ns()
        vcube = Vcube(build, store, threads)
        vcube.ask("run", query)
        times.append(time.perf_counter_ns() - begin)
        vcube.close()
    return times


def check_threads(build, store, queries, counts=(1, 2, 3, 8)):
    """The answers of a store must be the same bytes for any number of threads."""
    queries, expected = list(queries), None
    for count in counts:
        vcube = Vcube(build, store, count)
        answers = [vcube.ask("answer", query) for query in queries]
        vcube.close()
        for query, answer, other in zip(queries, answers, expected or answers):
            if answer != other:
                sys.exit(f"{query}: {count} threads answer {answer[:200]}; {counts[0]} answer "
                         f"{other[:200]}")
        expected = answers
    return f"The answers are the same bytes with {', '.join(map(str, counts))} threads."


def refused_line(refused):
    """A line of the report, of the labels of the queries that are refused by default."""
    if not refused:
        return "None is refused for the memory that it may need."
    return f"Refused unless `--max-memory` is raised, which it was here: {', '.join(refused)}."


class Times:
    """Of a query and an engine: nanoseconds passed and of processor time, a pair per run."""

    def __init__(self):
        self.runs = []

    @property
    def median(self):
        return statistics.median(passed for passed, _ in self.runs)

    @property
    def cpu(self):
        return statistics.median(cpu for _, cpu in self.runs)

    def __str__(self):
        return f"{self.median / 1e6:.2f} / {min(passed for passed, _ in self.runs) / 1e6:.2f}"


def take_turns(tasks, nruns):
    """tasks: {query: {engine: what to call, which returns (passed, cpu)}}. Each query is run once by
    every engine, and then nruns times, the engines taking turns in an order that changes, so that
    none always finds the caches as the same other left them. {query: {engine: Times}}."""
    times = {query: {name: Times() for name in engines} for query, engines in tasks.items()}
    order = random.Random(42)
    gc.disable()
    for query, engines in tasks.items():
        for run in engines.values():
            run()
        for _ in range(nruns):
            for name in order.sample(list(engines), len(engines)):
                times[query][name].runs.append(engines[name]())
    gc.enable()
    return times


# ---- servers ----

SERVERS = []  # that run
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A process that serves on 127.0.0.1 until it is closed."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        SERVERS.append(self)
        found, said = None, ""
        while found is None:  # warnings come first
            line = self.process.stdout.readline()
            said += line
            found = re.search(r"https?://127\.0\.0\.1:(\d+)", line)
            if not line:
                sys.exit(f"{command[0]} did not start: {said}")
        self.port = int(found.group(1))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, name):
        """Bytes of a field of its status: VmHWM, VmRSS, RssAnon."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024

    def forget_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def ask(self, target, **headers):
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, response.getheaders(), body

    def close(self):
        self.process.terminate()
        self.process.wait()
        SERVERS.remove(self)


def serve(build, store, *options):
    return Server(build / "vcube", "serve", "-d", store, "--listen", "127.0.0.1:0", *options)


def close_servers():
    for server in list(SERVERS):
        server.close()


# ---- the report ----

def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def yes(is_reached):
    return "yes" if is_reached else "no"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|---" + "|---:" * (len(header) - 1) + "|"]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def median_seconds(loads):
    return statistics.median(load.seconds for load in loads)


def load_row(label, loads, file_bytes, nrows=None, csv_bytes=None):
    """A row of a table of loads: seconds, [rows per second, MB per second,] CPU, memory, file."""
    seconds, rates = median_seconds(loads), []
    if nrows is not None:
        rates = [f"{nrows / seconds / 1e6:.2f}", f"{csv_bytes / seconds / 1e6:.0f}"]
    return [label, f"{seconds:.2f} / {min(load.seconds for load in loads):.2f}", *rates,
            f"{statistics.median(load.cpu for load in loads):.2f}",
            f"{max(load.peak for load in loads) / 2**20:.0f}", f"{file_bytes / 2**20:.1f}"]


LOAD_COLUMNS = ["seconds, median / min", "CPU seconds", "peak MiB", "file MiB"]
RATE_COLUMNS = [LOAD_COLUMNS[0], "million rows/s", "CSV MB/s", *LOAD_COLUMNS[1:]]


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=HOUSE).stdout.partition("\n")[0]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


class Machine:
    """What else the machine did meanwhile: made at the beginning, described at the end."""

    def __init__(self):
        self.load_average, self.ticks = os.getloadavg()[0], self.read_ticks()

    @staticmethod
    def read_ticks():
        return list(map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]))

    def describe(self, options, command, peer=None):
        """The command, the commit, the machine and the versions, in two paragraphs. peer: what is
        measured with, when it is not DuckDB."""
        if peer is None:
            import duckdb
            peer = f"DuckDB {duckdb.__version__}"
        commit = first_line("git", "rev-parse", "--short=12", "HEAD")
        is_changed = first_line("git", "status", "--porcelain", "--untracked-files=no", "--", "*.c",
                                "*.h")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        spent = [after - before for before, after in zip(self.ticks, self.read_ticks())]
        names = [name for name in options if name not in ("BUILD", "DUCKDB", "RESULTS")]
        return [
            f"`{command} {' '.join(f'{name}={options[name]}' for name in names)}` on "
            f"{time.strftime('%Y-%m-%d')}, commit {commit}{' with local changes' if is_changed else ''}.",
            "", f"{processor()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {platform.release()}; "
            f"{first_line('cc', '--version')}; {peer}; Python "
            f"{platform.python_version()}. Load average {self.load_average:.1f} at the beginning, "
            f"{os.getloadavg()[0]:.1f} at the end; {100 * spent[7] / max(1, sum(spent[:8])):.1f} % of the "
            f"processors' time was stolen by the host."]


def write_block(options, name, lines):
    """Print lines, and put them into RESULTS.md in place of the block of that name; a new one comes
    before the notes."""
    print("\n".join(lines), flush=True)
    path = Path(options["RESULTS"])
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = path.read_text() if path.exists() else "# Results\n"
    block = "\n".join([begin, *lines, end])
    if begin in text:
        text = text[:text.index(begin)] + block + text[text.index(end) + len(end):]
    else:
        at = text.find("\n## Notes")
        at = len(text) if at < 0 else at
        text = text[:at].rstrip("\n") + "\n\n" + block + "\n" + text[at:]
    path.write_text(text)
