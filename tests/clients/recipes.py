"""Every address of docs/clients.md is asked, and those of the Grafana recipe have the roots and columns that it
names. They are read out of the page, so that it cannot tell of what is no longer so."""

import csv
import io
import json
import os
import re
import urllib.parse
import urllib.request

from lib.check import URL, check, done

with open(os.path.join(os.environ["VCUBE_ROOT"], "docs/clients.md"), encoding="utf-8") as file:
    PAGE = file.read()
SERVER = "http://127.0.0.1:8080"
VARIABLES = {  # as Grafana fills them in
    "${__from:date:YYYY}": "2010",
    "${__to:date:YYYY}": "2020",
    "${region:percentencode}": "Europe",
    "${region:json}": '["Europe", "Asia"]',
}


def fill(text):
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    assert "${" not in text, text
    return text


def fetch(address, body=None):
    quoted = urllib.parse.quote(fill(address).replace(SERVER, URL), safe=":/?&=%,;+")
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(quoted, data=body.encode() if body else None, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.headers["Content-Type"], answer.read()


ADDRESSES = sorted({m.replace("\\|", "|") for m in re.findall(rf"{SERVER}/[^\s`'\"]+", PAGE)})
assert len(ADDRESSES) >= 12, ADDRESSES


def ask_all(address):
    def ask():
        if address.endswith(("/v1/query", "/mondrian-rest/", "/v1/cubes/world/aggregate")):
            return  # a base, which the page adds something to
        content_type, answer = fetch(address)
        assert len(answer) > 20, answer
        if "json" in content_type:
            json.loads(answer)

    ask.__name__ = address
    check(ask)


for one in ADDRESSES:
    ask_all(one)


def read_rows(kind, root, answer):
    if kind == "CSV":
        return list(csv.DictReader(io.StringIO(answer.decode())))
    found = json.loads(answer)
    for step in root.split("."):
        found = found[step]
    return found


QUERIES = re.findall(r"^\| ([^|]+) \| (CSV|JSON) \| `(.+?)` \| (?:`(\w+)`)? ?\| (.+) \|$", PAGE, re.MULTILINE)


@check
def the_recipe_has_its_queries():
    assert len(QUERIES) == 5, QUERIES


def grafana(name, kind, address, root, columns):
    def ask():
        wanted = [c for c in re.findall(r"`([^`]+)`", columns) if not c.startswith("__")]
        rows = read_rows(kind, root, fetch(address.replace("\\|", "|"))[1])
        assert rows and len(wanted) >= 2, rows
        for row in rows:
            for column in wanted:
                assert row[column] is not None, (column, row)

    ask.__name__ = f"grafana: {name}"
    check(ask)


for query in QUERIES:
    grafana(*query)


@check
def a_time_series_has_the_years_that_are_shown():
    (address,) = [q[2] for q in QUERIES if q[0] == "time series"]
    rows = read_rows("CSV", "", fetch(address.replace("\\|", "|"))[1])
    assert [row["date.year"] for row in rows] == [str(year) for year in range(2010, 2021)], rows
    all_regions = fill(address.replace("\\|", "|").replace("${region:percentencode}", "()"))
    assert len(read_rows("CSV", "", fetch(all_regions)[1])) == 5 * 11


@check
def several_values_go_into_a_body():
    (body,) = re.findall(r'^(\{"cube": "world", "drilldown".+?\}\]\})$', PAGE, re.MULTILINE | re.DOTALL)
    rows = read_rows("CSV", "", fetch(f"{SERVER}/v1/query", fill(body))[1])
    assert len(rows) > 80 and {"geo.country", "pop", "gdp"} <= rows[0].keys(), rows[:2]


@check
def power_query_asks_the_same():
    pairs = re.findall(r"(\w+) = \"([^\"]*)\"", re.search(r"\[Query = \[(.+?)\]\]", PAGE).group(1))
    content_type, answer = fetch(f"{SERVER}/v1/cubes/world/aggregate?{urllib.parse.urlencode(pairs)}")
    (address,) = re.findall(rf"^{SERVER}/\S+measures=pop,gdp,cpop&format=csv$", PAGE, re.MULTILINE)
    assert content_type == "text/csv; charset=utf-8" and answer == fetch(address)[1]


done()
