"""The account of a wave's forms as a document: issued, returned, valid, lost, replaced, precise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from analysis.annual import Unit
from analysis.report import model, sections, unit, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, pct
from analysis.report.ranking import named
from analysis.report.sections import Captions
from analysis.results import Result

#: Final dispositions of AAPOR as the office names them, in the order of the table.
OUTCOMES = {
    "complete": "Hoàn thành",
    "waiting": "Đã thu, chưa đối chiếu xong",
    "refused": "Từ chối",
    "no_contact": "Không gặp",
    "other": "Phiếu hỏng, lý do khác",
    "unknown": "Chưa rõ (chưa phát, sai địa chỉ)",
    "ineligible": "Không còn thuộc đối tượng (đã chuyển đi, đã mất)",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """The cases of one place: ``places`` of the sample, substitutes taken, AAPOR rates 1 and 3
    (0..1, None while nobody could have answered), first-drawn households by outcome."""

    name: str
    places: int
    valid: int
    substitutes: int
    rr1: float | None
    rr3: float | None
    outcomes: Mapping[str, int] = field(default_factory=dict)


def build(
    result: Result,
    units: Sequence[Unit],
    taken: Sequence[Taken],
    *,
    on: date,
    number: str = "",
) -> model.Report:
    """The account of a wave's forms, dated ``on``; ``taken``: the cases by place, the sum last."""
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, Captions()
    of = f" của {result.scope_name}" if result.scope_name else ""
    lines = ("Tình hình phát, thu phiếu khảo sát", f"năm {wave.year}{of}")
    chapters: list[tuple[str, list[model.Block]]] = [
        ("TÓM TẮT", _summary(result, taken)),
        ("PHÁT, THU PHIẾU THEO ĐỊA BÀN", _accounts(result, captions)),
        ("KẾT QUẢ TIẾP XÚC HỘ", _cases(taken, captions)),
        ("KÊNH THU, CHẤT LƯỢNG PHIẾU", _quality(result)),
        ("ĐỘ CHÍNH XÁC ĐẠT ĐƯỢC", _precision(result, units, captions)),
        (
            "PHƯƠNG PHÁP",
            [
                model.MethodBox(wording.method_rows(result)),
                body(unit.closing(result, "tình hình phát, thu phiếu")),
            ],
        ),
    ]
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        *wording.addressed(wave),
        body(f"{wording.basis(wave)} báo cáo tình hình phát, thu phiếu như sau:"),
        *sections.warning(wave),
    ]
    for place, (title, content) in enumerate([c for c in chapters if c[1]], 1):
        blocks += [Heading(f"{sections.roman(place)}. {title}"), *content]
    blocks.append(wording.sign_off(wave, above=True))
    return model.Report(
        title=" ".join(lines),
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
        sheets=_sheets(result, taken),
    )


def _summary(result: Result, taken: Sequence[Taken]) -> list[model.Block]:
    total = sum(result.channels.values())
    said = f"Phiếu được thu {wording.period(result.wave)}. "
    said += "".join(sections.accounts_sentence(result))
    if not result.accounts:
        said += f"Có {num(total, 0)} phiếu hợp lệ được tính vào số liệu. "
    blocks: list[model.Block] = [body(said.strip())]
    whole = taken[-1] if taken else None
    if whole is not None and whole.rr1 is not None and _told(whole):
        third = f"; tỷ lệ trả lời AAPOR 3: {pct(whole.rr3)}" if whole.rr3 is not None else ""
        blocks.append(
            body(
                f"Trong {num(whole.places, 0)} hộ của mẫu chính, tỷ lệ trả lời AAPOR 1 đạt "
                f"{pct(whole.rr1)}{third}; {num(whole.substitutes, 0)} hộ dự phòng được dùng thay."
            )
        )
    return blocks


def _told(whole: Taken) -> bool:
    """Whether the field work wrote down what became of its households."""
    return any(n for name, n in whole.outcomes.items() if name != "complete")


def _accounts(result: Result, captions: Captions) -> list[model.Block]:
    table = sections.accounts(result, captions.table("Kết quả phát, thu phiếu khảo sát"))
    return [table] if table else []


