"""The data of the bench of virtual cubes, as vcube and DuckDB load it: a shop that is generated, and
the United Nations' population by country, year, age and sex."""
import csv
import gzip
import json
import shutil
from pathlib import Path

import common

HERE = Path(__file__).resolve().parent
WORLD = common.HOUSE / "samples/world"
UN_FILE = "wpp2019-age5-sex.csv.gz"

SHOP_COLUMNS = {
    "sales": ["item VARCHAR", "store VARCHAR", "day DATE", "units UTINYINT", "revenue INTEGER"],
    "items": ["item VARCHAR", "gtin14 VARCHAR", "department VARCHAR", "category VARCHAR",
              "family VARCHAR", "shelf VARCHAR"],
    "stores": ["store VARCHAR", "region VARCHAR"],
    "products": ["gtin VARCHAR", "department VARCHAR", "category VARCHAR", "family VARCHAR",
                 "name VARCHAR"],
    "stock": ["gtin VARCHAR", "stock INTEGER"],
    "listings": ["listing INTEGER", "theme VARCHAR", "gtin VARCHAR", "clicks INTEGER"],
}
UN_COLUMNS = ["m49 USMALLINT", "year USMALLINT", "age5 VARCHAR", "sex UTINYINT",
              "population_thousands DECIMAL(9,3)"]
GEO_COLUMNS = ["m49 VARCHAR", "iso3 VARCHAR", "region VARCHAR", "subregion VARCHAR"]


# ---- the shop ----

def generate_shop(build, nproducts, nsales):
    """The folder of the CSV files and definitions."""
    folder = build / "virtual" / f"shop-{nproducts}-{nsales}"
    common.generate(build / "bench/virtual_generate", [nproducts, nsales], folder)
    for definition in HERE.glob("shop/*.json"):
        shutil.copy(definition, folder)
    return folder


def shop_statements(folder, tables=SHOP_COLUMNS):
    """The tables as the CSV files have them."""
    return [common.create_from_csv(table, folder / f"{table}.csv", SHOP_COLUMNS[table])
            for table in tables]


# Keys as numbers, normalised once; what is grouped by as ENUMs. The order of rows is the file's,
# which is that of the days.
def tuned_shop_statements(plain):
    texts = {"department": "products", "category": "products", "family": "products",
             "shelf": "items", "region": "stores", "theme": "listings"}
    def enum(name):
        return f"{name}::{name}_type AS {name}"
    item, gtin = "substr(item, 2)::INTEGER AS item", "gtin::BIGINT AS gtin"
    store = "substr(store, 2)::USMALLINT AS store"
    groups = ", ".join(map(enum, ["department", "category", "family"]))
    tables = {
        "sales": f"{item}, {store}, day, year(day)::USMALLINT AS year, units, revenue",
        "items": f"{item}, gtin14::BIGINT AS gtin, {groups}, {enum('shelf')}",
        "stores": f"{store}, {enum('region')}",
        "products": f"{gtin}, {groups}, name",
        "stock": f"{gtin}, stock",
        "listings": f"listing, {enum('theme')}, {gtin}, clicks",
    }
    return [f"ATTACH '{plain}' AS plain (READ_ONLY)",
            *(f"CREATE TYPE {name}_type AS ENUM (SELECT DISTINCT {name} FROM plain.{table} ORDER BY "
              f"{name})" for name, table in texts.items()),
            *(f"CREATE TABLE {table} AS SELECT {columns} FROM plain.{table}"
              for table, columns in tables.items())]


# ---- the United Nations' population ----

def find_un(folder):
    """The UN's file in a folder of data, or None."""
    path = Path(folder) / "world/unpop" / UN_FILE
    return path if path.exists() else None


def prepare_un(build, source):
    """The folder of the CSV files and definitions: the UN's facts as they are, its countries with
    the regions of samples/world, and the country cube of samples/world."""
    folder = build / "virtual/un"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / UN_FILE)
    for path in [*HERE.glob("un/*.json"), WORLD / "geo.json", WORLD / "geo.csv",
                 WORLD / "country_stats.json", WORLD / "country_stats.csv"]:
        shutil.copy(path, folder)
    with gzip.open(source, "rt") as file:
        codes = sorted({int(row["m49"]) for row in csv.DictReader(file)})
    with open(WORLD / "geo.csv", newline="") as file:
        regions = {int(row["m49"]): row for row in csv.DictReader(file) if row["m49"]}
    with open(folder / "un_countries.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["m49", "region", "subregion"])
        for code in codes:
            writer.writerow([code, regions[code]["region"], regions[code]["subregion"]])
    return folder


def un_statements(folder):
    return [common.create_from_csv("population", folder / UN_FILE, UN_COLUMNS)]


def tuned_un_statements(folder, plain):
    """Texts as ENUMs, codes as numbers, the rows in the file's order, which is that of the
    countries."""
    types = {"age5": "plain.population", "region": "geo_texts", "subregion": "geo_texts"}
    geo = common.create_from_csv("geo_texts", folder / "geo.csv", GEO_COLUMNS)
    own = common.create_from_csv("un_texts", folder / "un_countries.csv",
                                 ["m49 USMALLINT", "region VARCHAR", "subregion VARCHAR"])
    groups = "region::region_type AS region, subregion::subregion_type AS subregion"
    return [f"ATTACH '{plain}' AS plain (READ_ONLY)", geo.replace("TABLE", "TEMP TABLE", 1),
            own.replace("TABLE", "TEMP TABLE", 1),
            *(f"CREATE TYPE {name}_type AS ENUM (SELECT DISTINCT {name} FROM {table} WHERE {name} IS "
              f"NOT NULL ORDER BY {name})" for name, table in types.items()),
            f"CREATE TABLE geo AS SELECT m49::USMALLINT AS m49, iso3, {groups} FROM geo_texts "
            "WHERE m49 IS NOT NULL",
            f"CREATE TABLE un_countries AS SELECT m49, {groups} FROM un_texts",
            "CREATE TABLE population AS SELECT m49, year, age5::age5_type AS age5, sex, "
            "population_thousands FROM plain.population"]


def count_rows(path):
    """Lines after the header, and bytes as they are without compression."""
    opening = gzip.open if path.suffix == ".gz" else open
    nlines = nbytes = 0
    with opening(path, "rb") as file:
        while block := file.read(1 << 20):
            nlines += block.count(b"\n")
            nbytes += len(block)
    return nlines - 1, nbytes


def write_body(folder, name, body):
    """Write the JSON body of a query. Returns its path."""
    path = folder / "queries" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(body))
    return path
