#!/usr/bin/env python3
"""Write mapping/codelist_iso3166.c from public tables.

    tools/make-codelists.py FOLDER > mapping/codelist_iso3166.c

FOLDER holds codes/country-codes.csv, codes/iso3166-3-withdrawn.json and wb/*.csv as described in
docs/codelists.md. Everything the tables do not say (years of validity, two corrections of
successors, group codes, further names) stands in this file. The output depends on nothing else, so
running it again on the same data changes nothing.
"""
import csv
import json
import pathlib
import re
import sys
import unicodedata

# First and last year of validity, from the newsletters of ISO 3166-3.
YEARS = {
    "AIDJ": (1974, 1977), "ANHH": (1974, 2010), "BQAQ": (1974, 1979), "BUMM": (1974, 1989),
    "BYAA": (1974, 1992), "CSHH": (1974, 1993), "CSXX": (2003, 2006), "CTKI": (1974, 1984),
    "DDDE": (1974, 1990), "DYBJ": (1974, 1977), "FQHH": (1974, 1979), "FXFR": (1993, 1997),
    "GEHH": (1974, 1979), "HVBF": (1974, 1984), "JTUM": (1974, 1986), "MIUM": (1974, 1986),
    "NHVU": (1974, 1980), "NQAQ": (1974, 1983), "NTHH": (1974, 1993), "PCHH": (1974, 1986),
    "PUUM": (1974, 1986), "PZPA": (1974, 1980), "RHZW": (1974, 1980), "SKIN": (1974, 1975),
    "SUHH": (1974, 1992), "TPTL": (1974, 2002), "VDVN": (1974, 1977), "WKUM": (1974, 1986),
    "YDYE": (1974, 1990), "YUCS": (1974, 2003), "ZRCD": (1974, 1997),
}

# In an alpha-4 code HH says "no single successor"; the table names only one for these two.
SUCCESSORS = {"FQHH": ["AQ", "TF"], "GEHH": ["KI", "TV"]}
WITHDRAWN_NAMES = {"GEHH": "Gilbert and Ellice Islands"}

# Names to show where the table's is not the English short name of ISO 3166-1.
NAMES = {"CI": "Côte d’Ivoire"}

# Further names in wide use, so that `from: name` finds them.
ALIASES = {
    "AE": ["UAE"], "BN": ["Brunei (Darussalam)"], "BO": ["Bolivia"],
    "BQ": ["Caribbean Netherlands", "Bonaire, Saint Eustatius and Saba"], "BS": ["Bahamas"],
    "CD": ["Congo, Dem. Rep.", "DR Congo", "Congo-Kinshasa"],
    "CG": ["Congo", "Congo, Rep.", "Congo-Brazzaville"], "CI": ["Ivory Coast"],
    "CN": ["China (mainland)", "People's Republic of China"], "CV": ["Cape Verde"],
    "CZ": ["Czech Republic"], "FK": ["Falkland Islands"],
    "FM": ["Federated States of Micronesia", "Micronesia"], "FO": ["Faeroe Islands"],
    "GB": ["United Kingdom", "Great Britain", "UK"], "GM": ["Gambia"],
    "HK": ["Hong Kong", "Hong Kong, China", "Hong Kong SAR"], "IR": ["Iran"],
    "KN": ["St. Kitts-Nevis"], "KP": ["North Korea", "Korea, North"],
    "KR": ["South Korea", "Korea, South"], "LA": ["Laos", "Lao"], "LY": ["Libyan Arab Jamahiriya"],
    "MD": ["Moldova"], "MF": ["Saint Martin", "Saint Martin (French part)"],
    "MK": ["Macedonia", "FYR Macedonia", "Macedonia, FYR",
           "The former Yugoslav Republic of Macedonia"],
    "MM": ["Myanmar"], "MO": ["Macau", "Macao", "Macao, China", "Macau SAR"],
    "NL": ["Holland", "Netherlands, Kingdom of the", "Kingdom of the Netherlands"],
    "PS": ["Palestine", "Occupied Palestinian Territory", "West Bank and Gaza"], "RU": ["Russia"],
    "SH": ["Saint Helena"], "ST": ["Sao Tome & Principe"], "SX": ["Sint Maarten"], "SY": ["Syria"],
    "SZ": ["Swaziland"], "TL": ["East Timor"], "TR": ["Turkey"],
    "TW": ["Taiwan", "Chinese Taipei", "Taiwan, Province of China"], "TZ": ["Tanzania"],
    "US": ["United States", "USA", "United States of America"],
    "VA": ["Vatican", "Vatican City", "Holy See"], "VE": ["Venezuela"],
    "VG": ["British Virgin Islands"], "VI": ["US Virgin Islands", "United States Virgin Islands"],
    "VN": ["Vietnam"], "XK": ["Republic of Kosovo", "Kosovo (under UNSCR 1244/99)"],
}

