#!/usr/bin/env python3
"""Make the CSV files of this sample: a shop that does not exist.

    python3 make.py [OUTPUT_FOLDER]

Always the same bytes. Python's standard library only.
"""
import csv
import datetime
import os
import random
import sys

FIRST_DAY, LAST_DAY = datetime.date(2024, 1, 1), datetime.date(2025, 3, 31)
TARGET_MONTHS_AHEAD = ["2025-04", "2025-05", "2025-06"]  # nothing sold there yet
NSALES = 6000

# Category, its weight in sales, and the products: name, brand, price in cents.
ASSORTMENT = [
    ("Coffee & tea", 5, [("Espresso beans 1 kg", "Barco", 1890), ("Filter coffee 500 g", "Barco", 749),
                         ("Decaf 250 g", "Barco", 529), ("Breakfast tea", "Lindley", 399),
                         ("Green tea", "Lindley", 449), ("Camomile", "Lindley", 329),
                         ("Cocoa 300 g", "Nordal", 479)]),
    ("Household", 4, [("Washing powder", "Klaro", 1199), ("Dish soap", "Klaro", 229), ("Sponges", "Klaro", 199),
                      ("Bin liners", "Nordal", 289), ("Light bulb", "Nordal", 599), ("Matches", "Nordal", 99)]),
    ("Pantry", 8, [("Spaghetti", "Molino", 149), ("Penne", "Molino", 149), ("Tomato sauce", "Molino", 279),
                   ("Rice 1 kg", "Oryza", 329), ("Basmati 1 kg", "Oryza", 459), ("Olive oil 750 ml", "Molino", 1099),
                   ("Sea salt", "Nordal", 119), ("Oat flakes", "Nordal", 189), ("Honey", "Lindley", 699)]),
    ("Sweets", 6, [("Dark chocolate", "Barco", 299), ("Milk chocolate", "Barco", 259), ("Nougat", "Barco", 349),
                   ("Liquorice", "Nordal", 189), ("Shortbread", "Lindley", 369)]),
    ("Drinks", 7, [("Mineral water", "Klarbrunn", 79), ("Apple juice", "Klarbrunn", 219),
                   ("Orange juice", "Klarbrunn", 279), ("Lemonade", "Klarbrunn", 159), ("Tonic", "Klarbrunn", 129)]),
    ("Bakery", 9, [("Rye bread", "House", 420), ("White loaf", "House", 350), ("Croissant", "House", 160),
                   ("Apple cake", "House", 290)]),
]

STORES = [("S1", "Harbour", "Northport", "North"), ("S2", "Market Square", "Northport", "North"),
          ("S3", "Station", "Eastfield", "North"), ("S4", "Old Town", "Southwick", "South"),
          ("S5", "Riverside", "Southwick", "South"), ("S6", "University", "Westhaven", "South")]

# Suppliers and the brands they deliver; Nordal comes from two.
SUPPLIERS = [("ALB", "Albers Import", ("Barco", "Lindley")), ("NOR", "Nordal Handel", ("Nordal", "Oryza")),
             ("SUN", "Sundown Wholesale", ("Molino", "Klaro", "Nordal", "Klarbrunn"))]


def check_digit(digits):
    """GS1: weights 3 and 1 from the right."""
    total = sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin(number):
    """13 digits in the ranges kept for use inside a shop (02.., 2..), so no real product has them.
    Some are short ones (GTIN-8 and GTIN-12) filled up with zeros."""
    if number % 5 == 0:
        digits = f"02{number:05d}"  # GTIN-8
    elif number % 3 == 0:
        digits = f"2{4000000000 + 137 * number}"[:11]  # GTIN-12
    else:
        digits = f"29{4100000000 + 311 * number}"  # GTIN-13
    return (digits + check_digit(digits)).rjust(13, "0")


def as_supplier_writes(code, supplier, number):
    """The same number in the habits of three offices."""
    if supplier == "ALB":
        return "0" + code if number % 4 else code + " "  # GTIN-14, or as printed and a blank
    if supplier == "NOR":
        return code.lstrip("0")  # a spreadsheet took it for a number
    return f"GTIN {code.lstrip('0')}" + ("\u00a0" if number % 3 == 0 else "")


