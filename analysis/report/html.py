"""Writes a report as one page for a browser: nothing to load, readable aloud, fit to print."""

from __future__ import annotations

from html import escape
from itertools import count
from pathlib import Path
from typing import BinaryIO

from analysis.report import beside, model
from analysis.report.decree import MOTTO, STATE
from analysis.report.faces import line, plain, register
from analysis.report.numbers import day
from analysis.report.pens import Chart, pictures
from analysis.report.svg import svg

STAMP = "DỮ LIỆU MÔ PHỎNG"
STYLE = Path(__file__).with_name("page.css")


def write(report: model.Report, file: BinaryIO) -> None:
    """Write ``report`` into ``file`` (UTF-8); equal reports give equal bytes."""
    register()
    page = _Page()
    parts = "".join(map(page.block, report.blocks))
    classes = ' class="synthetic"' if report.synthetic else ""
    ribbon = f'<p class="stamp" role="note">{STAMP}</p>' if report.synthetic else ""
    foot = f'<p class="stamp foot">{STAMP}</p>' if report.synthetic else ""
    file.write(
        f"""<!doctype html>
<html lang="vi"{classes}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="author" content="{escape(line(report.author))}">
<meta name="dcterms.created" content="{report.created.isoformat()}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(line(report.title))}</title>
<style>
{STYLE.read_text("utf-8")}</style>
</head>
<body>
<main>
{ribbon}{parts}{page.end()}{foot}</main>
</body>
</html>
""".encode()
    )


class _Page:
    """The page as it grows: which sections are open, and numbers for ids."""

    def __init__(self) -> None:
        self.ids = count(1)
        self.annex = self.titled = False

    def end(self) -> str:
        """Close what is open."""
        return "</section>\n" if self.annex else ""

    def block(self, block: model.Block) -> str:
        """One block; one line a kind."""
        match block:
            case model.Masthead():
                return _masthead(block)
            case model.Title():
                return self._title(block)
            case model.Addressed():
                return _addressed(block)
            case model.Heading():
                level = min(block.level, 2) + (2 if self.annex else 1)
                return f"<h{level}>{_own(block.text)}</h{level}>\n"
            case model.Paragraph():
                foreign = block.role == "voice"
                said = _runs(block.runs, foreign=foreign)
                return f'<p class="{block.role}">{said}</p>\n'
            case model.Table():
                return self._table(block)
            case model.MethodBox():
                rows = (f"<dt>{_own(k)}</dt><dd>{_runs(v)}</dd>" for k, v in block.rows)
                return f'<dl class="method">{"".join(rows)}</dl>\n'
            case model.SignOff():
                return _sign_off(block)
            case model.Annex():
                return self._annex(block)
            case model.PageBreak() | model.Turn():
                return ""
            case _:
                return self._figure(block)

    def _title(self, head: model.Title) -> str:
        lines = "<br>".join(map(_own, head.lines))
        if self.titled:  # a paper of several documents has one first heading
            return f'<h2 class="title">{_own(head.kind)}<br>{lines}</h2>\n'
        self.titled = True
        return f'<h1 class="title">{_own(head.kind)}<br>{lines}</h1>\n'

    def _annex(self, head: model.Annex) -> str:
        before, self.annex = self.end(), True
        name = f"phu-luc-{next(self.ids)}"
        lines = "<br>".join(map(_own, head.lines))
        return (
            f'{before}<section class="annex" aria-labelledby="{name}">\n'
            f'<h2 class="title" id="{name}">{_own(head.name)}<br>{lines}</h2>\n'
            f'<p class="belongs">({_own(head.belongs)})</p>\n'
        )

    def _table(self, table: model.Table, caption: str = "", *, bare: bool = False) -> str:
        said = caption or table.caption
        unit = f'<span class="unit">{_own(table.unit)}</span>' if table.unit else ""
        head = f"<caption>{_own(said)}{unit}</caption>" if said or unit else ""
        heads = "".join(
            f'<th scope="col" class="{column.align}">{_lines(column.head)}</th>'
            for column in table.columns
        )
        whole = sum(column.width for column in table.columns) or 1
        sizes = "".join(f'<col style="width:{100 * c.width / whole:.1f}%">' for c in table.columns)
        rows = "".join(_row(row, table.columns) for row in table.rows)
        label = _own(said) or f"Bảng {next(self.ids)}"
        wide = ' class="wide"' if len(table.columns) > 3 else ""
        note = f'<p class="note">{_own(table.note)}</p>' if table.note and not bare else ""
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
            f"<table{wide}>{head}<colgroup>{sizes}</colgroup>"
            f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>{note}\n"
        )

    def _figure(self, chart: Chart) -> str:
        name = f"hinh-{next(self.ids)}"
        label = f"{line(chart.caption)} (số liệu trong bảng kèm theo)"
        drawn = "".join(svg(one, label) for one in pictures(chart))
        note = f'<p class="note">{_own(chart.note)}</p>' if chart.note else ""
        said = f"Số liệu: {line(chart.caption)}"
        return (
            f'<figure aria-labelledby="{name}"><div class="scroll" role="region" tabindex="0"'
            f' aria-label="{escape(line(chart.caption))}">{drawn}</div>'
            f'<figcaption id="{name}">{_own(chart.caption)}</figcaption>{note}'
            f"<details><summary>Bảng số liệu của hình</summary>"
            f"{self._table(beside.table(chart), said, bare=True)}</details></figure>\n"
        )