# Names of withdrawn codes beyond the table's.
WITHDRAWN_ALIASES = {
    "SUHH": ["Soviet Union", "Union of Soviet Socialist Republics"], "DDDE": ["East Germany"],
    "VDVN": ["Democratic Republic of Vietnam"], "YDYE": ["Democratic Yemen"],
}

# Alias sets: key -> alpha-2, or the code of an aggregate.
ALIAS_SETS = ["eurostat", "kosovo", "worldbank"]
CODE_ALIASES = {
    "eurostat": {"EL": "GR", "UK": "GB"},
    # Never -99: it stands for several places in the data that use it.
    "kosovo": {"KSV": "XK", "KOS": "XK", "KV": "XK", "UNK": "XK", "OWID_KOS": "XK"},
}

# The World Bank's two-character codes of its aggregates. Those with a digit are nobody else's and
# always count; those of letters lie in the ranges that ISO leaves to users (XI is also Northern
# Ireland) and count only in the alias set "worldbank".
WORLD_BANK_TWO = dict(
    pair.split("=") for pair in """
    AFE=ZH AFW=ZI ARB=1A CEB=B8 CSS=S3 EAP=4E EAR=V2 EAS=Z4 ECA=7E ECS=Z7 EMU=XC FCS=F1 HIC=XD
    HPC=XE IBD=XF IBT=ZT IDA=XG IDB=XH IDX=XI LAC=XJ LCN=ZJ LDC=XL LIC=XM LMC=XN LMY=XO LTE=V3
    MEA=ZQ MIC=XP MNA=XQ NAC=XU OED=OE OSS=S4 PRE=V1 PSS=S2 PST=V4 SAS=8S SSA=ZF SSF=ZG SST=S1
    TEA=T4 TEC=T7 TLA=T2 TMN=T3 TSA=T5 TSS=T6 UMC=XT WLD=1W""".split())

# Our World in Data: groups only. OWID_USS, OWID_CIS and the like are single places, not groups.
OWID = {
    "OWID_WRL": "World", "OWID_AFR": "Africa", "OWID_ASI": "Asia", "OWID_EUR": "Europe",
    "OWID_NAM": "North America", "OWID_SAM": "South America", "OWID_OCE": "Oceania",
    "OWID_EU27": "European Union (27)", "OWID_EUN": "European Union",
    "OWID_HIC": "High-income countries", "OWID_UMC": "Upper-middle-income countries",
    "OWID_LMC": "Lower-middle-income countries", "OWID_LIC": "Low-income countries",
}

EUROSTAT = {
    "EU": "European Union", "EA": "Euro area", "EEA": "European Economic Area",
    "EFTA": "European Free Trade Association", "EU_V": "European Union (changing composition)",
    "EU6": None, "EU9": None, "EU10": None, "EU12": None, "EU15": None, "EU25": None, "EU27": None,
    "EU27_2007": None, "EU27_2019": None, "EU27_2020": None, "EU28": None, "EA11": None,
    "EA12": None, "EA13": None, "EA15": None, "EA16": None, "EA17": None, "EA18": None,
    "EA19": None, "EA20": None, "EA21": None, "EEA18": None, "EEA28": None, "EEA30": None,
    "EEA30_2007": None, "EEA31": None, "EU27_2020_EFTA": None,
}

# Groups of the UN's population prospects, beside the M49 regions of the table.
UN_GROUPS = {
    "199": "Least developed countries", "432": "Landlocked developing countries",
    "722": "Small island developing states", "003": "North America",
    "419": "Latin America and the Caribbean", "900": "World", "901": "More developed regions",
    "902": "Less developed regions", "903": "Africa", "904": "Latin America and the Caribbean",
    "905": "Northern America", "908": "Europe", "909": "Oceania",
    "934": "Less developed regions, excluding least developed countries", "935": "Asia",
    "941": "Least developed countries", "948": "Less developed regions, excluding China",
}

# Letters that NFD does not take apart; the same table stands in mapping/codelist.c.
LETTERS = {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}


def fold(name):
    """Fold a name: the same rule as fold_name in mapping/codelist.c."""
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    text = "".join(c for c in text if unicodedata.category(c)[0] != "M")
    text = "".join(LETTERS.get(c, c) for c in text)
    text = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in text)
    words = [{"st": "saint"}.get(word, word) for word in text.split()]
    return " ".join(word for word in words if word not in ("the", "and"))


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clean(text):
    """A cell without blanks (some are U+00A0), footnote stars and "(the)" at its end."""
    return re.sub(r"\s*\((the|The)\)$", "", (text or "").replace("\u00a0", " ").strip(" *")).strip()


