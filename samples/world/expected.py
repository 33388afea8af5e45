#!/usr/bin/env python3
"""Compute coverage.expected.json and answers.expected.json from this folder's CSV files.

    python3 expected.py

Independent of vcube: its own code list (from geo.csv), ../reference.py for the rules.
"""
import os
import sys
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(HERE))
from reference import Calculated, Measure, Source, Virtual, coverage, order_by, ratio, read, relate, write

geo_table = {row["iso3"]: row for row in read(f"{HERE}/geo.csv")}
stats = read(f"{HERE}/country_stats.csv")
cities = read(f"{HERE}/cities.csv.gz")
fx = read(f"{HERE}/fx.csv")
un = read(f"{HERE}/un_population.csv")
wb = read(f"{HERE}/wb_series.csv")
currency_codes = {row["code"]: row["code"] for row in read(f"{HERE}/currencies.csv")}
un_codes = {row["m49"]: row["m49"] for row in read(f"{HERE}/un_locations.csv")}
wb_codes = {row["code"]: row["code"] for row in read(f"{HERE}/wb_codes.csv")}

# ---- keys ----

# ISO 3166-1 and Kosovo. CHI, the Channel Islands, is no code of the list; what else the World Bank
# lists is a group of countries.
ALPHA3 = {iso3: iso3 for iso3 in geo_table if iso3 != "CHI"}
ALPHA3.update({row["iso2"]: iso3 for iso3, row in geo_table.items() if row["iso2"]})


def country(key):
    code = ALPHA3.get(key.strip().upper())
    return [code] if code else []


def is_aggregate(key):
    return not country(key) and key != "CHI"


def column(name):
    return {iso3: row[name] for iso3, row in geo_table.items()}


city_iso = {row["geoname_id"]: row["country_iso"] for row in cities}
capital_iso = {row["geoname_id"]: row["country_iso"] if row["is_capital"] == "1" else None for row in cities}
key_of_geo = {iso3: iso3 for iso3 in geo_table}
years = {row["year"] for row in stats}


def split(key):
    return [part.strip() for part in key.split(",")]


def pad(key):
    return [key.strip().rjust(3, "0")]


def same(key):
    return [key]


def leaves(rows, name):
    return {row[name]: row[name] for row in rows}


def year_relation(rows):
    return relate({year: year for year in years}, leaves(rows, "year"), same, same)


geo_cities = relate(column("iso2"), city_iso, country, country)
geo_capitals = relate(column("iso2"), capital_iso, country, country)
geo_currency = relate(column("currency"), currency_codes, split, split)
geo_location = relate(column("m49"), un_codes, pad, pad)
geo_economy = relate(key_of_geo, wb_codes, country, country)

# ---- coverage ----

EURO_NOW = {"ATS", "BEF", "DEM", "ESP", "FIM", "FRF", "GRD", "IEP", "ITL", "NLG", "PTE"}


def why_currency(code):
    return "replaced by the euro: no country lists it now" if code in EURO_NOW else "unexpected"


def why_year(year):
    return f"the country statistics end in {max(years)}"


def why_economy(code):
    return {"CHI": "Channel Islands: an economy of the World Bank, no code of ISO 3166-1"}.get(code, "unexpected")


def joins():
    def join(cube, source, dim, *arguments, **options):
        return {"cube": cube, "source": source, "dim": dim, **coverage(*arguments, **options)}

    yield join("world", "cities", "geo", geo_cities, city_iso, str)
    yield join("world", "capitals", "geo", geo_capitals, capital_iso, str)
    yield join("world", "fx", "geo", geo_currency, currency_codes, why_currency)
    yield join("world", "fx", "date", year_relation(fx), leaves(fx, "year"), why_year)
    yield join("world", "un", "geo", geo_location, un_codes, str)
    yield join("world", "un", "date", year_relation(un), leaves(un, "year"), why_year)
    for cube in ("world", "world_wb"):
        yield join(cube, "wb", "geo", geo_economy, wb_codes, why_economy, is_aggregate)
        yield join(cube, "wb", "date", year_relation(wb), leaves(wb, "year"), why_year)


# ---- the cube ----

