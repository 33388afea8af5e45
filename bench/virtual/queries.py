"""What the bench of virtual cubes asks: through the mapping, of the own cube, and of DuckDB.

A query is about one measure by axes. On the mapped side an axis is a level of the primary's
dimension, on the own side the same level of the joined cube's own dimension, so both have as many
groups; axes of the joined cube that the virtual cube shows too (store, date) are the same.
"""


class Query:
    """label  what it is about
    mapped    the JSON body for the virtual cube
    own       JSON bodies for the cubes themselves; their answers side by side equal the mapped one,
              but for the keys of axes in own_keys
    sql       {column of the table: SQL}, which all answer what is mapped, in its order
    """

    def __init__(self, label, mapped, own, sql, own_keys=()):
        self.label, self.mapped, self.own, self.sql, self.own_keys = label, mapped, own, sql, own_keys


def body(cube, measures, axes, cuts):
    filters = [{"member": member, "operator": "equals", "values": values} for member, values in cuts]
    return {"cube": cube, "measures": measures, "filters": filters,
            "dimensions": [{"dim": dim, "level": level} for dim, level in axes]}


# ---- the shop ----

def shop_query(label, levels, cuts=(), store=False, year=False, store_cut=None, year_cut=None):
    """Revenue by levels of the product (and region, and year), with cuts on levels of the product."""
    more = [("store", "region")] * store + [("date", "year")] * year
    more_cuts = ([("store.region", [store_cut])] if store_cut else []) + (
        [("date.year", [year_cut])] if year_cut else [])

    def ask(cube, dimension):
        leaf = {"product": "product", "item": "item"}[dimension]
        axes = [(dimension, leaf if level == "leaf" else level) for level in levels]
        return body(cube, ["revenue"], axes + more,
                    [(f"{dimension}.{level}", values) for level, values in cuts] + more_cuts)

    sale_columns = ["region"] * store + ["year"] * year
    conditions = [f"{level} IN ({', '.join(map(repr, values))})" for level, values in cuts]
    sale_conditions = [f"region = '{store_cut}'"] * bool(store_cut) + (
        [f"year = {year_cut}"] * bool(year_cut))
    return Query(label, ask("shop", "product"), [ask("sales", "item")],
                 shop_sql(levels, sale_columns, conditions, sale_conditions),
                 own_keys=[i for i, level in enumerate(levels) if level == "leaf"])


def where(conditions):
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def shop_sql(levels, sale_columns, conditions, sale_conditions):
    columns = ["gtin" if level == "leaf" else level for level in levels]
    keys = ", ".join([f"p.{column}" for column in columns] + sale_columns)
    needs_stores = "region" in sale_columns or any("region" in c for c in sale_conditions)
    sales = "sales JOIN stores USING (store)" if needs_stores else "sales"
    mapping = "JOIN items i USING (item) JOIN products p ON p.gtin = i.gtin"
    own_keys = ", ".join([f"i.{column}" for column in columns] + sale_columns)
    of_products = [f"p.{condition}" for condition in conditions]
    of_items = [f"i.{condition}" for condition in conditions]
    return {
        "aggregate, then join": f"""
            SELECT {keys}, sum(revenue) AS revenue
            FROM (SELECT {', '.join(['item', *sale_columns])}, sum(revenue) AS revenue
                  FROM {sales} {where(sale_conditions)} GROUP BY ALL) {mapping}
            {where(of_products)} GROUP BY ALL ORDER BY ALL""",
        "join, then aggregate": f"""
            SELECT {keys}, sum(revenue) AS revenue FROM {sales} {mapping}
            {where(of_products + sale_conditions)} GROUP BY ALL ORDER BY ALL""",
        "own columns": f"""
            SELECT {own_keys}, sum(revenue) AS revenue FROM {sales} JOIN items i USING (item)
            {where(of_items + sale_conditions)} GROUP BY ALL ORDER BY ALL""",
    }


def both_query():
    """A measure of each: the two cubes side by side."""
    stock = "SELECT category, sum(stock) AS stock FROM stock JOIN products USING (gtin) GROUP BY ALL"
    sold = {
        "aggregate, then join": """SELECT p.category, sum(revenue) AS revenue
            FROM (SELECT item, sum(revenue) AS revenue FROM sales GROUP BY ALL)
            JOIN items i USING (item) JOIN products p ON p.gtin = i.gtin GROUP BY ALL""",
        "join, then aggregate": """SELECT p.category, sum(revenue) AS revenue
            FROM sales JOIN items i USING (item) JOIN products p ON p.gtin = i.gtin GROUP BY ALL""",
        "own columns": """SELECT i.category, sum(revenue) AS revenue
            FROM sales JOIN items i USING (item) GROUP BY ALL""",
    }
    return Query("a measure of each, by category",
                 body("shop", ["stock", "revenue"], [("product", "category")], []),
                 [body("products", ["stock"], [("product", "category")], []),
                  body("sales", ["revenue"], [("item", "category")], [])],
                 {name: f"SELECT category, stock, revenue FROM ({stock}) JOIN ({sql}) USING (category) "
                        "ORDER BY ALL" for name, sql in sold.items()})