class Table:
    """Rows, and the keys that lead to them."""

    def __init__(self):
        self.rows = []
        self.indexes = {name: [] for name in ("alpha2", "alpha3", "numeric", "other", "names")}

    def add(self, kind, name, **fields):
        number = len(self.rows)
        self.rows.append({"kind": kind, "name": name, **fields})
        for form in ("alpha2", "alpha3", "numeric"):
            if fields.get(form):
                self.indexes[form].append((fields[form], number))
        if fields.get("alpha4"):
            self.indexes["other"].append((fields["alpha4"], number))
        return number

    def add_name(self, name, number, weak=False):
        """weak: a name that a row of a stronger kind already has is left to it."""
        folded = fold(clean(name))
        if not folded:
            return
        held = dict(self.indexes["names"]).get(folded)
        if held is None:
            self.indexes["names"].append((folded, number))
        elif held != number and not weak:
            sys.exit(f"the name {folded!r} means {self.rows[held]} and {self.rows[number]}")

    def codes_in_use(self):
        return {key for form in self.indexes if form != "names" for key, _ in self.indexes[form]}

    def number_of(self, form, key):
        return next(number for text, number in self.indexes[form] if text == key)


def add_assigned(table, folder):
    rows = read_csv(folder / "codes/country-codes.csv")
    for row in sorted(rows, key=lambda row: row["ISO3166-1-Alpha-2"]):
        alpha2 = row["ISO3166-1-Alpha-2"]
        name = NAMES.get(alpha2, clean(row["official_name_en"]))
        number = table.add("ASSIGNED", name, alpha2=alpha2, alpha3=row["ISO3166-1-Alpha-3"],
                           numeric=row["ISO3166-1-numeric"].zfill(3))
        names = [row[column] for column in ("official_name_en", "UNTERM English Short",
                                            "UNTERM English Formal", "CLDR display name",
                                            "ISO4217-currency_country_name")]
        for each in [name, *names, *ALIASES.get(alpha2, [])]:
            table.add_name(each, number)
    number = table.add("USER", "Kosovo", alpha2="XK", alpha3="XKX")
    for name in ["Kosovo", *ALIASES["XK"]]:
        table.add_name(name, number)


def add_withdrawn(table, folder):
    entries = json.loads((folder / "codes/iso3166-3-withdrawn.json").read_text(encoding="utf-8"))
    first = len(table.rows)
    for entry in entries:
        old, alpha4 = entry["from"], entry["alpha4"]
        number = table.add("WITHDRAWN", WITHDRAWN_NAMES.get(alpha4, old["name"]),
                           alpha2=old["alpha2"], alpha3=old["alpha3"],
                           numeric=old.get("numeric", ""), alpha4=alpha4, years=YEARS[alpha4])
        for new in entry["to"]:
            if new["state"] == "assigned":  # ISO's own way to write today's names
                table.add_name(new["name"], table.number_of("alpha2", new["alpha2"]), weak=True)
        for name in [table.rows[number]["name"], old["name"], *WITHDRAWN_ALIASES.get(alpha4, [])]:
            table.add_name(name, number, weak=True)
    # Only now, because a successor may be a withdrawn code that comes later. By alpha-3: alpha-2
    # codes were used again.
    for number, entry in enumerate(entries, first):
        alpha4 = entry["alpha4"]
        successors = [table.number_of("alpha3", new["alpha3"]) for new in entry["to"]]
        if alpha4 in SUCCESSORS:
            successors = [table.number_of("alpha2", alpha2) for alpha2 in SUCCESSORS[alpha4]]
        assert (len(successors) > 1) == (alpha4.endswith("HH") or alpha4 == "CSXX")
        table.rows[number]["successors"] = successors
    assert {entry["alpha4"] for entry in entries} == set(YEARS)


def world_bank_names(folder):
    """All codes of the World Bank's files with the names they go by."""
    files = {"population": "Country Name", "gdp": "Country Name", "inflation-consumer": "Country"}
    names = {}
    for file, column in files.items():
        for row in read_csv(folder / f"wb/{file}.csv"):
            names.setdefault(row["Country Code"], {})[row[column]] = None
    return {code: list(found) for code, found in sorted(names.items())}


