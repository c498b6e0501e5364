"""A questionnaire as an XLSForm workbook: what other survey software reads, and we read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

from forms import questionnaire
from forms.language import LANGUAGES, OFFICIAL
from forms.model import NO_ANSWER

#: What XLSForm calls our languages.
NAMES = {
    "vi": "Vietnamese", "en": "English", "km": "Khmer", "hmn": "Hmong", "rad": "Rade",
    "jra": "Jarai",
}  # fmt: skip
#: Prefix of the columns that only we read.
OWN = "sipas::"
#: What stands before the id of a section, so that no question of that name is meant.
SECTION = "sec_"
#: Ends the name of a list with "Không biết / không trả lời" in it.
SILENT = f"_{NO_ANSWER}"
NO_ANSWER_LABELS = {"vi": "Không biết / không trả lời", "en": "Don't know / no answer"}
CONSENT_LABELS = {
    "vi": "Đồng ý được hỏi câu sau", "en": "Agrees to be asked the next question",
}  # fmt: skip
Sheet = list[dict[str, object]]


def write(key: str, file: BinaryIO) -> None:
    """Write a questionnaire with all its translations; equal content gives equal bytes.

    Raises LookupError for an unknown questionnaire.
    """
    import xlsxwriter

    sheets = tables(key)
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": key, "created": datetime(2026, 1, 1)})  # noqa: DTZ001
    bold = book.add_format({"bold": True, "bg_color": "#E0EBE6"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column, bold)
            wide = 60 if column.startswith(("label", "hint")) else 18
            sheet.set_column(at, at, wide, wrapped)
            for line, row in enumerate(rows, 1):
                if (value := row.get(column, "")) != "":
                    sheet.write_string(line, at, str(value))
        sheet.freeze_panes(1, 0)
    book.close()


def tables(key: str) -> dict[str, Sheet]:
    """Return the sheets of a questionnaire as rows, column -> value."""
    return _Tables(key).sheets()


class _Tables:
    """One questionnaire on its way to its sheets."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.form: dict[str, Any] = dict(questionnaire.source(key))
        tags = [tag for tag in LANGUAGES if tag in questionnaire.load(key).languages]
        self.texts: dict[str, Mapping[str, str]] = {
            tag: questionnaire.translated(key, tag) for tag in tags if tag != OFFICIAL
        }
        self.choices: dict[str, Sheet] = {}
        asked: list[str] = [id for section in self.form["sections"] for id in section["items"]]
        packed = [item["id"] for item in self.form["items"]]
        self.order = packed if asked != packed else []

    def sheets(self) -> dict[str, Sheet]:
        """Return all sheets in their order."""
        survey = [row for section in self.form["sections"] for row in self._section(section)]
        first = ("type", "name", *self._say("label", "", ""), *self._say("hint", "", ""))
        head = dict.fromkeys((*first, "required", "relevant", "constraint"), "")
        own = {"settings": [self._settings()], "sipas_words": self._words()}
        for group in ("areas", "factors"):
            blocks = self.form.get(group, [])
            own[f"sipas_{group}"] = [self._group(block, group[:-1]) for block in blocks]
        return {
            "survey": [head | row for row in survey],
            "choices": [row for rows in self.choices.values() for row in rows],
            **own,
        }

    def _say(self, column: str, key: str, text: str) -> dict[str, object]:
        """Return a text in every language, a column each."""
        said: dict[str, object] = {f"{column}::{NAMES[OFFICIAL]} ({OFFICIAL})": text}
        for tag, texts in self.texts.items():
            said[f"{column}::{NAMES[tag]} ({tag})"] = texts.get(key, "") if text else ""
        return said

    def _settings(self) -> dict[str, object]:
        form = self.form
        row: dict[str, object] = {
            "form_title": form["title"],
            "form_id": self.key,
            "version": self.key.rpartition(".")[2],
            "default_language": f"{NAMES[OFFICIAL]} ({OFFICIAL})",
        }
        for name in ("title", "short", "intro"):
            row |= self._say(f"{OWN}{name}", name, form[name])
        return row | {f"{OWN}{n}": form[n] for n in ("minutes", "index_scale", "source")}

    def _words(self) -> Sheet:
        held: dict[str, str] = self.form.get("words", {})
        rows = [{"name": name} | self._say("label", f"word:{w}", w) for name, w in held.items()]
        more = {
            key.removeprefix("word:")
            for texts in self.texts.values()
            for key in texts
            if key.startswith("word:")
        } - set(held.values())
        return rows + [{"name": ""} | self._say("label", f"word:{w}", w) for w in sorted(more)]

    def _group(self, block: Mapping[str, Any], kind: str) -> dict[str, object]:
        said = self._say("label", f"{kind}.{block['id']}", block["name"])
        return {"name": block["id"], **said} | ({"area": block["area"]} if kind == "factor" else {})

    def _section(self, section: Mapping[str, Any]) -> Sheet:
        id, number = section["id"], section.get("number", "")
        key = f"section.{id}"
        begin = {"type": "begin_group", "name": SECTION + id} | self._say(
            "label", key, section["title"]
        )
        rows: Sheet = [begin | self._number(key, number)]
        if intro := section.get("intro", ""):
            said = self._say("label", f"{key}.intro", intro)
            rows.append({"type": "note", "name": f"{SECTION}{id}_intro"} | said)
        items = {item["id"]: item for item in self.form["items"]}
        for name in section["items"]:
            rows += self._item(items[name])
        return [*rows, {"type": "end_group"}]

    def _number(self, key: str, number: str) -> dict[str, object]:
        if not number:
            return {}
        said = self._say(f"{OWN}number", f"{key}.number", number)
        digits = number.isdigit()  # the same in every language
        return {column: number if digits else text for column, text in said.items()}

    def _item(self, item: Mapping[str, Any]) -> Sheet:
        id, kind = item["id"], item["kind"]
        key, closed = f"item.{id}", kind not in ("text", "number")
        shown: dict[str, object] = {
            **self._say("label", key, item["text"]),
            **self._say("hint", f"{key}.note", item.get("note", "")),
            "required": "yes" if item.get("required", closed) else "",
            "relevant": self._relevant(item.get("when")),
            **self._number(key, item.get("number", "")),
        }
        for name in ("factor", "policy", "same_as"):
            shown[f"{OWN}{name}"] = item.get(name, "")
        if self.order:
            shown[f"{OWN}order"] = self.order.index(id) + 1
        rows = self._consent(item)
        if kind == "matrix":
            return [*rows, *self._matrix(item, shown)]
        if closed:
            word = "select_multiple" if kind == "multiple" else "select_one"
            shown["type"] = f"{word} {self._list(item)}"
            shown["appearance"] = "likert" if kind == "scale" else ""
        elif kind == "number":
            shown["type"] = "integer"
            shown["constraint"] = f". >= {item['minimum']} and . <= {item['maximum']}"
        else:
            shown["type"], shown["appearance"] = "text", "multiline"
            shown["constraint"] = f"string-length(.) <= {item.get('max_length', 2000)}"
        return [*rows, {"name": id, **shown}]

    def _consent(self, item: Mapping[str, Any]) -> Sheet:
        if not (consent := item.get("consent", "")):
            return []
        labels: dict[str, object] = {
            f"label::{NAMES[tag]} ({tag})": CONSENT_LABELS.get(tag, "")
            for tag in (OFFICIAL, *self.texts)
        }
        return [{"type": "acknowledge", "name": f"consent_{consent}", **labels}]

    def _matrix(self, item: Mapping[str, Any], shown: dict[str, object]) -> Sheet:
        id, list_name = item["id"], self._list(item)
        begin = {"type": "begin_group", "name": id, **shown, "appearance": "table-list"}
        rows: Sheet = [
            {
                "type": f"select_one {list_name}",
                "name": f"{id}_{row['id']}",
                **self._say("label", f"item.{id}.row.{row['id']}", row["label"]),
                "required": shown["required"],
                f"{OWN}policy": row.get("policy", ""),
            }
            for row in item["rows"]
        ]
        return [begin | {"required": ""}, *rows, {"type": "end_group"}]

    def _list(self, item: Mapping[str, Any]) -> str:
        """Return the name of an item's list of choices, writing it down when it is new."""
        scale = item.get("scale", "")
        name, key = scale or item["id"], f"scale.{scale}" if scale else f"item.{item['id']}.choice"
        found = self.form["scales"][scale] if scale else item["choices"]
        silent = item.get("no_answer", True)
        if silent:
            name += SILENT
        if name not in self.choices:
            self.choices[name] = [
                {
                    "list_name": name,
                    "name": one["code"],
                    **self._say("label", f"{key}.{one['code']}", one["label"]),
                    f"{OWN}other": "yes" if one.get("other") else "",
                }
                for one in found
            ]
            if silent:
                labels: dict[str, object] = {
                    f"label::{NAMES[tag]} ({tag})": NO_ANSWER_LABELS.get(tag, "")
                    for tag in (OFFICIAL, *self.texts)
                }
                last = {"list_name": name, "name": NO_ANSWER, **labels}
                self.choices[name].append(last)
        return str(name)

    def _relevant(self, rule: Mapping[str, Any] | None) -> str:
        if not rule:
            return ""
        column = rule["column"]
        name = column.replace(".", "_")
        if column.startswith("consent_"):
            return f"${{{name}}} = 'OK'"
        kinds = {item["id"]: item["kind"] for item in self.form["items"]}
        if kinds.get(column) == "multiple":
            return " or ".join(f"selected(${{{name}}}, '{code}')" for code in rule["any_of"])
        return " or ".join(f"${{{name}}} = '{code}'" for code in rule["any_of"])
