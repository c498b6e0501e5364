"""From the text of a questionnaire file to a Questionnaire, or to all the faults of the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forms import shape
from forms.document import PLACE_WORDS, Document, decode, digest, text_faults
from forms.model import (
    CODES,
    NO_ANSWER,
    Area,
    Choice,
    Factor,
    Faulty,
    Item,
    Questionnaire,
    Row,
    Rule,
    Section,
)

#: Questionnaire key -> its item ids, or None when there is no such questionnaire.
Elsewhere = Callable[[str], frozenset[str] | None]
Blocks = list[dict[str, Any]]


def read(text: str, elsewhere: Elsewhere) -> Questionnaire:
    """Read a questionnaire file.

    Raises
    ------
    Faulty
        With every fault of the file, each naming its place.
    """
    document = decode(text)
    faults: list[str] = []
    clean = _shape(document, faults)
    faults += [fault for fault in _faults(clean, elsewhere) if fault not in faults]
    if faults:
        raise Faulty(faults)
    return build(document)


def build(document: Document, of: str = "") -> Questionnaire:
    """Build the questionnaire from a document without faults; ``of`` is the digest to carry."""
    clean = _shape(document, [])
    items = tuple(_item(block, clean["scales"]) for block in clean["items"])
    factors = tuple(
        Factor(
            block["id"],
            block["name"],
            block["area"],
            tuple(item.id for item in items if item.factor == block["id"]),
        )
        for block in clean["factors"]
    )
    areas = tuple(
        Area(
            block["id"],
            block["name"],
            tuple(factor.id for factor in factors if factor.area == block["id"]),
        )
        for block in clean["areas"]
    )
    sections = tuple(
        Section(s["id"], s["title"], s["intro"], s["number"], tuple(s["items"]))
        for s in clean["sections"]
    )
    names = ("key", "title", "short", "intro", "minutes", "index_scale", "source", "words")
    return Questionnaire(
        **{name: clean[name] for name in names},
        sections=sections,
        items=items,
        areas=areas,
        factors=factors,
        languages=tuple(clean["languages"]),
        digest=of or digest(document),
    )


def _item(block: dict[str, Any], scales: Mapping[str, Blocks]) -> Item:
    when, choices = block["when"], block["choices"] or scales.get(block["scale"], [])
    return Item(
        id=block["id"],
        kind=block["kind"],
        number=block["number"],
        text=block["text"],
        note=block["note"],
        choices=tuple(Choice(c["code"], c["label"], c["other"]) for c in choices),
        rows=tuple(Row(row["id"], row["label"], row["policy"]) for row in block["rows"]),
        required=block["required"],
        no_answer=block["no_answer"],
        factor=block["factor"],
        policy=block["policy"],
        same_as=block["same_as"],
        when=Rule(when["column"], tuple(when["any_of"])) if when else None,
        consent=block["consent"],
        minimum=block["minimum"],
        maximum=block["maximum"],
        max_length=block["max_length"],
    )


def _shape(document: Document, faults: list[str]) -> dict[str, Any]:
    clean: dict[str, Any] = shape.shaped(document, shape.QUESTIONNAIRE, "Tệp", faults)
    scales = {}
    for name, blocks in clean["scales"].items():
        if not re.fullmatch(r"[a-z0-9_]+", name):
            faults.append(f"Thang đo {name}: mã chỉ gồm chữ thường không dấu, số và “_”.")
        if isinstance(blocks, list) and all(isinstance(one, dict) for one in blocks):
            place = f"Thang đo {name}, phương án"
            scales[name] = shape.shaped_list(blocks, shape.CHOICE, place, faults)
        else:
            faults.append(f"Thang đo {name}: phải là một danh sách phương án.")
            scales[name] = []
    clean["scales"] = scales
    for name, names, word in (
        ("areas", shape.AREA, "Lĩnh vực"),
        ("factors", shape.FACTOR, "Yếu tố"),
        ("sections", shape.SECTION, "Phần"),
    ):
        clean[name] = shape.shaped_list(clean[name], names, word, faults)
    clean["items"] = [
        shape.shaped_item(block, shape.place_of(block, "Mục", n), faults)
        for n, block in enumerate(clean["items"], 1)
    ]
    return clean


def _faults(clean: dict[str, Any], elsewhere: Elsewhere) -> Iterable[str]:
    yield from _head(clean)
    for name, word in (
        ("items", "Mục"),
        ("sections", "Phần"),
        ("factors", "Yếu tố"),
        ("areas", "Lĩnh vực"),
    ):
        yield from _twice([block["id"] for block in clean[name]], word)
    for name, scale in clean["scales"].items():
        yield from _choices(scale, f"Thang đo {name}")
    yield from _tree(clean)
    yield from _sections(clean)
    for block in clean["items"]:
        place = f"Mục {block['id']}"
        yield from _answers(block, clean["scales"], place)
        yield from _meaning(block, clean, place)
        yield from _link(block, clean, elsewhere, place)
    yield from _rules(clean)


def _head(clean: dict[str, Any]) -> Iterable[str]:
    if clean["languages"][:1] != ["vi"]:
        yield "Tệp, “languages”: tiếng Việt (vi) phải đứng đầu."
    for language in clean["languages"]:
        if not re.fullmatch(r"[a-z]{2,3}", language):
            yield f"Tệp, “languages”: “{language}” phải là mã ngôn ngữ như “vi”, “en”."
    if not 1 <= clean["minutes"] <= 120:
        yield "Tệp, “minutes”: thời gian trả lời phải từ 1 đến 120 phút."
    if not 2 <= clean["index_scale"] <= max(CODES):
        yield f"Tệp, “index_scale”: số mức phải từ 2 đến {max(CODES)}."
    for word, value in clean["words"].items():
        if word not in PLACE_WORDS:
            yield f"Tệp, “words”: từ địa danh lạ “{word}”."
        yield from (f"Tệp, “words”, {word}: {fault}." for fault in text_faults(value))
    for name in ("items", "sections"):
        if not clean[name]:
            yield f"Tệp: “{name}” để trống."


def _twice(ids: list[Any], word: str) -> Iterable[str]:
    for id, times in Counter(ids).items():
        if times > 1 and id != "":
            yield f"{word} {id}: mã được dùng {times} lần."


def _choices(blocks: Blocks, place: str) -> Iterable[str]:
    if len(blocks) < 2:
        yield f"{place}: cần ít nhất hai phương án."
    for block in blocks:
        code = block["code"]
        if code == NO_ANSWER:
            yield f"{place}: mã {code} dành cho “Không biết / không trả lời”."
        elif code not in CODES:
            yield f"{place}: mã {code} phải từ 1 đến {max(CODES)}."
    yield from _twice([block["code"] for block in blocks], f"{place}, phương án")
    yield from _twice([block["label"] for block in blocks], f"{place}, lời")
    if sum(block["other"] for block in blocks) > 1:
        yield f"{place}: chỉ một phương án được kèm lời ghi thêm."


def _tree(clean: dict[str, Any]) -> Iterable[str]:
    areas = {area["id"] for area in clean["areas"]}
    filled = {item["factor"] for item in clean["items"]}
    for factor in clean["factors"]:
        if factor["area"] not in areas:
            yield f"Yếu tố {factor['id']}: không có lĩnh vực “{factor['area']}”."
        if factor["id"] not in filled:
            yield f"Yếu tố {factor['id']}: không có mục nào."
    for area in sorted(areas - {factor["area"] for factor in clean["factors"]}):
        yield f"Lĩnh vực {area}: không có yếu tố nào."


def _sections(clean: dict[str, Any]) -> Iterable[str]:
    ids = [item["id"] for item in clean["items"]]
    shown = Counter(id for section in clean["sections"] for id in section["items"])
    for section in clean["sections"]:
        if not section["items"]:
            yield f"Phần {section['id']}: không có mục nào."
        for id in section["items"]:
            if id not in ids:
                yield f"Phần {section['id']}: không có mục “{id}”."
    for id in ids:
        if id and shown[id] != 1:
            times = "không nằm trong phần nào" if not shown[id] else "nằm trong nhiều phần"
            yield f"Mục {id}: {times}."


def _answers(item: dict[str, Any], scales: Mapping[str, Blocks], place: str) -> Iterable[str]:
    kind, choices, scale = item["kind"], item["choices"], item["scale"]
    if kind in ("text", "number"):
        for name in ("choices", "scale", "rows", "no_answer"):
            if item[name]:
                yield f"{place}: câu {kind} không có “{name}”."
    elif choices and scale:
        yield f"{place}: ghi “choices” hoặc “scale”, không ghi cả hai."
    elif scale and scale not in scales:
        yield f"{place}: không có thang đo “{scale}”."
    elif not scale:
        yield from _choices(choices, place)
    if kind not in ("single", "multiple") and any(choice["other"] for choice in choices):
        yield f"{place}: câu {kind} không có lời ghi thêm."
    if kind == "matrix" and not item["rows"]:
        yield f"{place}: bảng không có dòng nào."
    if kind != "matrix" and item["rows"]:
        yield f"{place}: chỉ câu matrix có “rows”."
    yield from _twice([row["id"] for row in item["rows"]], f"{place}, dòng")
    low, high = item["minimum"], item["maximum"]
    if kind != "number" and (low is not None or high is not None):
        yield f"{place}: chỉ câu number có “minimum”, “maximum”."
    if kind == "number" and (low is None or high is None):
        yield f"{place}: câu number cần “minimum” và “maximum”."
    if low is not None and high is not None and low > high:
        yield f"{place}: “minimum” {low} lớn hơn “maximum” {high}."
    if not 1 <= item["max_length"] <= 10_000:
        yield f"{place}: “max_length” phải từ 1 đến 10000."


def _meaning(item: dict[str, Any], clean: dict[str, Any], place: str) -> Iterable[str]:
    if item["id"].startswith("consent_"):
        yield f"{place}: mã bắt đầu bằng “consent_” dành cho lời đồng ý."
    if item["factor"]:
        if item["factor"] not in {factor["id"] for factor in clean["factors"]}:
            yield f"{place}: không có yếu tố “{item['factor']}”."
        codes = {block["code"] for block in _choices_of(item, clean)}
        if item["kind"] != "scale":
            yield f"{place}: chỉ câu scale được tính vào yếu tố."
        elif codes and codes != set(range(1, clean["index_scale"] + 1)):
            yield f"{place}: mã của thang đo phải là 1 đến {clean['index_scale']}."
    if item["consent"]:
        consent = f"consent_{item['consent']}"
        if item["required"]:
            yield f"{place}: câu cần đồng ý riêng thì không được bắt buộc."
        if item["when"] is None or item["when"]["column"] != consent:
            yield f"{place}: phải có điều kiện trên “{consent}”."


def _choices_of(item: dict[str, Any], clean: dict[str, Any]) -> Blocks:
    found: Blocks = item["choices"] or clean["scales"].get(item["scale"], [])
    return found


def _link(
    item: dict[str, Any], clean: dict[str, Any], elsewhere: Elsewhere, place: str
) -> Iterable[str]:
    if not item["same_as"]:
        return
    key, _, id = item["same_as"].partition(":")
    ids = elsewhere(key) if key != clean["key"] else frozenset()
    if ids is None:
        yield f"{place}, “same_as”: không có bảng hỏi “{key}”."
    elif id not in ids:
        yield f"{place}, “same_as”: bảng hỏi “{key}” không có mục “{id}”."


def _rules(clean: dict[str, Any]) -> Iterable[str]:
    """A rule may look only at closed answers given before, and at consents."""
    items = {item["id"]: item for item in clean["items"]}
    order = [id for section in clean["sections"] for id in section["items"] if id in items]
    codes = {f"consent_{i['consent']}": {1} for i in clean["items"] if i["consent"]}
    later = {name for item in clean["items"] for name, _ in _asks(item, clean)}
    for id in order:
        item, place = items[id], f"Mục {id}, điều kiện"
        if rule := item["when"]:
            column = rule["column"]
            if not rule["any_of"]:
                yield f"{place}: “any_of” để trống."
            if column in codes:
                for code in rule["any_of"]:
                    if code not in codes[column]:
                        yield f"{place}: “{column}” không có mã {code}."
            elif column in later:
                yield f"{place}: “{column}” được hỏi sau mục này."
            else:
                yield f"{place}: không có cột “{column}”."
        codes |= dict(_asks(item, clean))


def _asks(item: dict[str, Any], clean: dict[str, Any]) -> Iterable[tuple[str, set[int]]]:
    """Columns that a rule may name, with their codes."""
    if item["kind"] in ("text", "number"):
        return
    codes = {block["code"] for block in _choices_of(item, clean)}
    codes |= {NO_ANSWER} if item["no_answer"] else set()
    if item["kind"] == "matrix":
        yield from ((f"{item['id']}.{row['id']}", codes) for row in item["rows"])
    else:
        yield item["id"], codes
