#!/usr/bin/env python3
"""Write report/map_data.c: the countries of the world, projected and simplified.

    tools/make-map.py FOLDER            write the file
    tools/make-map.py --check FOLDER    does the file say what would be written?

FOLDER holds countries-50m.json of the npm package world-atlas 2.0.2 (`npm pack world-atlas@2.0.2`,
unpacked): Natural Earth 4.1.0, 1:50m, as TopoJSON. Building vcube does not need it.

Borders are as Natural Earth draws them: who is in control of a place, whoever claims it. Somaliland
and Northern Cyprus have no code of ISO 3166-1 and are parts of Somalia and Cyprus here, as they are
in the standard; Kosovo is XKX. Antarctica is left out.

Arcs are simplified before they become rings, so that neighbours keep a border in common.
"""
import hashlib
import heapq
import json
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "report" / "map_data.c"
SHA256 = "04342cdc1e3016bcd7db1630de95684d67b79fe3c8c460321e87aef469502394"

WIDTH = 10000           # of the map, in units of its data
LEAST_TRIANGLE = 230    # a corner is left out where it makes less of a difference, in square units
LEAST_ISLAND = 200      # rings of a smaller area are left out
LEAST_COUNTRY = 640     # a country whose largest ring is smaller has a circle,
LEAST_ISLANDS = 1400    # if it is not one of many islands
PER_LINE = 12

# Places of the source without a numeric code of ISO 3166-1.
NAMES = {"Kosovo": "XKX", "Somaliland": "SOM", "N. Cyprus": "CYP"}
LEFT_OUT = {"Antarctica", "Siachen Glacier", "Indian Ocean Ter."}

# Parts of other countries' shapes in the source, and too small for it: longitude, latitude.
PLACES = {
    "BES": (-68.3, 12.2), "BVT": (3.4, -54.4), "CCK": (96.8, -12.2), "CXR": (105.6, -10.5),
    "GIB": (-5.4, 36.1), "GLP": (-61.6, 16.2), "GUF": (-53.1, 4.0), "MTQ": (-61.0, 14.7),
    "MYT": (45.2, -12.8), "REU": (55.5, -21.1), "SJM": (16.0, 78.7), "TKL": (-171.9, -9.2),
    "TUV": (179.2, -8.5), "UMI": (166.6, 19.3),
}