def _own(text: str) -> str:
    return escape(line(text))


def _lines(text: str) -> str:
    return "<br>".join(map(_own, text.split("\n")))


def _runs(runs: tuple[model.Run, ...], *, foreign: bool = False) -> str:
    out = []
    for run in runs:
        text = escape(plain(run.text) if foreign else line(run.text))
        text = f"<strong>{text}</strong>" if run.bold else text
        out.append(f"<em>{text}</em>" if run.italic else text)
    return "".join(out)


def _row(row: model.Row, columns: tuple[model.Column, ...]) -> str:
    kind = f' class="{row.weight}"' if row.weight != "plain" else ""
    cells, named = [], _named(row, columns)
    for i, cell in enumerate(row.cells):
        across = len(columns) - 1 if row.weight == "group" and i == 1 else 1
        span = f' colspan="{across}"' if across > 1 else ""
        align = "left" if across > 1 else columns[i].align
        tag = 'th scope="row"' if i == named else "td"
        bold = " strong" if columns[i].bold else ""
        said = escape(plain(cell, 600))
        cells.append(f'<{tag} class="{align}{bold}"{span}>{said}</{tag[:2]}>')
    return f"<tr{kind}>{''.join(cells)}</tr>\n"


def _named(row: model.Row, columns: tuple[model.Column, ...]) -> int:
    """The cell that says what a row is about: the first with words at the left."""
    left = (i for i in range(len(row.cells)) if columns[i].align == "left" and row.cells[i])
    return next(left, -1)


def _masthead(head: model.Masthead) -> str:
    parent = f"{_own(head.parent)}<br>" if head.parent else ""
    number = _own(head.number).replace("  ", "\u2002")  # room for what the office writes in
    place = f"{_own(head.place)}, " if head.place else ""
    return (
        '<header class="masthead">'
        f'<p class="agency">{parent}<strong>{_own(head.agency)}</strong></p>'
        f'<p class="state"><strong>{STATE}</strong><br><strong class="motto">{MOTTO}</strong></p>'
        f'<p class="number">{number}</p>'
        f'<p class="date"><em>{place}{day(head.on)}</em></p></header>\n'
    )


def _addressed(block: model.Addressed) -> str:
    if len(block.to) == 1:
        return f'<p class="to">Kính gửi: {_own(block.to[0])}</p>\n'
    items = _items(block.to)
    return f'<div class="to"><p>Kính gửi:</p><ul>{items}</ul></div>\n'


def _items(said: tuple[str, ...]) -> str:
    """Each ends as an official list does."""
    last = len(said) - 1
    return "".join(f"<li>{_own(who)}{'.' if n == last else ';'}</li>" for n, who in enumerate(said))


def _sign_off(block: model.SignOff) -> str:
    items = _items(block.receivers)
    titles = "<br>".join(map(_own, block.titles))
    name = f'<p class="name">{_own(block.name)}</p>' if block.name else ""
    return (
        '<footer class="sign"><div class="receivers"><p><strong><em>Nơi nhận:</em></strong></p>'
        f'<ul>{items}</ul></div><div class="signer"><p><strong>{titles}</strong></p>{name}'
        "</div></footer>\n"
    )
