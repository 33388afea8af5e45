#!/usr/bin/env python3
"""Compute coverage.expected.json and answers.expected.json from this folder's CSV files.

    python3 expected.py

Independent of vcube: ../reference.py for the rules.
"""
import os
import sys
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(HERE))
from reference import Calculated, Measure, Source, Virtual, coverage, order_by, ratio, read, relate, write

sales = read(f"{HERE}/sales.csv")
stock = read(f"{HERE}/stock.csv")
targets = read(f"{HERE}/targets.csv")
products = {row["gtin"]: row for row in read(f"{HERE}/products.csv")}
stores = {row["store"]: row for row in read(f"{HERE}/stores.csv")}
item_code = {row["item"]: row["code"] for row in read(f"{HERE}/items.csv")}
days = sorted({row["day"] for row in sales})

# ---- keys ----


def gtin14(key):
    key = key.strip()
    if key.startswith("GTIN"):
        key = key[4:].strip()
    return [key.rjust(14, "0")]


def folded(key):
    return [" ".join(key.split()).casefold()]


def same(key):
    return [key]


month_of = {day: day[:7] for day in days}
category_of = {gtin: row["category"] for gtin, row in products.items()}
stock_months = {row["month"]: row["month"] for row in stock}
target_months = {row["month"]: row["month"] for row in targets}
target_categories = {row["category"]: row["category"] for row in targets}

product_items = relate({gtin: gtin for gtin in products}, item_code, gtin14, gtin14)
product_targets = relate(category_of, target_categories, folded, folded)
date_stock = relate(month_of, stock_months, same, same)
date_targets = relate(month_of, target_months, same, same)

# ---- coverage ----


def joins():
    def join(cube, source, dim, *arguments, **options):
        return {"cube": cube, "source": source, "dim": dim, **coverage(*arguments, **options)}

    not_sold = {item_code[item]: name for item, name in
                (("ALB-90", "Rooibos"), ("NOR-90", "Candles"), ("SUN-90", "Cola"))}
    for cube in ("shop", "shop_items"):
        yield join(cube, "stock", "product", product_items, item_code,
                   lambda code: f"{not_sold[code]}: offered, but sold in no shop")
        yield join(cube, "stock", "date", date_stock, stock_months, str, units=month_of)
    yield join("shop", "targets", "product", product_targets, target_categories,
               {"Gift cards": "no product of this category"}.__getitem__, units=category_of)
    yield join("shop", "targets", "date", date_targets, target_months,
               lambda month: f"sales end on {days[-1]}", units=month_of)


# ---- the cube ----

sources = {
    "sales": Source(sales, {"product": "gtin", "store": "store", "date": "day"}),
    "stock": Source(stock, {"product": "item", "date": "month"}, {"product": product_items, "date": date_stock},
                    below_grain={"date": {"day"}}),
    "targets": Source(targets, {"product": "category", "date": "month"},
                      {"product": product_targets, "date": date_targets},
                      below_grain={"product": {"product"}, "date": {"day"}}),
}
measures = {
    "revenue": Measure("sales", "revenue", "sum", Decimal),
    "quantity": Measure("sales", "quantity", "sum"),
    "mean_price": Measure("sales", "unit_price", "avg", Decimal),
    "receipts": Measure("sales", "receipt", "count_distinct"),
    "customers": Measure("sales", "customer", "count_distinct"),
    "units": Measure("stock", "units", "sum", int, over="month"),
    "cost": Measure("stock", "cost", "avg", Decimal),
    "items": Measure("stock", "item", "count_distinct"),
    "target": Measure("targets", "target", "sum", Decimal),
    "per_receipt": Calculated(["revenue", "receipts"], ratio),
    "attainment": Calculated(["revenue", "target"], ratio),
}
levels = {
    "product:category": category_of, "product:product": {gtin: gtin for gtin in products},
    "store:region": {store: row["region"] for store, row in stores.items()},
    "store:city": {store: row["city"] for store, row in stores.items()},
    "store:store": {store: store for store in stores},
    "date:year": {day: day[:4] for day in days},
    "date:quarter": {day: f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}" for day in days},
    "date:month": month_of, "date:day": {day: day for day in days},
}
shop = Virtual(sources, measures, levels)


def members(dimref, *keys):
    return {leaf for leaf, key in levels[dimref].items() if key in keys}


def ask(name, question, names, parameters, drilldown=(), cut=None, order=None, limit=None, totals=None):
    rows, summary = shop.query(names, drilldown, cut)
    parameters = {"measures": ",".join(names), **parameters}
    if drilldown:
        parameters["drilldown"] = "|".join(drilldown)
    more = {}
    if order:
        rows = order_by(rows, order)
        parameters["order"] = f"{order}:desc"
        more["ordered"] = True
    if limit:
        assert rows[limit - 1][order] != rows[limit][order], "a tie at the limit"
        rows = rows[:limit]
        parameters["limit"] = limit
    for stays in totals or ():  # grouping sets, each naming the dimensions that stay
        kept = [dimref for dimref in drilldown if dimref.split(":")[0] in stays]
        grouping = sum(1 << place for place, dimref in enumerate(reversed(drilldown)) if dimref not in kept)
        rows += [{**row, "grouping": grouping} for row in shop.query(names, kept, cut)[0]]
    return {"name": name, "question": question, "cube": "shop", "parameters": parameters,
            "summary": summary, "rows": rows, **more}


