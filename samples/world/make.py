#!/usr/bin/env python3
"""Make the CSV files of this sample from the source tables (README.md lists them).

    python3 make.py SOURCE_FOLDER [OUTPUT_FOLDER]

The same sources give the same bytes. Python's standard library only.
"""
import csv
import gzip
import io
import os
import sys
from collections import defaultdict
from decimal import Decimal

FIRST_YEAR, LAST_YEAR = 1990, 2023
FX_LAST_YEAR = 2025  # two years more than the primary has: unmatched years, on purpose
WB_FIRST_YEAR = 2000
UN_YEARS = [*range(1990, 2021, 5), 2025, 2030]  # the last two are projections, unmatched too
CITY_MIN_POPULATION = 15000
BROAD_AGES = ("0-14", "15-64", "65+")

# Members that ISO 3166-1 does not list, with what the sources say about them.
EXTRA_MEMBERS = [
    {"iso3": "CHI", "iso2": "", "m49": "830", "name": "Channel Islands", "region": "Europe",
     "subregion": "Northern Europe", "income_group": "high_income", "capital": "", "currency": "GBP"},
    {"iso3": "XKX", "iso2": "XK", "m49": "", "name": "Kosovo", "region": "Europe",
     "subregion": "Southern Europe", "income_group": "upper_middle_income", "capital": "Pristina",
     "currency": "EUR"},
]

# The exchange rates name countries. A currency that the euro replaced keeps its own code.
# Venezuela is left out: its one series runs through three currencies and 11 powers of ten.
CURRENCIES = {
    "Australia": "AUD", "Austria": "ATS", "Belgium": "BEF", "Brazil": "BRL", "Canada": "CAD",
    "China": "CNY", "Denmark": "DKK", "Euro": "EUR", "Finland": "FIM", "France": "FRF",
    "Germany": "DEM", "Greece": "GRD", "Hong Kong": "HKD", "India": "INR", "Ireland": "IEP",
    "Italy": "ITL", "Japan": "JPY", "Malaysia": "MYR", "Mexico": "MXN", "Netherlands": "NLG",
    "New Zealand": "NZD", "Norway": "NOK", "Portugal": "PTE", "Singapore": "SGD",
    "South Africa": "ZAR", "South Korea": "KRW", "Spain": "ESP", "Sri Lanka": "LKR",
    "Sweden": "SEK", "Switzerland": "CHF", "Taiwan": "TWD", "Thailand": "THB",
    "United Kingdom": "GBP",
}


def read(folder, path):
    """All rows as dicts, blanks (U+00A0 among them) off the values."""
    full = os.path.join(folder, path)
    opened = gzip.open(full, "rt", encoding="utf-8", newline="") if full.endswith(".gz") \
        else open(full, encoding="utf-8", newline="")
    with opened as file:
        return [{k: v.strip() for k, v in row.items()} for row in csv.DictReader(file)]


def write(folder, path, columns, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    with open(os.path.join(folder, path), "wb") as file:
        if path.endswith(".gz"):
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=9, mtime=0) as packed:
                packed.write(data)
        else:
            file.write(data)


def geo_rows(source):
    income = {r["iso3166_1_alpha3"]: r["income_groups"] for r in read(source, "gapminder/country.csv")}
    members = list(EXTRA_MEMBERS)
    for row in read(source, "codes/country-codes.csv"):
        iso3 = row["ISO3166-1-Alpha-3"]
        region, subregion = row["Region Name"], row["Sub-region Name"]
        if iso3 == "ATA":
            region = subregion = "Antarctica"
        members.append({
            "iso3": iso3, "iso2": row["ISO3166-1-Alpha-2"],
            "m49": row["M49"].zfill(3), "name": row["CLDR display name"],
            "region": region, "subregion": subregion,
            "income_group": income.get(iso3, ""),
            "capital": row["Capital"], "currency": row["ISO4217-currency_alphabetic_code"]})
    for member in members:
        member["income_group"] = member["income_group"].replace("_", " ") or "unclassified"
    return sorted(members, key=lambda m: m["iso3"])


def country_stats(source, countries):
    """(iso3, year) -> [population, gdp, co2, life expectancy], as text, blank where missing."""
    years = {str(y) for y in range(FIRST_YEAR, LAST_YEAR + 1)}
    facts = defaultdict(lambda: ["", "", "", ""])
    for place, path, digits in ((0, "wb/population.csv", "1"), (1, "wb/gdp.csv", "0.01")):
        for row in read(source, path):
            if row["Country Code"] in countries and row["Year"] in years and row["Value"]:
                value = Decimal(row["Value"]).quantize(Decimal(digits))
                facts[row["Country Code"], row["Year"]][place] = f"{value:f}"
    iso3_of = {r["country"]: r["iso3166_1_alpha3"] for r in read(source, "gapminder/country.csv")}
    for row in read(source, "gapminder/fasttrack.csv.gz"):
        iso3 = iso3_of[row["geo"]]
        if row["year"] not in years or iso3 not in countries:
            continue
        if row["co2_terr"]:  # tonnes in the source, whatever its documentation says
            facts[iso3, row["year"]][2] = f"{Decimal(row['co2_terr']).scaleb(-6).quantize(Decimal('0.001')):f}"
        if row["lex"]:
            facts[iso3, row["year"]][3] = row["lex"]
    return [(*key, *values) for key, values in sorted(facts.items()) if any(values)]


