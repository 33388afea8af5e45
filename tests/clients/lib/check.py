"""Checks of one client test: each is counted, all are run, and what failed is told."""

import os
import sys
import traceback

URL = os.environ["VCUBE_URL"]  # tests/clients/run sets it
_counts = {"passed": 0, "failed": 0}


def check(function):
    """Run a function; what it raises is a failure of this check alone. A decorator."""
    try:
        function()
        _counts["passed"] += 1
    except Exception:
        _counts["failed"] += 1
        print(f"FAILED {function.__name__}")
        traceback.print_exc(file=sys.stdout)
    return function


def done():
    """The last line of a test, which tests/clients/run adds up."""
    print(f"{_counts['passed']} passed, {_counts['failed']} failed")
    sys.exit(1 if _counts["failed"] else 0)