def full_question(name, question, drilldown, synthetic):
    """The full join with suppliers' items; synthetic: {key of a row: the items in it}."""
    names = ["revenue", "units", "items"]
    rows, summary = shop.query(names, [drilldown])
    last = max(stock_months)
    related = {item for found in product_items.values() for item in found}

    def units(items):
        return sum(int(row["units"]) for row in stock if row["item"] in items and row["month"] == last)

    for key, items in synthetic.items():
        rows.append({drilldown.replace(":", "."): key, "revenue": None, "units": units(items), "items": len(items),
                     "_status": {"revenue": "u"}, "_synthetic": ["product"]})
    assert summary["units"] == units(related) and summary["items"] == len(related)
    summary.update(units=units(item_code), items=len(item_code))
    return {"name": name, "question": question, "cube": "shop_items",
            "parameters": {"measures": ",".join(names), "drilldown": drilldown}, "summary": summary, "rows": rows}


def questions():
    quarter = members("date:quarter", "2025-Q1")
    yield ask("targets", "How near did each category come to its target in the first quarter of 2025? Bakery has none.",
              ["revenue", "target", "attainment"], {"cut": r"date:2025\-Q1"}, ["product:category"], {"date": quarter})
    yield ask("months", "Revenue, target and suppliers' stock by month of 2024.",
              ["revenue", "target", "units"], {"cut": "date:2024"}, ["date:month"],
              {"date": members("date:year", "2024")})
    yield ask("stock is no flow", "The stock of a year is that of its last month.",
              ["revenue", "units", "items"], {}, ["date:year"])
    yield ask("products", "Sweets in March 2025: stock and cost by product; targets know categories only.",
              ["revenue", "units", "cost", "items", "target"], {"cut": r"product:Sweets|date:2025\-03"},
              ["product:product"], {"product": members("product:category", "Sweets"),
                                    "date": members("date:month", "2025-03")})
    yield ask("two suppliers", "Cocoa is offered by two suppliers, one of whom writes GTIN before the number.",
              ["quantity", "units", "cost", "items"], {"cut": "product:2941000021771"}, ["product:product"],
              {"product": {"2941000021771"}})
    yield ask("lost zeros", "Penne, whose short number has five zeros in front with us and none with its supplier.",
              ["quantity", "units", "items"], {"cut": "product:0000002000152"}, ["product:product"],
              {"product": {"0000002000152"}})
    yield ask("stores", "Sales in the North by city: the suppliers' stock knows no stores; a customer of both cities counts once.",
              ["revenue", "customers", "receipts", "units"], {"cut": "store:North"}, ["store:city"],
              {"store": members("store:region", "North")})
    yield ask("days", "One month by day: stock and targets are monthly.",
              ["revenue", "units", "target"], {"cut": r"date:2024\-06"}, ["date:day"],
              {"date": members("date:month", "2024-06")})
    yield ask("brand", "What sells of one brand, and what of it do suppliers offer?",
              ["revenue", "receipts", "items"], {"cut": "product.brand:Nordal"}, ["product:category"],
              {"product": {gtin for gtin, row in products.items() if row["brand"] == "Nordal"}})
    yield ask("best products", "The five products of most revenue.", ["revenue", "quantity", "mean_price"], {},
              ["product:product"], None, order="revenue", limit=5)
    yield ask("stores by year", "Revenue per receipt is a ratio of sums.", ["revenue", "receipts", "per_receipt"], {},
              ["store:store", "date:year"], None, order="revenue")
    yield ask("totals", "Categories by year with the totals of each category and of all: customers are counted once.",
              ["revenue", "customers", "target"], {"totals": "product|()"}, ["product:category", "date:year"],
              None, totals=[("product",), ()])
    related = {item for found in product_items.values() for item in found}
    rest = sorted(set(item_code) - related)
    yield full_question("all items", "Every product and every item of a supplier, by category.", "product:category",
                        {"(unmatched:stock)": set(rest)})
    yield full_question("all items one by one", "The items that match nothing, as members of their own.",
                        "product:product", {f"stock:{item}": {item} for item in rest})


def main():
    about = "Computed by expected.py from the CSV files beside it; the format is described in samples/README.md."
    write(f"{HERE}/coverage.expected.json", about, "joins", list(joins()))
    write(f"{HERE}/answers.expected.json", about, "questions", list(questions()))


if __name__ == "__main__":
    main()
