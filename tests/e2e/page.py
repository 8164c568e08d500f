#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds an HTML page to what a report may be, and prints its text.

page.py FILE

Fails where tags do not pair, an element or attribute could run or fetch
anything, an id comes twice, or the page's own policy does not forbid both.
"""
import html.parser
import sys

VOID = {"meta", "br", "rect", "path"}
ELEMENTS = VOID | {
    "html", "head", "title", "style", "body", "header", "main", "footer",
    "section", "div", "p", "h1", "h2", "span", "b", "small", "bdi", "ul", "li",
    "table", "thead", "tbody", "tr", "th", "td", "svg", "figure", "figcaption",
}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "scope",
    "colspan", "data-l", "viewbox", "preserveaspectratio", "role", "aria-label",
    "aria-hidden", "x", "y", "width", "height", "d", "vector-effect",
}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.text = []
        self.policies = []

    def handle_starttag(self, tag, attrs):
        assert tag in ELEMENTS, f"<{tag}>"
        for name, value in attrs:
            assert name in ATTRIBUTES, f"<{tag} {name}={value!r}>"
        if tag == "meta" and ("http-equiv", "Content-Security-Policy") in attrs:
            self.policies.append(dict(attrs)["content"])
        if tag not in VOID or (tag in ("rect", "path") and
                               not self.get_starttag_text().endswith("/>")):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            for word in ("url", "import", "//", "\\"):
                assert word not in data, f"the style has {word}"
        else:
            self.text.append(data)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        source = f.read()
    assert source.startswith("<!DOCTYPE html>\n")
    assert source.count("://") == 0, "an address"
    page = Page()
    page.feed(source)
    page.close()
    assert page.open == [], page.open
    assert page.policies == [POLICY], page.policies
    print("".join(page.text))


main()