def ragged_query(label, more=False):
    """Several listings have a product's GTIN, in one theme or several: each theme shows all sales of
    its products, once. The own cube's twin has as many groups, but other ones."""
    relation = ("(SELECT DISTINCT item, theme FROM items JOIN listings USING (gtin))")
    years, axis = (", year", [("date", "year")]) if more else ("", [])
    query = Query(label, body("campaign", ["revenue"], [("listing", "theme")] + axis, []),
                  [body("sales", ["revenue"], [("item@shelves", "shelf")] + axis, [])],
                  {"aggregate, then join": f"""
                      SELECT theme{years}, sum(revenue) AS revenue
                      FROM (SELECT item{years}, sum(revenue) AS revenue FROM sales GROUP BY ALL)
                      JOIN {relation} USING (item) GROUP BY ALL ORDER BY ALL""",
                   "join, then aggregate": f"""
                      SELECT theme{years}, sum(revenue) AS revenue FROM sales
                      JOIN {relation} USING (item) GROUP BY ALL ORDER BY ALL"""})
    query.own_keys = None
    return query


SHOP = [
    shop_query("by department", ["department"]),
    shop_query("by category", ["category"]),
    shop_query("one department, by family", ["family"], [("department", ["D07"])]),
    shop_query("three categories and a year, by family and region", ["family"],
               [("category", ["C0010", "C0200", "C0399"])], store=True, year_cut=2023),
    shop_query("one category and a region, by product", ["leaf"], [("category", ["C0042"])],
               store_cut="R03"),
    shop_query("by category and year", ["category"], year=True),
    shop_query("by family and region", ["family"], store=True),
    both_query(),
    ragged_query("ragged: by theme"),
    ragged_query("ragged: by theme and year", more=True),
]


# ---- the United Nations' population ----

def un_query(label, geo_levels, axes, region=None, year=None):
    """People by levels of the country (and others), in a region, in a year."""
    names = {"year": "year", "age": "age5", "sex": "sex"}

    def ask(cube, dimension):
        cuts = [(f"{dimension}.region", [region])] if region else []
        cuts += [("year.year", [year])] if year else []
        drilled = [(dimension, level) for level in geo_levels]
        return body(cube, ["thousands"], drilled + [(axis, axis) for axis in axes], cuts)

    columns = [names[axis] for axis in axes]
    of_year = [f"year = {year}"] if year else []
    sums = "sum(population_thousands) AS thousands"

    def joined(table):
        # Countries are shown by their code here and by ISO 3166 there, so both come as the code.
        keys = ", ".join([f"g.{'m49' if level == 'country' else level}" for level in geo_levels] + columns)
        of_region = [f"g.region = '{region}'"] if region else []
        first = f"""SELECT {keys}, sum(thousands) AS thousands
            FROM (SELECT {', '.join(['m49', *columns])}, {sums} FROM population {where(of_year)}
                  GROUP BY ALL) JOIN {table} g USING (m49)
            {where(of_region)} GROUP BY ALL ORDER BY ALL"""
        last = f"""SELECT {keys}, {sums} FROM population JOIN {table} g USING (m49)
            {where(of_region + of_year)} GROUP BY ALL ORDER BY ALL"""
        return first, last

    first, last = joined("geo")
    return Query(label, ask("nations", "geo"), [ask("un_population", "country")],
                 {"aggregate, then join": first, "join, then aggregate": last,
                  "own columns": joined("un_countries")[1]},
                 own_keys=[i for i, level in enumerate(geo_levels) if level == "country"])


UN = [
    un_query("by region", ["region"], []),
    un_query("by subregion and year", ["subregion"], ["year"]),
    un_query("one region, by age and sex", [], ["age", "sex"], region="Africa"),
    un_query("one year, by subregion, age and sex", ["subregion"], ["age", "sex"], year=2020),
    un_query("by country and year", ["country"], ["year"]),
    un_query("by subregion, year and age", ["subregion"], ["year", "age"]),
]
