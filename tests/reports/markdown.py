"""Markdown read by GitHub's converter says what the page of HTML says: the same headings, the same
words, the same tables cell by cell, and nothing that a text of the data has made of itself."""

import html.parser
import os
import re
import subprocess
import sys

SAMPLE = 20  # documents of a sweep
# What our Markdown is meant to become.
MEANT = set("h1 h2 h3 p table thead tbody tr th td ul li strong em code br blockquote a".split())


def squeezed(text):
    return " ".join(text.split())


class Reader(html.parser.HTMLParser):
    """Headings, words and tables of a page. Tables without spans: what spans stands everywhere."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.headings, self.tables, self.links = set(), [], [], []
        self.words, self.inside, self.cell, self.hidden = [], [], None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("br", "meta"):
            self.words.append(" ")
            return
        self.tags.add(tag)
        self.inside.append(tag)
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append({"head": "thead" in self.inside, "cells": []})
        elif tag in ("th", "td"):
            self.cell = {"text": "", "th": tag == "th", "right": int(attributes.get("colspan", 1)),
                         "down": int(attributes.get("rowspan", 1))}
            self.tables[-1][-1]["cells"].append(self.cell)
        elif tag in ("h1", "h2", "h3"):
            self.headings.append("")
        elif tag == "sup" and self.cell is not None:
            self.cell["text"] += " ("

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass
        if tag == "sup" and self.cell is not None:
            self.cell["text"] += ")"
        if tag in ("th", "td"):
            self.cell = None
        if tag not in ("b", "i", "span", "strong", "em", "a", "code", "abbr", "sup"):
            self.words.append(" ")

    def handle_data(self, data):
        if not {"style", "svg", "title"} & set(self.inside):
            self.words.append(data)
        if self.cell is not None:
            self.cell["text"] += data
        elif self.headings and self.inside and self.inside[-1] in ("h1", "h2", "h3"):
            self.headings[-1] += data

    def handle_startendtag(self, tag, attributes):
        if tag != "br":
            self.tags.add(tag)


def laid_out(table):
    """Rows of texts, one for each row and column."""
    rows = [[] for _ in table]
    taken = {}
    for r, row in enumerate(table):
        c = 0
        for cell in row["cells"]:
            while (r, c) in taken:
                c += 1
            for down in range(cell["down"]):
                for right in range(cell["right"]):
                    taken[r + down, c + right] = squeezed(cell["text"])
            c += cell["right"]
        rows[r] = [taken[r, at] for at in range(max([k[1] for k in taken if k[0] == r], default=-1) + 1)]
    return rows


def same_table(page, text):
    nheads = sum(row["head"] for row in page)
    bodies = [cell["th"] for cell in page[nheads]["cells"]]
    corners = sum(cell["right"] for cell in page[nheads]["cells"] if cell["th"])
    assert bodies
    page, text = laid_out(page), laid_out(text)
    for row, other in zip(page[nheads:], text[1:], strict=True):
        # A total of all stands over several heads in HTML, at the first of them here.
        other = [left if not right and left == "Total" else right for left, right in zip(row, other, strict=True)]
        assert row == other, f"{row}\n{other}"
    for column in range(corners, len(page[0]) if page else 0):
        parts = []
        for row in page[:nheads]:
            if not (parts and parts[-1] == row[column] == "Total"):
                parts.append(row[column])
        assert " · ".join(parts) == text[0][column], f"{parts} {text[0][column]}"


def compare(folder, name):
    markdown = open(os.path.join(folder, name + ".md"), encoding="utf-8").read()
    done = subprocess.run(["cmark-gfm", "-e", "table", "-e", "strikethrough", "-e", "autolink", "-e", "tasklist",
                           "--unsafe"], input=markdown, capture_output=True, text=True, check=True)
    text = Reader(done.stdout)
    page = Reader(open(os.path.join(folder, name + ".html"), encoding="utf-8").read())
    assert text.tags <= MEANT, text.tags - MEANT
    assert all(link.startswith(("https://", "http://")) for link in text.links), text.links
    assert list(map(squeezed, text.headings)) == list(map(squeezed, page.headings))
    # A table of figures is a list in HTML.
    tables = [t for t in text.tables if any(cell["text"] for cell in t[0]["cells"])]
    assert len(tables) == len(page.tables)
    for left, right in zip(page.tables, tables):
        same_table(left, right)
    words = squeezed("".join(text.words))
    for paragraph in re.findall(r'<p dir="auto"[^>]*>(.*?)</p>',
                                open(os.path.join(folder, name + ".html"), encoding="utf-8").read(), re.S):
        wanted = squeezed(html.unescape(paragraph))
        assert wanted in words, wanted


def main():
    passed = failed = 0
    for folder, _, files in sorted(os.walk(os.environ["REPORTS_FOLDER"])):
        names = sorted(os.path.splitext(file)[0] for file in files if file.endswith(".md"))
        step = 1 if folder.endswith("fixtures") else max(1, len(names) // SAMPLE)
        for name in names[::step]:
            try:
                compare(folder, name)
                passed += 1
            except Exception as error:
                failed += 1
                print(f"FAILED {folder}/{name}: {str(error)[:1500]}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
