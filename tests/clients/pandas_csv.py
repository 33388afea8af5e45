"""pandas reads our CSV by its address."""

import json
import urllib.parse
import urllib.request

import pandas

from lib.check import URL, check, done

QUESTION = {"drilldown": "geo:country", "cut": "date:2020", "measures": "pop,cpop"}


def address(**more):
    return f"{URL}/v1/cubes/world/aggregate?{urllib.parse.urlencode({**QUESTION, **more})}"


@check
def the_frame_has_the_numbers_of_the_records():
    frame = pandas.read_csv(address(format="csv"), keep_default_na=False, na_values=[""])
    with urllib.request.urlopen(address()) as answer:
        cells = json.load(answer)["cells"]
    assert len(frame) == len(cells) > 200
    for row, cell in zip(frame.to_dict("records"), cells):
        assert row["geo.country"] == cell["geo.country"]
        for measure in ("pop", "cpop"):
            is_null = pandas.isna(row[measure])
            assert is_null == (cell[measure] is None), (row, cell)
            assert is_null or row[measure] == cell[measure], (row, cell)


done()