REPEAT_DATE = {"date": "repeat"}
sources = {
    "stats": Source(stats, {"geo": "iso3", "date": "year"}),
    "cities": Source(cities, {"geo": "geoname_id"}, {"geo": geo_cities}, REPEAT_DATE),
    "capitals": Source(cities, {"geo": "geoname_id"}, {"geo": geo_capitals}, REPEAT_DATE),
    "fx": Source(fx, {"geo": "currency", "date": "year", "month": "month"},
                 {"geo": geo_currency, "date": year_relation(fx)}),
    "un": Source(un, {"geo": "m49", "date": "year", "sex": "sex", "age": "age"},
                 {"geo": geo_location, "date": year_relation(un)}),
    "wb": Source(wb, {"geo": "code", "date": "year"}, {"geo": geo_economy, "date": year_relation(wb)}),
}
measures = {
    "pop": Measure("stats", "population", "sum", int, over="year"),
    "gdp": Measure("stats", "gdp_usd", "sum", Decimal),
    "co2": Measure("stats", "co2_mt", "sum", float),
    "life": Measure("stats", "life_expectancy", "avg", float),
    "cpop": Measure("cities", "population", "sum"),
    "largest": Measure("cities", "population", "max"),
    "ncities": Measure("cities", None, "count"),
    "capital_pop": Measure("capitals", "population", "sum"),
    "fx_rate": Measure("fx", "per_usd", "avg", float),
    "un_pop": Measure("un", "thousands", "sum", Decimal, over="year"),
    "wb_pop": Measure("wb", "population", "sum", int, over="year"),
    "inflation": Measure("wb", "inflation", "avg", float),
    "urban": Calculated(["cpop", "pop"], ratio),
    "capital_share": Calculated(["capital_pop", "cpop"], ratio),
    "gdp_per_head": Calculated(["gdp", "pop"], ratio),
    "co2_per_head": Calculated(["co2", "pop"], lambda co2, pop: ratio(co2 * 1000000, pop)),
    "gdp_local": Calculated(["gdp", "fx_rate"], lambda gdp, rate: gdp * rate),
}
levels = {f"geo:{name}": column(name) for name in ("region", "subregion")}
levels["geo:country"] = key_of_geo
levels["geo@income:income_group"] = column("income_group")
levels["date:year"] = {year: year for year in sorted(years)}
levels["sex:sex"] = leaves(un, "sex")
levels["age:age"] = leaves(un, "age")
world = Virtual(sources, measures, levels)


def where(name, *values):
    return {iso3 for iso3, row in geo_table.items() if row[name] in values}


def ask(name, question, names, parameters, drilldown=(), cut=None, **more):
    rows, summary = world.query(names, drilldown, cut)
    parameters = {"measures": ",".join(names), **parameters}
    if drilldown:
        parameters["drilldown"] = "|".join(drilldown)
    order = more.pop("order", None)
    if order:
        rows = order_by(rows, order)
        parameters["order"] = f"{order}:desc"
        more["ordered"] = True
    if "limit" in more:
        limit = more.pop("limit")
        assert len(rows) > limit and rows[limit - 1][order] != rows[limit][order], "a tie at the limit"
        rows = rows[:limit]
        parameters["limit"] = limit
    return {"name": name, "question": question, "cube": "world", "parameters": parameters,
            "summary": summary, "rows": rows, **more}


def aggregates_question():
    """A full join with a source that lists World among the countries, by region in 2020."""
    related = {leaf for found in geo_economy.values() for leaf in found}
    bucket = {code for code in wb_codes if code not in related and not is_aggregate(code)}
    rows, summary = world.query(["pop", "wb_pop"], ["geo:region"], {"date": {"2020"}})

    def population(codes):
        return sum(int(row["population"]) for row in wb
                   if row["code"] in codes and row["year"] == "2020" and row["population"])

    rows.append({"geo.region": "(unmatched:wb)", "pop": None, "wb_pop": population(bucket),
                 "_status": {"pop": "u"}, "_synthetic": ["geo"]})
    assert summary["wb_pop"] == population(related)
    summary["wb_pop"] = population(related | bucket)
    assert 10 * summary["wb_pop"] < population(wb_codes), "the aggregates would have been counted"
    return {"name": "aggregates", "cube": "world_wb",
            "question": "The people of each region in 2020, and again from a source that lists World, Euro area and "
                        "46 other groups as if they were countries: they stay out of bucket and total.",
            "parameters": {"measures": "pop,wb_pop", "drilldown": "geo:region", "cut": "date:2020"},
            "summary": summary, "rows": rows}