def add_aggregates(table, folder):
    def add_group(code, name, names=()):
        if code in table.codes_in_use():
            sys.exit(f"the code {code} of a group is taken")
        number = table.add("AGGREGATE", name)
        table.indexes["other"].append((code, number))
        for each in [name, *names]:
            table.add_name(each, number, weak=True)
        return number

    assigned = {row["alpha3"]: number for number, row in enumerate(table.rows)
                if row["kind"] in ("ASSIGNED", "USER")}
    aliases = {}
    for code, names in world_bank_names(folder).items():
        if code in assigned:
            for name in names:
                table.add_name(name, assigned[code])
        elif code != "CHI":  # the Channel Islands are no group of listed countries' facts
            number = add_group(code, names[0], names[1:])
            two = WORLD_BANK_TWO.get(code)
            if two and re.search("[0-9]", two):
                table.indexes["other"].append((two, number))
            elif two:
                aliases[two] = number
    for code, name in {**OWID, **EUROSTAT}.items():
        add_group(code, name or code.replace("_", " "))
    regions = {}
    for row in read_csv(folder / "codes/country-codes.csv"):
        for level in ("Global", "Region", "Sub-region", "Intermediate Region"):
            code, name = clean(row[f"{level} Code"]), clean(row[f"{level} Name"])
            if code:
                regions[code.zfill(3)] = name
    for code, name in sorted({**regions, **UN_GROUPS}.items()):
        add_group(code, name)
    return aliases


def c_text(text):
    return json.dumps(text, ensure_ascii=False)


def write_rows(table, out):
    out.append("")
    for number, row in enumerate(table.rows):
        if row.get("successors"):
            numbers = ", ".join(map(str, row["successors"]))
            out.append(f"static const uint16_t successors_{number}[] = {{{numbers}}};")
    out += ["", "static const vc_code codes[] = {"]
    for number, row in enumerate(table.rows):
        fields = [f".kind = VC_CODE_{row['kind']}"]
        fields += [f".{form} = {c_text(row[form])}"
                   for form in ("alpha2", "alpha3", "numeric", "alpha4") if row.get(form)]
        fields.append(f".name = {c_text(row['name'])}")
        if row.get("years"):
            fields.append(".first_year = %d, .last_year = %d" % row["years"])
        if row.get("successors"):
            fields.append(f".successors = successors_{number}")
            fields.append(f".nsuccessors = {len(row['successors'])}")
        out.append(f"    [{number}] = {{{', '.join(fields)}}},")
    out.append("};")


def write_index(name, entries, out):
    out += ["", f"static const vc_code_entry {name}[] = {{"]
    for key, number in sorted(set(entries), key=lambda entry: (entry[0].encode(), entry[1])):
        out.append(f"    {{{c_text(key)}, {number}}},")
    out.append("};")


def write_aliases(table, world_bank, out):
    entries = [(key, world_bank[key], "worldbank") for key in world_bank]
    for alias_set, keys in CODE_ALIASES.items():
        for key, alpha2 in keys.items():
            entries.append((key, table.number_of("alpha2", alpha2), alias_set))
    keys = {key for key, _, _ in entries}
    assert len(keys) == len(entries) and not keys & table.codes_in_use()
    out += ["", "static const vc_code_alias aliases[] = {"]
    for key, number, alias_set in sorted(entries):
        out.append(f"    {{{c_text(key)}, {number}, {ALIAS_SETS.index(alias_set)}}},")
    out += ["};", ""]
    names = ", ".join(map(c_text, ALIAS_SETS))
    out.append(f"static const char *const alias_sets[] = {{{names}, NULL}};")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    table = Table()
    add_assigned(table, folder)
    add_withdrawn(table, folder)
    world_bank = add_aggregates(table, folder)
    assert sum(row["kind"] == "ASSIGNED" for row in table.rows) == 249
    assert max(len(key.encode()) for key, _ in table.indexes["names"]) <= 160  # VC_CODE_NAME_BYTES
    out = ["/* The code list iso3166-1. Made by tools/make-codelists.py from the tables that",
           " * docs/codelists.md names: change the script, not this file. */",
           "/* clang-format off */", '#include "mapping/codelist_table.h"']
    write_rows(table, out)
    for name, entries in table.indexes.items():
        write_index(name, entries, out)
    write_aliases(table, world_bank, out)
    out += ["", "#define INDEX(array) {array, sizeof(array) / sizeof((array)[0])}", "",
            "const vc_codelist vc_codelist_iso3166 = {", '    .name = "iso3166-1",',
            "    .codes = codes,", "    .ncodes = sizeof codes / sizeof codes[0],"]
    out += [f"    .{name} = INDEX({name})," for name in table.indexes]
    out += ["    .aliases = aliases,", "    .naliases = sizeof aliases / sizeof aliases[0],",
            "    .alias_sets = alias_sets,", "};"]
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(out))


main()
