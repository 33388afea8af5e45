"""Workbooks opened by LibreOffice have the numbers and heads of their grids, cell by cell, and the
charts of their sections; those of the samples open, too."""

import csv
import glob
import json
import os
import re
import subprocess
import sys
import zipfile
import xml.etree.ElementTree as xml

FOLDER = os.environ["REPORTS_FOLDER"]
WORK = os.environ["REPORTS_WORK"]
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# A title, its caption, an empty row.
ROWS_ABOVE = 3
# Separated by commas, in UTF-8, numbers as they are kept and not as they are shown, every sheet.
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"

passed = failed = 0


def check(holds, *what):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(*what)


def convert(books):
    out = os.path.join(WORK, "csv")
    os.makedirs(out, exist_ok=True)
    subprocess.run(
        ["soffice", "-env:UserInstallation=file://" + os.path.join(WORK, "office"), "--headless",
         "--convert-to", FILTER, "--outdir", out, *books],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    return out


def sheets_of(book):
    tree = xml.fromstring(zipfile.ZipFile(book).read("xl/workbook.xml"))
    return [sheet.get("name") for sheet in tree.iter(MAIN + "sheet")]


def rows_of(folder, book, sheet):
    name = os.path.basename(book)[: -len(".xlsx")]
    with open(os.path.join(folder, "%s-%s.csv" % (name, sheet)), newline="") as file:
        return list(csv.reader(file))


def squeezed(text):
    """As people read it: without controls, white space once."""
    return " ".join(re.sub("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]", "", text).split())


def is_number(found, expected):
    """Integers and decimals exactly; doubles in the fifteen digits that spreadsheets write."""
    if found == expected:
        return True
    try: # LibreOffice writes percent as such, with all digits
        a = float(found[:-1]) / 100 if found.endswith("%") else float(found)
        b = float(expected)
    except ValueError:
        return False
    return abs(a - b) <= 1e-14 * abs(b) or abs(b) < 1e-307


def check_grid(name, sheet, grid, rows):
    first = ROWS_ABOVE + int(grid["nhead_rows"])
    nheads = int(grid["nhead_columns"])
    check(len(rows) >= first + len(grid["rows"]), name, sheet, "has", len(rows), "rows")
    for number, expected in enumerate(grid["rows"]):
        found = rows[first + number] if first + number < len(rows) else []
        found = found + [""] * (len(expected) - len(found))
        before = None
        for column, value in enumerate(expected):
            where = (name, sheet, number, column, found[column], "in place of", value)
            if column < nheads:
                # "Total" is said once in a row.
                text = "" if value == "Total" and before == "Total" else squeezed(value)
                check(squeezed(found[column]) == text, *where)
                before = value
            elif value is None:
                check(found[column] == "", *where)
            else:
                check(is_number(found[column], value), *where)


def check_fixture(folder, book):
    name = os.path.basename(book)
    # As texts: a number of 18 digits is none in Python's floats either.
    with open(book[: -len(".xlsx")] + ".grids.json") as file:
        grids = json.load(file, parse_int=str, parse_float=str)
    sheets = sheets_of(book)
    check(sheets[0] == "Report" and len(sheets) == len(grids) + 1, name, sheets)
    for sheet, grid in zip(sheets[1:], grids):
        check_grid(name, sheet, grid, rows_of(folder, book, sheet))
    parts = zipfile.ZipFile(book).namelist()
    charts = [part for part in parts if part.startswith("xl/charts/chart")]
    has_any = any(grid["chart"] and grid["rows"] for grid in grids)
    is_cells = name in ("chart-heat.xlsx", "chart-map.xlsx")
    check(bool(charts) == (has_any and not is_cells), name, charts)


books = sorted(glob.glob(FOLDER + "/**/*.xlsx", recursive=True))
# Books of the same name in several folders would be one file of CSV.
fixtures = [book for book in books if os.path.basename(os.path.dirname(book)) == "fixtures"]
folder = convert(fixtures)
for book in fixtures:
    check_fixture(folder, book)
for book in [book for book in books if book not in fixtures][:20]:
    folder = convert([book])
    for sheet in sheets_of(book):
        check(len(rows_of(folder, book, sheet)) > 0, book, sheet)

print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
