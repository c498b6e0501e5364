"""The sheet "survey" of an XLSForm workbook: groups, questions, lines of matrices, rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from forms.xlsform_lines import Line, Made
from forms.xlsform_write import OWN, SECTION, SILENT

#: Rows that other software fills in by itself; nothing of them is asked.
META = frozenset({"start", "end", "today", "deviceid", "username", "audit", "calculate_today"})
#: Seconds that an answer takes, where the file does not say how long the whole takes.
SECONDS = 12
_RULE = re.compile(r"(?:selected\(\s*)?\$\{([^{}]+)\}\s*(?:=|,)\s*'?(\w+)'?\s*\)?")
_RANGE = re.compile(r"\.\s*>=\s*(-?\d+)\s+and\s+\.\s*<=\s*(-?\d+)")
_LENGTH = re.compile(r"string-length\(\.\)\s*<=\s*(\d+)")
_ID = re.compile(r"[a-z0-9][a-z0-9_]*")


def scale(name: str) -> str:
    """Return our name of a list: its twin with "no answer" in it is the same scale."""
    return name.lower().removesuffix(SILENT).replace("-", "_")


def survey(made: Made, lines: list[Line]) -> None:
    """Walk down the rows: groups are sections, a group inside one is a matrix."""
    made.document |= {"sections": [], "items": []}
    open_groups: list[tuple[Line, dict[str, Any]]] = []
    for line in lines:
        kind, _, rest = (
            line.get("type")
            .replace("begin group", "begin_group")
            .replace("end group", "end_group")
            .partition(" ")
        )
        kind = kind.lower()
        if kind in META or not kind:
            if not kind and line.get("name"):
                made.faults.append(f"{line.at('type')}: để trống.")
            continue
        if kind == "end_group":
            if not open_groups:
                made.faults.append(f"{line.at('type')}: không có nhóm nào đang mở.")
            else:
                open_groups.pop()
        elif kind == "begin_group":
            _begin(made, line, open_groups)
        else:
            _question(made, line, kind, rest.strip(), open_groups)
    for line, _ in open_groups:
        made.faults.append(f"{line.at('type')}: nhóm không có end_group.")
    if made.order:  # packed in another order than asked
        made.document["items"].sort(key=lambda item: made.order.get(item["id"], 0))
    if not made.document["minutes"]:
        n = sum(len(item.get("rows", [])) or 1 for item in made.document["items"])
        made.document["minutes"] = max(1, round(n * SECONDS / 60))


def _begin(made: Made, line: Line, groups: list[tuple[Line, dict[str, Any]]]) -> None:
    name = line.get("name")
    if len(groups) > 1:
        made.faults.append(f"{line.at('type')}: nhóm lồng quá sâu; chỉ được phần, rồi bảng.")
    if groups:
        item = _head_of(made, line, "matrix")
        item["rows"] = []
        groups[-1][1].get("items", []).append(item["id"])
        groups.append((line, item))
        return
    if line.get("relevant"):
        made.faults.append(f"{line.at('relevant')}: điều kiện phải đặt ở từng câu, không ở phần.")
    id = name.removeprefix(SECTION)
    made.document["sections"].append(_section(made, line, id))
    groups.append((line, made.document["sections"][-1]))


def _section(made: Made, line: Line, id: str) -> dict[str, Any]:
    key = f"section.{id}"
    section: dict[str, Any] = {"id": id, "title": made.say(key, line, "label"), "items": []}
    if number := made.say(f"{key}.number", line, f"{OWN}number"):
        section["number"] = number
    if not section["title"]:
        made.faults.append(f"{line.at('label')}: để trống.")
    return section


def _question(
    made: Made, line: Line, kind: str, rest: str, groups: list[tuple[Line, dict[str, Any]]]
) -> None:
    if kind == "note":
        section = groups[-1][1] if len(groups) == 1 else None
        if section is None or section["items"] or "intro" in section:
            made.faults.append(f"{line.at('type')}: note chỉ đứng ngay sau begin_group của phần.")
        else:
            section["intro"] = made.say(f"section.{section['id']}.intro", line, "label")
        return
    if kind == "acknowledge":
        if not line.get("name").startswith("consent_"):
            made.faults.append(f"{line.at('name')}: acknowledge phải có tên như consent_ethnicity.")
        return
    if len(groups) == 2:
        _row(made, line, kind, rest, groups[-1][1])
        return
    if not groups:
        _loose(made)
    section = groups[-1][1] if groups else made.document["sections"][-1]
    if kind not in _KINDS:
        made.faults.append(f"{line.at('type')}: loại “{kind[:40]}” chưa hỗ trợ.")
        return
    item = _head_of(made, line, _KINDS[kind](line))
    section["items"].append(item["id"])
    if kind.startswith("select"):
        _choose(made, line, item, rest)
    elif kind == "integer":
        found = _RANGE.fullmatch(line.get("constraint"))
        if found is None:
            made.faults.append(
                f"{line.at('constraint')}: cần giới hạn, ví dụ . >= 18 and . <= 110."
            )
        else:
            item |= {"minimum": int(found[1]), "maximum": int(found[2])}
    elif found := _LENGTH.fullmatch(line.get("constraint")):
        item["max_length"] = int(found[1])
    elif line.get("constraint"):
        made.faults.append(f"{line.at('constraint')}: chỉ hỗ trợ string-length(.) <= số.")


def _loose(made: Made) -> None:
    """Questions outside any group stand in a section of their own."""
    sections = made.document["sections"]
    if not sections or not sections[-1]["id"].startswith("phan_"):
        title = made.document["short"]
        sections.append({"id": f"phan_{len(sections) + 1}", "title": title, "items": []})


def _likert(line: Line) -> str:
    likert = "likert" in line.get("appearance") or line.get(f"{OWN}factor")
    return "scale" if likert else "single"


_KINDS: Mapping[str, Callable[[Line], str]] = {
    "select_one": _likert,
    "select_multiple": lambda _: "multiple",
    "integer": lambda _: "number",
    "text": lambda _: "text",
}


def _head_of(made: Made, line: Line, kind: str) -> dict[str, Any]:
    """Return what every item has, and keep it in the document."""
    id = line.get("name")
    if not _ID.fullmatch(id):
        made.faults.append(
            f"{line.at('name')}: “{id[:40]}” chỉ được gồm chữ thường không dấu, số và “_”."
        )
    elif id in made.places:
        made.faults.append(f"{line.at('name')}: “{id}” đã dùng ở dòng {made.places[id].number}.")
    made.places.setdefault(id, line)
    key = f"item.{id}"
    item: dict[str, Any] = {"id": id, "kind": kind, "text": made.say(key, line, "label")}
    if not item["text"]:
        made.faults.append(f"{line.at('label')}: để trống.")
    for name, column, end in (("number", f"{OWN}number", ".number"), ("note", "hint", ".note")):
        if text := made.say(key + end, line, column):
            item[name] = text
    item["required"] = line.get("required").lower() in ("yes", "true", "true()", "1")
    item |= {n: line.get(f"{OWN}{n}") for n in ("factor", "policy", "same_as") if line.get(OWN + n)}
    if line.get("relevant"):
        _relevant(made, line, item)
    if order := line.get(f"{OWN}order"):
        made.order[id] = int(order) if order.isdecimal() else 0
    made.columns[id] = id
    made.document["items"].append(item)
    return item


def _relevant(made: Made, line: Line, item: dict[str, Any]) -> None:
    """Read a rule: one question, one or more of its codes, joined by "or"."""
    parts = re.split(r"\s+or\s+", line.get("relevant"))
    found = [_RULE.fullmatch(part.strip()) for part in parts]
    names = {one[1].strip() for one in found if one}
    if None in found or len(names) != 1:
        made.faults.append(
            f"{line.at('relevant')}: chỉ hỗ trợ một câu với các mã của nó, nối bằng or,"
            " ví dụ ${c1} = '1' or ${c1} = '2'."
        )
        return
    name, codes = names.pop(), [one[2] for one in found if one]
    if name.startswith("consent_"):
        item["consent"] = name.removeprefix("consent_")
        item["when"] = {"column": name, "any_of": [1]}
        return
    if not all(re.fullmatch(r"[1-9]", code) for code in codes):
        made.faults.append(f"{line.at('relevant')}: mã phải là số từ 1 đến 9.")
        return
    column = made.columns.get(name, name)
    item["when"] = {"column": column, "any_of": [int(code) for code in codes]}


def _choose(made: Made, line: Line, item: dict[str, Any], rest: str) -> None:
    """Give an item the list of its choices."""
    words = rest.split()
    name = words[0] if words else ""
    if len(words) > 1:
        made.faults.append(f"{line.at('type')}: “{' '.join(words[1:])[:40]}” chưa hỗ trợ.")
    if name not in made.silent:
        made.faults.append(f"{line.at('type')}: trang “choices” không có danh sách “{name[:40]}”.")
        item["choices"] = [{"code": 1, "label": "?"}, {"code": 2, "label": "??"}]
        return
    item["scale"] = scale(name)
    item["no_answer"] = made.silent[name]


def _row(made: Made, line: Line, kind: str, rest: str, item: dict[str, Any]) -> None:
    """Read one line of a matrix; all its lines have one list."""
    if kind != "select_one":
        made.faults.append(f"{line.at('type')}: dòng của bảng phải là select_one.")
        return
    name = line.get("name")
    id = name.removeprefix(f"{item['id']}_")
    made.columns[name] = f"{item['id']}.{id}"
    row = {"id": id, "label": made.say(f"item.{item['id']}.row.{id}", line, "label")}
    if not row["label"]:
        made.faults.append(f"{line.at('label')}: để trống.")
    if policy := line.get(f"{OWN}policy"):
        row["policy"] = policy
    first = not item["rows"]
    item["rows"].append(row)
    if first:
        _choose(made, line, item, rest)
        item["required"] = line.get("required").lower() in ("yes", "true", "true()", "1")
    elif rest.split() and scale(rest.split()[0]) != item.get("scale"):
        made.faults.append(f"{line.at('type')}: mọi dòng của một bảng dùng chung một danh sách.")
