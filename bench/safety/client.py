"""Requests as bytes, and build/bench/http_client, which sends them and tells what came of it."""
import http.client
import subprocess
import tempfile
from pathlib import Path

HOST = "Host: localhost"


def raw(method, target, *headers, body=b"", content_type="application/json"):
    lines = [f"{method} {target} HTTP/1.1", HOST, *headers]
    if body or method in ("POST", "PUT"):
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines + ["", ""]).encode() + body


def get(target, *headers):
    return raw("GET", target, *headers)


class Outcome:
    """rows: {(label, status): {"count", "mean", "p50", "p99", "p999", "max"}}, times in milliseconds;
    errors: {"reset": 0, ...}."""

    def __init__(self, output, seconds):
        self.rows, self.errors, self.seconds = {}, {}, seconds
        for line in output.splitlines():
            words = line.split()
            if words[0] == "errors":
                self.errors = dict(zip(words[1::2], map(int, words[2::2])))
                continue
            numbers = [int(words[2])] + [int(word) / 1000 for word in words[3:]]
            self.rows[words[0], int(words[1])] = dict(
                zip(("count", "mean", "p50", "p99", "p999", "max"), numbers))

    def of(self, label, status=200):
        return self.rows.get((label, status),
                             dict.fromkeys(("count", "mean", "p50", "p99", "p999", "max"), 0))

    def rate(self, label, status=200):
        return self.of(label, status)["count"] / self.seconds

    def count(self):
        return sum(row["count"] for row in self.rows.values())

    def wrong(self, allowed):
        """What has a status that its label should not have: {label: statuses}; None allows any below
        500."""
        return {f"{label} {status}": row["count"] for (label, status), row in self.rows.items()
                if status >= 500 and status not in (allowed.get(label) or ())
                or allowed.get(label) is not None and status not in allowed[label]}

    def nerrors(self):
        return sum(self.errors.values())


class Asking:
    """A client that runs: requests are (weight, label, bytes). rate 0: as fast as it is answered."""

    def __init__(self, build, port, seconds, connections, rate, requests, seed=1):
        self.seconds = seconds
        self.list = tempfile.NamedTemporaryFile(suffix=".requests")
        for weight, label, request in requests:
            self.list.write(f"{weight} {len(request)} {label}\n".encode() + request)
        self.list.flush()
        self.process = subprocess.Popen(
            [build / "bench/http_client", *map(str, (port, seconds, connections, rate)),
             self.list.name, str(seed)], stdout=subprocess.PIPE, text=True)

    def end(self):
        output = self.process.communicate()[0]
        self.list.close()
        if self.process.returncode != 0:
            raise RuntimeError(f"http_client ended with {self.process.returncode}")
        return Outcome(output, self.seconds)


def ask(*arguments, **named):
    return Asking(*arguments, **named).end()


def once(port, method, target, body=None, timeout=60, **headers):
    """Status, headers and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request(method, target, body=body,
                       headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), data


def ndescriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