def _cases(taken: Sequence[Taken], captions: Captions) -> list[model.Block]:
    """Households first drawn by outcome, then by place; nothing where nobody wrote it down."""
    if not taken or not _told(taken[-1]):
        return []
    whole = taken[-1]
    rows = tuple(
        Row((name, num(n, 0), pct(n / whole.places if whole.places else None)))
        for key, name in OUTCOMES.items()
        if (n := whole.outcomes.get(key, 0))
    )
    columns = (
        Column("Kết quả", 95), Column("Số hộ", 30, "right"), Column("Tỷ lệ", 30, "right"),
    )  # fmt: skip
    caption = captions.table("Kết quả tiếp xúc các hộ của mẫu chính")
    blocks: list[model.Block] = [model.Table(columns, rows, caption)]
    places = (
        Column("Địa bàn", 53),
        Column("Hộ trong\nmẫu", 20, "right"),
        Column("Hoàn\nthành", 20, "right"),
        Column("Hộ thay\nthế", 20, "right"),
        Column("Tỷ lệ\nAAPOR 1", 26, "right"),
        Column("Tỷ lệ\nAAPOR 3", 26, "right"),
    )
    last = len(taken) - 1
    lines = tuple(
        Row(
            (one.name, num(one.places, 0), num(one.valid, 0), num(one.substitutes, 0),
             pct(one.rr1), pct(one.rr3)),
            "sum" if i == last and last else "plain",
        )
        for i, one in enumerate(taken)
    )  # fmt: skip
    note = (
        "Ghi chú: AAPOR 1: hộ hoàn thành trên mọi hộ có thể thuộc đối tượng; AAPOR 3: ước lượng "
        "phần thuộc đối tượng trong các hộ chưa rõ. Hộ thay thế không tính là trả lời của hộ được "
        "thay."
    )
    blocks.append(
        model.Table(
            places, lines, captions.table("Tỷ lệ trả lời theo địa bàn"), note=note,
            tight=len(lines) > 12,
        )
    )  # fmt: skip
    return blocks


def _quality(result: Result) -> list[model.Block]:
    known = wording.channels(result)
    said = [f"Kênh thu: {known}." if known else ""]
    said.append(sections.care_sentence(result).strip())
    if result.void:
        said.append(f"{num(result.void, 0)} phiếu bị hủy, không tính vào số liệu.")
    if result.loose:
        said.append(
            f"{num(result.loose, 0)} phiếu không gắn với hộ được chọn nên không có quyền số và "
            "không tính vào số liệu."
        )
    text = " ".join(part for part in said if part)
    return [body(text)] if text else []


def _precision(result: Result, units: Sequence[Unit], captions: Captions) -> list[model.Block]:
    """How precise the wave became: persons, design effect, effective persons, half interval."""
    design = result.design
    if design is None or result.total.low is None or result.total.high is None:
        return []
    said = (
        f"Chỉ số chung có khoảng tin cậy {wording.level(result.wave)} rộng "
        f"{_half(result.total.low, result.total.high)} điểm mỗi bên; hệ số thiết kế "
        f"{sections.effect(result.total)}, tương đương {_neff(result.total.neff)} phiếu của mẫu "
        "ngẫu nhiên đơn giản."
    )
    blocks: list[model.Block] = [body(said)]
    shown = [u for u in units if not sections.hidden(u.total)]
    if len(shown) < 2:
        return blocks
    columns = (
        Column("Đơn vị", 55),
        Column("Số\nphiếu", 22, "right"),
        Column("Hệ số\nthiết kế", 24, "right"),
        Column("Phiếu\nhiệu dụng", 26, "right"),
        Column("Nửa khoảng\ntin cậy (điểm)", 36, "right"),
    )
    rows = tuple(
        Row(
            (
                named(u),
                sections.persons(u.total),
                sections.effect(u.total),
                _neff(u.total.neff),
                NONE
                if u.total.low is None or u.total.high is None
                else _half(u.total.low, u.total.high),
            )
        )
        for u in shown
    )
    note = sections.notes(
        [u.total for u in shown],
        "Phiếu hiệu dụng: cỡ mẫu ngẫu nhiên đơn giản có cùng sai số.",
        hide_n=result.wave.hide_n,
        min_n=result.wave.min_n,
    )
    caption = captions.table("Độ chính xác của chỉ số chung theo đơn vị")
    blocks.append(model.Table(columns, rows, caption, note=note, size=11, tight=True))
    return blocks


def _half(low: float, high: float) -> str:
    return num((high - low) / 2 * 100)


def _neff(neff: float | None) -> str:
    return NONE if neff is None else num(neff, 0)


def _sheets(result: Result, taken: Sequence[Taken]) -> tuple[model.Sheet, ...]:
    accounts = tuple((a.name, a.issued, a.returned, a.valid) for a in result.accounts)
    cases = tuple(
        (t.name, t.places, t.valid, t.substitutes, t.rr1, t.rr3,
         *(t.outcomes.get(key, 0) for key in OUTCOMES))
        for t in taken
    )  # fmt: skip
    found = (
        model.Sheet("Phát, thu", ("name", "issued", "returned", "valid"), accounts),
        model.Sheet(
            "Kết quả tiếp xúc",
            ("name", "places", "valid", "substitutes", "rr1", "rr3", *OUTCOMES),
            cases,
        ),
    )
    return tuple(sheet for sheet in found if sheet.rows)
