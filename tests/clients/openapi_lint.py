"""/v1/openapi.json is OpenAPI 3.1, and linters have nothing to say of it."""

import json
import os
import subprocess
import tempfile
import urllib.request

from openapi_spec_validator import validate

from lib.check import URL, check, done

with urllib.request.urlopen(f"{URL}/v1/openapi.json") as answer:
    DOCUMENT = json.load(answer)


@check
def is_valid():
    assert DOCUMENT["openapi"].startswith("3.1"), DOCUMENT["openapi"]
    validate(DOCUMENT)


@check
def redocly_finds_nothing():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "openapi.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(DOCUMENT, file, indent=1)
        quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
        lint = subprocess.run(
            # /cubejs-api/v1/sql is there only to be refused, so it has no answer of 200.
            ["node_modules/.bin/redocly", "lint", "--format", "stylish", "--skip-rule", "operation-2xx-response", path],
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            timeout=120,
        )
    said = lint.stdout + lint.stderr
    assert lint.returncode == 0 and "Your API description is valid" in said, said
    assert "warning" not in lint.stdout.lower() and "warnings" not in said, said


done()
