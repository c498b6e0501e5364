"""A Stata do-file that reads the CSV, labels it, sets the survey design and estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from survey.datafiles import names
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.design import Design, Margins
    from survey.datafiles.extract import Extract

#: What a stratum with one PSU contributes: our word -> Stata's.
LONELY = {
    "adjust": "centered",
    "average": "scaled",
    "certainty": "certainty",
    "remove": "certainty",
    "fail": "missing",
}


def script(extract: Extract, design: Design, data: str, *, dta: str = "") -> str:
    """The do-file for the CSV file called ``data``; with ``dta`` only the design, for it."""
    short = names.short(extract.columns)
    parts = [f"* {extract.title}\n* {t('data.syntax.head')}\nversion 15"]
    if dta:
        parts.append(f'use "{dta}", clear')
    else:
        parts += [_read(extract, short, data), _labels(extract, short)]
    if extract.sampled:
        parts += [_design(extract, design, short), _index(design, short)]
    else:
        parts.append(f"* {t('data.syntax.no_design')}")
    return "\n".join(parts) + "\n"


def _read(extract: Extract, short: Mapping[str, str], data: str) -> str:
    columns = extract.columns
    texts = [str(n) for n, c in enumerate(columns, 1) if c.kind == "text"]
    numbers = [str(n) for n, c in enumerate(columns, 1) if c.kind != "text"]
    lines = [
        f'import delimited using "{data}", clear varnames(nonames) rowrange(2) ///',
        '    encoding("utf-8") bindquotes(strict) maxquotedrows(unlimited) delimiters(",") ///',
        f"    stringcols({' '.join(texts)}) numericcols({' '.join(numbers)})",
    ]
    lines += [f"rename v{n} {short[c.name]}" for n, c in enumerate(columns, 1)]
    lines.append(f"assert _N == {extract.n}")
    return "\n".join(lines)


def _labels(extract: Extract, short: Mapping[str, str]) -> str:
    seen, lines = names.Shortened(), []
    for column in extract.columns:
        name = short[column.name]
        lines.append(f"label variable {name} {_text(names.label(column, 'dta', seen))}")
        if column.kind != "code":
            continue
        if column.silent:
            lines.append(f"recode {name} (9=.a)")
        pairs = names.values(column, "dta", seen).items()
        words = " ".join(f"{'.a' if code == 9 else code} {_text(text)}" for code, text in pairs)
        lines += [f"label define {name} {words}", f"label values {name} {name}"]
    return "\n".join(lines)


def _design(extract: Extract, design: Design, short: Mapping[str, str]) -> str:
    lines = []
    if design.partial:
        lines.append(f"* {t('data.syntax.partial')}")
    fpc = ""
    if design.fpc:
        fpc = f" fpc({short['fpc']})"
    weight = short[design.weight]
    fitted = ""
    if (made := design.margins) is not None:
        if made.trimmed or made.method == "logit":
            lines.append(f"* {t('data.syntax.stata_fitted')}")
            weight = short["weight"]
        else:
            prepared, fitted = _fitted(made, short)
            lines += prepared
    lines += [
        f"egen long stratum_n = group({short['stratum']})",
        f"egen long psu_n = group({short['stratum']} {short['psu']})",
        f"svyset psu_n [pweight={weight}], strata(stratum_n){fpc}"
        f" singleunit({LONELY[extract.wave.lonely]}){fitted}",
        "svydescribe",
    ]
    return "\n".join(lines)


def _fitted(made: Margins, short: Mapping[str, str]) -> tuple[list[str], str]:
    """Margins as numbered groups, and the option that fits the weights to them."""
    lines, terms = [f"* {t('data.syntax.margins')}"], []
    totals = [f"_cons={sum(next(iter(made.targets.values())).values())!r}"]
    for number, (column, cells) in enumerate(made.targets.items(), 1):
        lines.append(f"gen int m{number} = .")
        for code, (label, target) in enumerate(cells.items(), 1):
            lines.append(f"replace m{number} = {code} if {short[column]} == {_text(label)}")
            totals.append(f"{code}.m{number}={target!r}")
        terms.append(f"i.m{number}")
    how = "rake" if made.method == "rake" else "regress"
    return lines, f" ///\n    {how}({' '.join(terms)}, totals({' '.join(totals)}))"


def _index(design: Design, short: Mapping[str, str]) -> str:
    """Points of every item with its base; ratios carry their joint covariance."""
    lines = [f"* {t('data.syntax.index')}"]
    if design.experienced:
        asked, only = design.experienced
        any_of = " | ".join(f"{short[a]} == 1" for a in asked)
        lines += [f"* {t('data.syntax.experienced')}", f"gen byte co_giao_dich = {any_of}"]
        lines += [f"replace {short[o]} = . if !co_giao_dich" for o in only]
    ratios = []
    for item in design.items:
        name = short[item]
        lines.append(f"gen byte ms_{name} = !missing({name})")
        lines.append(f"gen double tu_{name} = 0")
        for level, point in enumerate(design.points, 1):
            if point:
                lines.append(f"replace tu_{name} = {point!r} if {name} == {level}")
        ratios.append(f"({name}: tu_{name}/ms_{name})")
    lines.append("svy: ratio " + " ".join(ratios))
    for kind, name, weights, pooled in design.composites:
        lines.append(f"* {kind} {name}")
        if pooled:
            over = " + ".join(f"tu_{short[i]}" for i in weights)
            base = " + ".join(f"ms_{short[i]}" for i in weights)
            safe = "".join(c if c.isalnum() else "_" for c in name)
            lines += [f"gen double tu__{safe} = {over}", f"gen double ms__{safe} = {base}"]
            lines.append(f"svy: ratio tu__{safe}/ms__{safe}")
            lines.append("quietly svy: ratio " + " ".join(ratios))
        else:
            terms = " + ".join(f"{w!r}*[{short[i]}]" for i, w in weights.items())
            lines.append(f"lincom {terms.replace('[', '_b[')}")
    return "\n".join(lines)


def _text(value: str) -> str:
    """A text with any letters: compound quotes hold quotes."""
    return '`"' + value.replace("`", "'").replace("\n", " ") + "\"'"