def project(lon, lat):
    """Equal Earth: Savric, Patterson and Jenny, "The Equal Earth map projection", International
    Journal of Geographical Information Science 33 (2019), equations 5 to 8. Linear in lon."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    d = 9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1
    return (2 * math.sqrt(3) * math.radians(lon) * math.cos(t) / (3 * d),
            t * (a4 * t**8 + a3 * t**6 + a2 * t**2 + a1))


SCALE = WIDTH / 2 / project(180, 0)[0]


def unrolled(points):
    """Longitudes without jumps: 179, -179 becomes 179, 181."""
    turned, result, before = 0, [], None
    for lon, lat in points:
        if before is not None and abs(lon - before) > 180:
            turned += 360 if lon < before else -360
        result.append((lon + turned, lat))
        before = lon
    return result


def read_arcs(topology):
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(points)
    return arcs


def triangle(a, b, c):
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def simplified(points):
    """Visvalingam and Whyatt, "Line generalisation by repeated elimination of points" (1993). The
    ends stay, and of a closed arc three corners."""
    projected = [tuple(v * SCALE for v in project(*p)) for p in unrolled(points)]
    least = 4 if points[0] == points[-1] else 2
    n = len(points)
    before, after = list(range(-1, n - 1)), list(range(1, n + 1))
    area = [0.0] * n
    heap = []

    def weigh(i, at_least):
        area[i] = max(at_least, triangle(projected[before[i]], projected[i], projected[after[i]]))
        heapq.heappush(heap, (area[i], i))

    for i in range(1, n - 1):
        weigh(i, 0)
    gone, left = [False] * n, n
    while heap and left > least:
        size, i = heapq.heappop(heap)
        if gone[i] or size != area[i]:
            continue
        if size >= LEAST_TRIANGLE:
            break
        gone[i], left = True, left - 1
        a, b = before[i], after[i]
        after[a], before[b] = b, a
        for k in (a, b):
            if 0 < k < n - 1:
                weigh(k, size)
    return [p for i, p in enumerate(points) if not gone[i]]


def country_code(geometry, codes):
    name = geometry["properties"]["name"]
    if name in LEFT_OUT:
        return None
    return NAMES.get(name) or codes[geometry["id"]]


def rings_of(geometries):
    """Rings of arcs of all of them. Where there are several, borders between them disappear."""
    rings = []
    for geometry in geometries:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        rings += [ring for polygon in polygons for ring in polygon]
    return rings if len(geometries) == 1 else joined(rings)


def joined(rings):
    used = {arc for ring in rings for arc in ring}
    inner = {arc for arc in used if ~arc in used}
    result = [ring for ring in rings if not inner & set(ring)]
    return result, [arc for ring in rings if inner & set(ring) for arc in ring if arc not in inner]


def stitched(parts, arcs):
    """Loose arcs as rings."""
    ends = {}
    for part in parts:
        points = arcs[part] if part >= 0 else arcs[~part][::-1]
        ends.setdefault(points[0], []).append((part, points[-1]))
    rings = []
    while ends:
        start = min(ends)
        ring, at = [], start
        while at in ends:
            part, end = ends[at].pop()
            if not ends[at]:
                del ends[at]
            ring.append(part)
            at = end
        assert at == start, "an open ring"
        rings.append(ring)
    return rings


def ring_points(ring, arcs):
    points = []
    for part in ring:
        arc = arcs[part] if part >= 0 else arcs[~part][::-1]
        points += arc[1 if points else 0:]
    return points[:-1] if points[0] == points[-1] else points


def clipped(points, edge, is_right):
    """The part of a ring beyond a meridian (Sutherland and Hodgman)."""
    def inside(p):
        return p[0] >= edge if is_right else p[0] <= edge

    result = []
    for a, b in zip(points[-1:] + points[:-1], points):
        if inside(a) != inside(b):
            share = (edge - a[0]) / (b[0] - a[0])
            result.append((edge, a[1] + share * (b[1] - a[1])))
        if inside(b):
            result.append(b)
    return result


def on_the_map(points):
    """Rings within -180 to 180 degrees."""
    points = unrolled(points)
    rings = []
    for shift in (-360, 0, 360):
        moved = [(lon + shift, lat) for lon, lat in points]
        moved = clipped(moved, -180, True) if min(p[0] for p in moved) < -180 else moved
        if moved and max(p[0] for p in moved) > 180:
            moved = clipped(moved, 180, False)
        if len(moved) >= 3 and min(p[0] for p in moved) >= -180:
            rings.append(moved)
    return rings


def area_of(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1])) / 2


def middle_of(ring):
    size = area_of(ring) * 6
    pairs = list(zip(ring, ring[1:] + ring[:1]))
    if size == 0:
        return (sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring))
    return (sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / size,
            sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / size)


def placed(lon, lat):
    x, y = project(lon, lat)
    return (x * SCALE + WIDTH / 2, -y * SCALE)


def rounded(ring):
    result = []
    for x, y in ring:
        point = (round(x), round(y))
        if not result or result[-1] != point:
            result.append(point)
    while len(result) > 1 and result[0] == result[-1]:
        result.pop()
    return result


def read_codes():
    text = (ROOT / "mapping" / "codelist_iso3166.c").read_text()
    found = re.findall(r'VC_CODE_ASSIGNED, \.alpha2 = "..", \.alpha3 = "(...)", \.numeric = "(...)"',
                       text)
    return {numeric: alpha3 for alpha3, numeric in found}


def read_countries(topology):
    """Code -> (place, rings in units of the map). Small ones have a place and no rings."""
    codes, arcs = read_codes(), read_arcs(topology)
    thin = [simplified(arc) for arc in arcs]
    groups = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = country_code(geometry, codes)
        if code is not None:
            groups.setdefault(code, []).append(geometry)
    countries = {}
    for code, geometries in groups.items():
        rings = rings_of(geometries)
        if len(geometries) > 1:
            rings = rings[0] + stitched(rings[1], arcs)
        exact = [[placed(*p) for p in part] for ring in rings
                 for part in on_the_map(ring_points(ring, arcs))]
        largest = max(exact, key=lambda ring: abs(area_of(ring)))
        place = middle_of(largest)
        if (abs(area_of(largest)) < LEAST_COUNTRY
                and sum(abs(area_of(ring)) for ring in exact) < LEAST_ISLANDS):
            countries[code] = (place, [])
            continue
        shapes = [[placed(*p) for p in part] for ring in rings
                  for part in on_the_map(ring_points(ring, thin))]
        shapes = [rounded(ring) for ring in shapes if abs(area_of(ring)) >= LEAST_ISLAND]
        shapes = [ring for ring in shapes if len(ring) >= 3]
        countries[code] = (place, sorted(shapes, key=lambda ring: -abs(area_of(ring))))
    for code, place in PLACES.items():
        assert code not in countries
        countries[code] = (placed(*place), [])
    return countries


def wrapped(items):
    return ["    " + ", ".join(items[i:i + PER_LINE]) + "," for i in range(0, len(items), PER_LINE)]


def text(topology):
    countries = read_countries(topology)
    corners = [p for place, rings in countries.values() for p in [p for r in rings for p in r]]
    top, bottom = min(p[1] for p in corners), max(p[1] for p in corners)
    lines = [
        "/* The countries of the world: Natural Earth 4.1.0 (public domain) by way of world-atlas",
        " * 2.0.2. Made by tools/make-map.py: change that, not this file. */",
        "/* clang-format off */",
        '#include "report/map.h"',
        "",
        f"const double vc_map_width = {WIDTH}, vc_map_height = {bottom - top};",
        "",
    ]
    rows, sizes, points = [], [], []
    for code in sorted(countries):
        (x, y), rings = countries[code]
        rows.append(f'    {{"{code}", {round(x)}, {round(y) - top}, {len(sizes)}, {len(rings)}, '
                    f"{len(points)}}},")
        for ring in rings:
            sizes.append(str(len(ring)))
            points += [f"{px}, {py - top}" for px, py in ring]
    lines += [f"const size_t vc_map_ncountries = {len(rows)};", "",
              "const vc_map_country vc_map_countries[] = {"] + rows + ["};", "",
              "const uint32_t vc_map_rings[] = {"] + wrapped(sizes) + ["};", "",
              "const int16_t vc_map_points[] = {"] + wrapped(points) + ["};", ""]
    return "\n".join(lines)


def main():
    arguments = sys.argv[1:]
    is_check = arguments[:1] == ["--check"]
    if len(arguments) != 1 + is_check:
        sys.exit(__doc__)
    data = (pathlib.Path(arguments[-1]) / "countries-50m.json").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit("countries-50m.json is not that of world-atlas 2.0.2")
    made = text(json.loads(data))
    if not is_check:
        FILE.write_text(made)
    elif FILE.read_text() != made:
        sys.exit(f"{FILE.name} is not what tools/make-map.py makes")


main()