def questions():
    yield ask("regions", "How many people live in each region in 2020, and how many of them in cities?",
              ["pop", "cpop", "ncities", "urban"], {"cut": "date:2020"}, ["geo:region"], {"date": {"2020"}})
    yield ask("capitals", "How large are the capitals of Southern Europe, Kosovo's among them?",
              ["pop", "capital_pop", "capital_share"], {"cut": "geo:Europe,Southern Europe|date:2023"},
              ["geo:country"], {"geo": where("subregion", "Southern Europe"), "date": {"2023"}}, order="capital_pop")
    yield ask("not null", "Namibia, whose code NA is no missing value, and whose second currency has a rate.",
              ["pop", "ncities", "capital_pop", "fx_rate"], {"cut": "geo:NAM|date:2023"}, ["geo:country"],
              {"geo": {"NAM"}, "date": {"2023"}})
    yield ask("by index", "Kosovo by its ISO-like code, an index: no numeric code, so nothing from the UN.",
              ["pop", "cpop", "un_pop", "inflation"], {"cut": "geo.iso2:XK|date:2020"}, ["geo:country"],
              {"geo": {"XKX"}, "date": {"2020"}})
    yield ask("split key", "India and Bhutan share the rupee (Bhutan lists INR,BTN); the total counts each rate once.",
              ["gdp", "fx_rate", "gdp_local"], {"cut": "geo:IND;BTN|date:2020"}, ["geo:country"],
              {"geo": {"IND", "BTN"}, "date": {"2020"}}, notices=["overlap"])
    yield ask("before the euro", "What did a dollar cost in Germany around the change of currency?",
              ["fx_rate"], {"cut": "geo:DEU|date:1996-2002"}, ["date:year"],
              {"geo": {"DEU"}, "date": {str(y) for y in range(1996, 2003)}})
    yield ask("private", "France by sex: only the UN knows it.", ["pop", "cpop", "un_pop"],
              {"cut": "geo:FRA|date:2020"}, ["sex:sex"], {"geo": {"FRA"}, "date": {"2020"}})
    yield ask("escaped key", "Children by region in 2020, in thousands; the key 0-14 holds a range sign.",
              ["un_pop"], {"cut": r"date:2020|age:0\-14"}, ["geo:region"], {"date": {"2020"}, "age": {"0-14"}})
    yield ask("last year of each", "People on earth by two sources, each in its last year that has a partner: 2023 and 2020.",
              ["pop", "un_pop", "cpop", "ncities"], {})
    yield ask("years apart", "The UN has every fifth year only.", ["pop", "un_pop"],
              {"cut": "geo:Oceania|date:2018-2021"}, ["date:year"],
              {"geo": where("region", "Oceania"), "date": {"2018", "2019", "2020", "2021"}})
    yield ask("income", "Income per head by income group, another hierarchy of the same countries.",
              ["pop", "gdp", "gdp_per_head"], {"cut": "date:2022"}, ["geo@income:income_group"], {"date": {"2022"}})
    yield ask("most cities", "The ten countries with the most cities; the total is that of all countries.",
              ["ncities", "largest"], {}, ["geo:country"], None, order="ncities", limit=10)
    yield ask("two dimensions", "Emissions of Asia by subregion at either end.", ["co2", "co2_per_head", "life"],
              {"cut": "geo:Asia|date:1990;2020"}, ["geo:subregion", "date:year"],
              {"geo": where("region", "Asia"), "date": {"1990", "2020"}})
    yield ask("no partner", "Israel and Palestine: cities, but no city that the source calls a capital.",
              ["pop", "cpop", "capital_pop"], {"cut": "geo:ISR;PSE"}, ["geo:country"], {"geo": {"ISR", "PSE"}})
    yield aggregates_question()


def main():
    about = "Computed by expected.py from the CSV files beside it; the format is described in samples/README.md."
    write(f"{HERE}/coverage.expected.json", about, "joins", list(joins()))
    write(f"{HERE}/answers.expected.json", about, "questions", list(questions()))


if __name__ == "__main__":
    main()