def write(folder, name, columns, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def make_products():
    products = []
    for category, weight, items in ASSORTMENT:
        for name, brand, price in items:
            number = len(products) + 1
            products.append({"gtin": gtin(number), "name": name, "brand": brand, "category": category,
                             "price": price, "weight": weight, "number": number})
    return products


def months_between(first, last):
    return [f"{y}-{m:02d}" for y in range(first.year, last.year + 1) for m in range(1, 13)
            if (first.year, first.month) <= (y, m) <= (last.year, last.month)]


def make_sales(products, rng):
    """One line per product on a receipt. About a third of the customers are not known."""
    days = (LAST_DAY - FIRST_DAY).days + 1
    heavy = [p for p in products for _ in range(p["weight"])]
    rows, receipt = [], 0
    while len(rows) < NSALES:
        receipt += 1
        day = FIRST_DAY + datetime.timedelta(days=int(rng.random() * days))
        if day.weekday() == 6:
            continue  # closed
        store = STORES[int(rng.random() ** 1.4 * len(STORES))][0]
        customer = f"C{int(rng.random() * 400) + 1:03d}" if rng.random() < 0.65 else ""
        basket = {heavy[int(rng.random() * len(heavy))]["number"] for _ in range(1 + int(rng.random() * 5))}
        for number in sorted(basket):
            product = products[number - 1]
            quantity = 1 + int(rng.random() ** 3 * 6)
            price = product["price"] * (90 if rng.random() < 0.12 else 100) // 100
            rows.append((day.isoformat(), product["gtin"], store, f"R{receipt:05d}", customer, quantity,
                         money(price), money(price * quantity)))
    rows = sorted(rows[:NSALES], key=lambda r: (r[0], r[3], r[1]))
    numbers = {}  # receipts are numbered as the days go by
    return [(*r[:3], f"R{numbers.setdefault(r[3], len(numbers) + 1):05d}", *r[4:]) for r in rows]


def make_items(products):
    """What suppliers list. The bakery is our own: nobody delivers it. Three products that no shop of
    ours sells, and a display rack without a number."""
    items = []
    for supplier, name, brands in SUPPLIERS:
        listed = [p for p in products if p["brand"] in brands]
        for place, product in enumerate(listed, start=1):
            items.append((f"{supplier}-{place:02d}", as_supplier_writes(product["gtin"], supplier, product["number"]),
                          supplier, name, product["name"], product["price"] * 62 // 100))
    for supplier, name, label, number in (("ALB", "Albers Import", "Rooibos", 901), ("NOR", "Nordal Handel", "Candles", 902),
                                          ("SUN", "Sundown Wholesale", "Cola", 903)):
        items.append((f"{supplier}-90", as_supplier_writes(gtin(number), supplier, number), supplier, name, label, 200))
    items.append(("NOR-99", "", "NOR", "Nordal Handel", "Display rack", 0))
    return sorted(items)


def make_stock(items, months, rng):
    """Units and purchase price at the end of each month."""
    rows = []
    for item in items:
        units = 40 + int(rng.random() * 160)
        for place, month in enumerate(months):
            units = max(0, units + int(rng.random() * 61) - 30)
            cost = item[5] * (100 + place) // 100
            rows.append((item[0], month, units, money(cost) if cost else ""))
    return rows


def make_targets(months, rng):
    """By category and month, as the sales office writes them; none for the bakery."""
    written = {"Coffee & tea": "coffee & tea", "Household": "HOUSEHOLD", "Pantry": "Pantry ", "Sweets": "Sweets",
               "Drinks": "Drinks", "Gift cards": "Gift cards"}
    level = {"Coffee & tea": 86000, "Household": 37000, "Pantry": 101000, "Sweets": 30000, "Drinks": 23000,
             "Gift cards": 9000}
    return [(written[category], month, money(int(level[category] * (0.85 + 0.3 * rng.random()))))
            for category in written for month in [*months, *TARGET_MONTHS_AHEAD]]


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    rng = random.Random(20240101)
    products, months = make_products(), months_between(FIRST_DAY, LAST_DAY)
    write(folder, "products.csv", ["gtin", "name", "brand", "category"],
          [(p["gtin"], p["name"], p["brand"], p["category"]) for p in products])
    write(folder, "stores.csv", ["store", "name", "city", "region"], STORES)
    write(folder, "sales.csv", ["day", "gtin", "store", "receipt", "customer", "quantity", "unit_price", "revenue"],
          make_sales(products, rng))
    items = make_items(products)
    write(folder, "items.csv", ["item", "code", "supplier", "supplier_name", "name"], [i[:5] for i in items])
    write(folder, "stock.csv", ["item", "month", "units", "cost"], make_stock(items, months, rng))
    write(folder, "targets.csv", ["category", "month", "target"], make_targets(months, rng))


if __name__ == "__main__":
    main()
