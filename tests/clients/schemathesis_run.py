"""Requests made from /v1/openapi.json, each by its operation's schema: none ends in a 5xx, and every
answer is one that the document tells of, in status, media type, headers and schema.

The seed is fixed, and so are the numbers of examples: the run is the same every time, and bounded. Names
that are there are mixed with those that schemathesis makes up, because what is made up is mostly 404.
What writes is only ever asked about names that are made up, so that no other test loses its cubes.
"""

import os
import time
import urllib.request
import json

import hypothesis
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lib.check import URL, check, done

EXAMPLES = int(os.environ.get("VCUBE_EXAMPLES", "15"))  # of each operation
SECONDS = 75  # after these what is left gets one example each
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Writes a copy of the store to a folder of the server's.
EXCLUDED = {"/v1/admin/backup"}
READS = {"/v1/query", "/v1/batch", "/v1/explain"}  # by POST
BEGAN = time.monotonic()


def get(path):
    with urllib.request.urlopen(URL + path) as answer:
        return json.load(answer)


class Names:
    """What is there, so that half of the requests are about something."""

    def __init__(self):
        self.cubes = [cube["name"] for cube in get("/v1/cubes")["cubes"] if " " not in cube["name"]]
        self.models = {cube: get(f"/v1/cubes/{cube}") for cube in self.cubes}

    def path(self, draw, parameters):
        cube = draw(st.sampled_from(self.cubes))
        model = self.models[cube]
        dimension = draw(st.sampled_from(model["dimensions"]))
        hierarchy = draw(st.sampled_from(dimension["hierarchies"]))
        index = draw(st.sampled_from(dimension["indexes"] or [{"name": "key"}]))
        known = {
            "cube": cube,
            "dimension": dimension["name"],
            "hierarchy": hierarchy["name"],
            "level": draw(st.sampled_from(hierarchy["levels"]))["name"],
            "index": index["name"],
        }
        return {name: known.get(name, value) for name, value in parameters.items()}

    def query(self, draw, cube, parameters, is_mondrian):
        model = self.models.get(cube, self.models["world"])
        dimension = draw(st.sampled_from(model["dimensions"]))
        level = draw(st.sampled_from(dimension["hierarchies"][0]["levels"]))["name"]
        measure = draw(st.sampled_from(model["measures"]))["name"]
        if is_mondrian:
            known = {"drilldown[]": [f"[{dimension['name']}].[{level}]"], "measures[]": [measure]}
        else:
            known = {
                "drilldown": f"{dimension['name']}:{level}",
                "measures": measure,
                "order": f"{measure}:desc",
                "having": f"{measure}:gt:0",
                "with": cube,
            }
        return {name: known.get(name, value) for name, value in parameters.items()}


def strategy_of(operation, names):
    is_write = operation.method != "get" and operation.path not in READS

    @st.composite
    def build(draw):
        case = draw(operation.as_strategy())
        if is_write:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = f"schemathesis {case.path_parameters[name]}"
        elif draw(st.booleans()):
            if case.path_parameters:
                case.path_parameters = names.path(draw, case.path_parameters)
            if case.query:
                cube = (case.path_parameters or {}).get("cube")
                case.query = names.query(draw, cube, dict(case.query), "mondrian" in operation.path)
        return case

    return build()


def run(operation, names):
    is_late = time.monotonic() - BEGAN > SECONDS

    @hypothesis.seed(20261123)
    @hypothesis.settings(
        max_examples=1 if is_late else EXAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=strategy_of(operation, names))
    def test(case):
        counts["requests"] += 1
        case.call_and_validate(checks=CHECKS)

    test()


counts = {"requests": 0}
schema = schemathesis.openapi.from_url(f"{URL}/v1/openapi.json")
names = Names()
for result in schema.get_all_operations():
    operation = result.ok()
    if operation.path in EXCLUDED:
        continue

    def one(operation=operation):
        run(operation, names)

    one.__name__ = f"{operation.method.upper()} {operation.path}"
    check(one)
print(f"{counts['requests']} requests in {time.monotonic() - BEGAN:.0f} s")


@check
def the_server_is_still_there():
    assert get("/healthz")["status"] == "ok"


done()
