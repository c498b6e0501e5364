"""What every page must be, whoever opens it: checked by the test client on each answer."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
#: HTML allows these to stay open; ours close them all the same, or are SVG shapes.
FREE = {"circle", "line", "rect", "path", "polygon", "use", "ellipse", "polyline"}
UNLABELLED = {"hidden", "submit", "button"}


class Page(HTMLParser):
    """Reads a page and notes its faults."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.wanted: list[tuple[str, str]] = []  # (what refers, id)
        self.controls: list[tuple[str, bool]] = []  # (id, labelled already)
        self.headings: list[int] = []
        self.open: list[str] = []
        self.lang = self.title = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in VOID | FREE:
            self.open.append(tag)
        if tag == "html":
            self.lang = facts.get("lang") or ""
        if "id" in facts:
            self.ids.append(facts["id"])
        self._code(tag, facts)
        self._references(tag, facts)
        self._control(tag, facts)
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append(int(tag[1]))
        if tag == "img" and "alt" not in facts:
            self.faults.append("img without alt")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID | FREE:
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
            return
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.title += data.strip()

    def _code(self, tag, facts):
        if tag == "style" or (tag == "script" and not facts.get("src")):
            self.faults.append(f"inline <{tag}>")
        self.faults += [f"{tag} {name}=" for name in facts if name == "style" or name[:2] == "on"]

    def _references(self, tag, facts):
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            self.wanted += [(f"{tag} {name}", id) for id in (facts.get(name) or "").split()]
        if tag == "label" and facts.get("for"):
            self.labels.add(facts["for"])
            self.wanted.append(("label for", facts["for"]))
        if tag == "a" and (facts.get("href") or "").startswith("#") and len(facts["href"]) > 1:
            self.wanted.append(("a href", facts["href"][1:]))

    def _control(self, tag, facts):
        kind = facts.get("type", "text")
        if tag not in {"input", "select", "textarea"} or kind in UNLABELLED:
            return
        named = "label" in self.open or facts.keys() & {"aria-label", "aria-labelledby"}
        if facts.get("aria-hidden") != "true":
            self.controls.append((facts.get("id", ""), bool(named)))


def faults(text: str) -> list[str]:
    """Return everything wrong with a page, empty when nothing is."""
    page = Page(text)
    found = list(page.faults)
    if page.lang not in {"vi", "en"}:
        found.append(f"html lang={page.lang!r}")
    if not page.title:
        found.append("no title")
    if page.open:
        found.append(f"left open: {page.open}")
    if page.headings.count(1) != 1:
        found.append(f"{page.headings.count(1)} h1")
    steps = zip([0, *page.headings], page.headings, strict=False)
    found += [f"h{b} after h{a}" for a, b in steps if b > a + 1]
    found += [f"id {id} twice" for id in sorted(set(page.ids)) if page.ids.count(id) > 1]
    found += [f"{what} #{id}: no such id" for what, id in page.wanted if id not in page.ids]
    found += [
        f"#{id} unlabelled" for id, named in page.controls if not named and id not in page.labels
    ]
    return found
