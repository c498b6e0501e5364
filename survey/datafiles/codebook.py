"""What goes with a file in words: its variables as a table, and a guide to read first."""

from __future__ import annotations

import io
import sqlite3
from typing import TYPE_CHECKING

from survey import exports
from survey.datafiles import names
from survey.datafiles.variables import SILENT
from survey.text import t, thousands

if TYPE_CHECKING:
    from survey.datafiles.design import Design
    from survey.datafiles.extract import Extract


def table(extract: Extract) -> str:
    """A row a code: column, name in other programs, label, code, meaning, whether missing."""
    short = names.short(extract.columns)
    keys = ("name", "short", "label", "code", "meaning", "missing")
    rows: list[list[object]] = []
    for column in extract.columns:
        pairs = [(str(code), words, "") for code, words in (column.values or column.words).items()]
        pairs += [("9", SILENT, "x")] if column.silent else []
        rows += [
            [column.name, short[column.name], column.label, code, words, missing]
            for code, words, missing in pairs or [("", "", "")]
        ]
    out = io.StringIO(newline="")
    exports.write(out, [t(f"data.book.{key}") for key in keys], rows)
    return "\ufeff" + out.getvalue()


def guide(extract: Extract, design: Design, name: str) -> str:
    """A page to read first."""
    lines = [
        extract.title,
        "",
        t("data.guide.what", n=thousands(extract.n), on=f"{extract.on:%d/%m/%Y}"),
        t(f"data.level.{extract.ask.level}.what"),
        "",
        t("data.guide.counts"),
        *(f"  {t(f'data.count.{key}')}: {thousands(n)}" for key, n in extract.accounts.items()),
        "",
        t("data.guide.codes", silent=SILENT),
        t("data.guide.formula"),
        "",
        t("data.guide.files"),
        f"  {name}.csv: {t('data.guide.csv')}",
        f"  {name}-bien.csv: {t('data.guide.book')}",
        f"  {name}-ddi.xml: {t('data.guide.ddi')}",
        f"  {name}.R, {name}.sps, {name}.do: {t('data.guide.syntax')}",
        f"  manifest.json: {t('data.guide.manifest')}",
    ]
    if extract.sampled:
        lines += [
            f"  DESIGN.toml: {t('data.guide.design')}",
            f"      sipas estimate DESIGN.toml {name}.csv",
        ]
        if design.partial:
            lines += ["", t("data.syntax.partial")]
        if design.stale:
            lines += ["", t("data.guide.stale", wave=extract.wave.key)]
        if extract.ask.level == "public":
            lines += ["", t("data.guide.public_weights")]
    else:
        lines += ["", t("data.syntax.no_design")]
    if extract.wave.synthetic:
        lines += ["", t("data.guide.synthetic")]
    return "\n".join(lines) + "\n"


def toml(extract: Extract, design: Design, db: sqlite3.Connection) -> str:
    """DESIGN.toml for ``sipas estimate`` with the CSV of the same name."""
    from survey.weighting import designfile

    return designfile.settings(extract, design, db)