def city_rows(source, country_names):
    admin1 = {r["code"]: r["name"] for r in read(source, "cities/geonames-admin1.csv")}
    rows = []
    for row in read(source, "cities/geonames-cities1000.csv.gz"):
        if int(row["population"]) < CITY_MIN_POPULATION and row["is_capital"] != "1":
            continue
        country, region = row["country_alpha2"], row["admin1"]
        rows.append((row["geoname_id"], row["name"], country, country_names[country], region,
                     admin1.get(f"{country}.{region}", region), row["feature_code"], row["is_capital"],
                     row["lat"], row["lon"],
                     row["population"] if row["population"] != "0" else ""))  # 0 says: not known
    return sorted(rows, key=lambda r: (r[2], int(r[0])))


def fx_rows(source):
    rows = []
    for row in read(source, "fx/exchange-rates-monthly.csv"):
        year, month, _ = row["Date"].split("-")
        if row["Country"] in CURRENCIES and FIRST_YEAR <= int(year) <= FX_LAST_YEAR:
            rows.append((CURRENCIES[row["Country"]], year, month, row["Exchange rate"]))
    return sorted(rows)


def currency_rows(source):
    """Names of the currencies; where a code is listed more than once the first entry names it."""
    names = {}
    for row in read(source, "codes/currency-codes.csv"):
        names.setdefault(row["AlphabeticCode"], row["Currency"])
    return [(code, names[code]) for code in sorted(CURRENCIES.values())]


def un_rows(source):
    """Thousands of people by location, year, sex and broad age; exact to the source's three digits."""
    sums = defaultdict(Decimal)
    years = {str(y) for y in UN_YEARS}
    for row in read(source, "unpop/wpp2019-age5-sex.csv.gz"):
        if row["year"] not in years:
            continue
        first_age = int(row["age5"].split("_")[0].replace("plus", ""))
        age = BROAD_AGES[0] if first_age < 15 else BROAD_AGES[1] if first_age < 65 else BROAD_AGES[2]
        sex = {"1": "male", "2": "female"}[row["sex"]]
        sums[int(row["m49"]), row["year"], sex, age] += Decimal(row["population_thousands"])
    return [(*key, f"{value:.3f}") for key, value in sorted(sums.items())]


def wb_rows(source):
    """Names, and (code, year, population, inflation): all codes, the aggregates among them."""
    names, facts = {}, defaultdict(lambda: ["", ""])
    for place, path, name, value in ((0, "wb/population.csv", "Country Name", "Value"),
                                     (1, "wb/inflation-consumer.csv", "Country", "Inflation")):
        for row in read(source, path):
            if WB_FIRST_YEAR <= int(row["Year"]) <= LAST_YEAR and row[value]:
                names.setdefault(row["Country Code"], row[name])
                facts[row["Country Code"], row["Year"]][place] = \
                    row[value] if place == 0 else f"{Decimal(row[value]).quantize(Decimal('0.0001')):f}"
    return sorted(names.items()), [(*key, *values) for key, values in sorted(facts.items())]


def main():
    source = sys.argv[1]
    output = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
    members = geo_rows(source)
    columns = ["iso3", "iso2", "m49", "name", "region", "subregion", "income_group", "capital", "currency"]
    write(output, "geo.csv", columns, [[m[c] for c in columns] for m in members])
    countries = {m["iso3"] for m in members}
    write(output, "country_stats.csv",
          ["iso3", "year", "population", "gdp_usd", "co2_mt", "life_expectancy"],
          country_stats(source, countries))
    write(output, "cities.csv.gz",
          ["geoname_id", "name", "country_iso", "country_name", "admin1", "admin1_name",
           "feature_code", "is_capital", "lat", "lon", "population"],
          city_rows(source, {m["iso2"]: m["name"] for m in members}))
    write(output, "currencies.csv", ["code", "name"], currency_rows(source))
    write(output, "fx.csv", ["currency", "year", "month", "per_usd"], fx_rows(source))
    un = un_rows(source)
    names = {int(r["country"]): r["name"] for r in read(source, "unpop/wpp2019-location.csv")}
    write(output, "un_locations.csv", ["m49", "name"], [(m, names[m]) for m in sorted({r[0] for r in un})])
    write(output, "un_population.csv", ["m49", "year", "sex", "age", "thousands"], un)
    wb_names, wb = wb_rows(source)
    write(output, "wb_codes.csv", ["code", "name"], wb_names)
    write(output, "wb_series.csv", ["code", "year", "population", "inflation"], wb)


if __name__ == "__main__":
    main()
