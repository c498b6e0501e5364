"""From an XLSForm workbook to a questionnaire, or to all its faults by sheet, row and column."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from forms import document, questionnaire, xlsx
from forms.document import PLACE_WORDS
from forms.language import LANGUAGES, OFFICIAL
from forms.model import NO_ANSWER, Faulty, Questionnaire
from forms.xlsform_lines import Line, Made, lines
from forms.xlsform_survey import scale, survey
from forms.xlsform_write import OWN, SILENT


@dataclass(frozen=True, slots=True)
class Form:
    """A sound questionnaire: its text as it would be kept, its translations, and itself."""

    text: str
    translations: Mapping[str, str]
    questionnaire: Questionnaire


def read(file: BinaryIO, name: str = "") -> Form:
    """Read a workbook; ``name`` is that of the file, for the source.

    Raises
    ------
    Faulty
        ``faults`` names every fault with its sheet, row and column, in Vietnamese.
    """
    sheets = {sheet: list(lines(sheet, rows)) for sheet, rows in xlsx.read(file).items()}
    if missing := [sheet for sheet in ("survey", "settings") if not sheets.get(sheet)]:
        raise Faulty([f"Tệp thiếu trang “{sheet}”." for sheet in missing])
    made = Made({})
    _settings(made, sheets["settings"][0], name)
    _words(made, sheets.get("sipas_words", []))
    _choices(made, sheets.get("choices", []))
    for group in ("areas", "factors"):
        made.document[group] = [
            _group(made, line, group[:-1]) for line in sheets.get(f"sipas_{group}", [])
        ]
    survey(made, sheets["survey"])
    return _whole(made)


def _whole(made: Made) -> Form:
    """Check the document as any other questionnaire, each fault led back to its row."""
    made.document["languages"] = [OFFICIAL, *(tag for tag in LANGUAGES if tag in made.texts)]
    text = json.dumps(made.document, ensure_ascii=False, indent=1) + "\n"
    found = None
    try:
        found = questionnaire.parse(text)
        made.faults += [_placed(made, one) for one in questionnaire.sameness_faults(found)]
    except Faulty as wrong:
        made.faults += [_placed(made, fault) for fault in wrong.faults]
    translations: dict[str, document.Document] = {
        tag: {"language": tag, "texts": texts, "words": made.words.get(tag, {})}
        for tag, texts in made.texts.items()
    }
    if found is not None:
        for tag, catalogue in translations.items():
            wrong_texts = questionnaire.catalogue_faults(made.document, catalogue)
            made.faults += [f"Bản dịch ({tag}): {fault}" for fault in wrong_texts]
    if made.faults or found is None:
        raise Faulty(list(dict.fromkeys(made.faults)))
    kept = {
        tag: json.dumps(catalogue, ensure_ascii=False, indent=1) + "\n"
        for tag, catalogue in translations.items()
    }
    return Form(text, kept, found)


def _placed(made: Made, fault: str) -> str:
    known = re.match(r"Mục ([a-z0-9_]+)", fault)
    line = made.places.get(known[1]) if known else None
    return f"{line.at()}: {fault}" if line else fault


def _settings(made: Made, line: Line, name: str) -> None:
    key, title = line.get("form_id"), line.said(f"{OWN}title") or line.get("form_title")
    if not re.search(r"\.[0-9]+$", key) and line.get("version").isdigit():
        key = f"{key}.{line.get('version')}"
    for column, value in (("form_id", key), ("form_title", title)):
        if not value:
            made.faults.append(f"{line.at(column)}: để trống.")
    minutes, levels = (_whole_number(made, line, f"{OWN}{n}") for n in ("minutes", "index_scale"))
    for tag in LANGUAGES:
        if tag != OFFICIAL and (said := line.said(f"{OWN}title", tag)):
            made.texts.setdefault(tag, {})["title"] = said
    thanks = "Cảm ơn Ông/Bà đã tham gia trả lời khảo sát."
    made.document |= {
        "key": key,
        "title": title,
        "short": made.say("short", line, f"{OWN}short") or title,
        "intro": made.say("intro", line, f"{OWN}intro") or thanks,
        "minutes": minutes or 0,
        "index_scale": levels or 5,
        "source": line.get(f"{OWN}source") or f"Nhập từ tệp XLSForm {name}".strip(),
        "languages": [OFFICIAL],
        "words": {},
        "scales": {},
    }


def _whole_number(made: Made, line: Line, column: str) -> int | None:
    text = line.get(column)
    if text and not re.fullmatch(r"-?\d{1,6}", text):
        made.faults.append(f"{line.at(column)}: “{text[:40]}” phải là số nguyên.")
        return None
    return int(text) if text else None


def _words(made: Made, rows: list[Line]) -> None:
    for line in rows:
        name, word = line.get("name"), line.said("label")
        if name and name not in PLACE_WORDS:
            made.faults.append(f"{line.at('name')}: từ địa danh lạ “{name[:40]}”.")
        elif name:
            made.document["words"][name] = word
        for tag in LANGUAGES:
            if tag != OFFICIAL and (said := line.said("label", tag)):
                made.words.setdefault(tag, {})[word] = said


def _choices(made: Made, rows: list[Line]) -> None:
    for line in rows:
        name, code = line.get("list_name") or line.get("list name"), line.get("name")
        if not name:
            made.faults.append(f"{line.at('list_name')}: để trống.")
            continue
        if not re.fullmatch(r"[1-9]", code):
            made.faults.append(
                f"{line.at('name')}: mã “{code[:40]}” phải là một số từ 1 đến 8"
                f" ({NO_ANSWER}: không biết / không trả lời)."
            )
            continue
        held = made.document["scales"].setdefault(scale(name), [])
        if int(code) == NO_ANSWER:
            made.silent[name] = True
            continue
        if any(one["code"] == int(code) for one in held):
            if not name.endswith(SILENT) and name in made.silent:
                made.faults.append(f"{line.at('name')}: mã {code} được ghi hai lần.")
            continue
        made.silent.setdefault(name, False)
        one: dict[str, Any] = {"code": int(code)}
        one["label"] = made.say(f"scale.{scale(name)}.{code}", line, "label")
        if not one["label"]:
            made.faults.append(f"{line.at('label')}: để trống.")
        if line.get(f"{OWN}other").lower() in ("yes", "true", "1"):
            one["other"] = True
        held.append(one)


def _group(made: Made, line: Line, kind: str) -> dict[str, Any]:
    id = line.get("name")
    block = {"id": id, "name": made.say(f"{kind}.{id}", line, "label")}
    if not block["name"]:
        made.faults.append(f"{line.at('label')}: để trống.")
    return block | ({"area": line.get("area")} if kind == "factor" else {})
