"""Papers that go with a lot: hand-over sheet, cover, list of households, list of payments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import BinaryIO

from reportlab.platypus import Flowable, NextPageTemplate, PageBreak

from analysis.report import model
from analysis.report.decree import Masthead, paragraph, sentence, title
from analysis.report.faces import NO_BREAK, register
from analysis.report.ink import BODY, CAPTION, NOTE_APART, TITLE
from analysis.report.numbers import num, words
from survey import serials
from survey.batches import Batch
from survey.printing.ledger import Code, Column, Ledger, Signatures, Signed, build
from survey.store.cases import BACK, LOST
from survey.store.lots import Household

BLANK = "……"
#: Forms without an answer that are handed back all the same.
EMPTY = ("spoiled",)


def write(batches: Iterable[Batch], kind: str, file: BinaryIO) -> int:
    """Print one kind of paper for each lot, one after the other; the pages.

    ``kind``: ``handover``, ``cover``, ``households`` or ``payments``.

    Raises ValueError for an unknown kind, or no lot at all.
    """
    found = list(batches)
    if kind not in KINDS or not found:
        raise ValueError(kind)
    register()
    name, draw = KINDS[kind]
    flow: list[Flowable] = []
    for at, batch in enumerate(found):
        if at:
            flow += [NextPageTemplate("first"), PageBreak()]
        flow += [NextPageTemplate("next"), *draw(batch)]
    heading = f"{name} – {found[0].wave.name}"
    return build(file, heading, flow, synthetic=any(b.wave.synthetic for b in found))


def handover(batch: Batch) -> list[Flowable]:
    """Bảng kê bàn giao: forms by village, counted out by hand or, once back, by the program."""
    back = batch.lot.returned_at is not None
    rows, sums = [], [0, 0, 0, 0, 0]
    for at, (_, group) in enumerate(groupby(batch.households, lambda one: one.psu), 1):
        held = list(group)
        counts = _counts(held)
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
        filled = [str(n) for n in counts] if back else [str(counts[0]), "", "", "", ""]
        rows.append([str(at), held[0].psu_name, _serials(held), *filled, ""])
    total = [str(n) for n in sums] if back else [str(sums[0]), "", "", "", ""]
    rows.append(["", "Cộng", "", *total, ""])
    lines = ("Giao trả phiếu khảo sát" if back else "Giao phiếu khảo sát", _subject(batch))
    said = (
        f"Hai bên đã đếm và thống nhất: giao trả {num(sums[4], 0)} phiếu (bằng chữ:"
        f" {words(sums[4])} phiếu), trong đó {num(sums[1], 0)} phiếu có trả lời."
        if back
        else f"Hai bên đã đếm và thống nhất: giao {num(sums[0], 0)} phiếu (bằng chữ:"
        f" {words(sums[0])} phiếu)."
    )
    office, carrier = ("BÊN GIAO", "BÊN NHẬN") if not back else ("BÊN NHẬN", "BÊN GIAO")
    ours, theirs = (office, ""), (carrier, batch.carrier)
    return [
        *_head(batch, "BẢNG KÊ", lines, "BK"),
        Code(batch.lot.code, _facts(batch)),
        sentence("Bảng 1. Số phiếu theo thôn, tổ dân phố", CAPTION),
        Signed(
            Ledger(_HANDOVER, rows, height=7.5, total=True),
            [
                _note(
                    "Ghi chú: “Giao trả” là phiếu có trả lời và phiếu trắng, hỏng. Phiếu không thu"
                    " được có lý do từng hộ trong danh sách hộ. Danh sách ký nhận tiền lập riêng,"
                    " không kèm bảng kê này."
                ),
                _body(
                    f"{said} Bảng kê lập thành hai bản có giá trị như nhau, mỗi bên giữ một bản./."
                ),
                Signatures(*((theirs, ours) if back else (ours, theirs))),
            ],
        ),
    ]


def cover(batch: Batch) -> list[Flowable]:
    """Bìa lô: lies on top of the forms on their way through the desk."""
    counts = _counts(batch.households)
    areas = sorted({one.psu_name for one in batch.households})
    steps = [
        [step, "", "", ""]
        for step in (
            "Nhận lô", "Nhập lần 1 hoặc quét", "Nhập lần 2", "Đối chiếu", "Phúc tra", "Lưu kho",
        )
    ]  # fmt: skip
    facts = [
        f"Lô {batch.lot.code}",
        batch.unit[:1].upper() + batch.unit[1:],
        f"Điều tra viên: {batch.carrier or BLANK * 4}",
        f"{num(counts[0], 0)} phiếu, số {_serials(batch.households)}",
        f"{len(areas)} thôn, tổ dân phố: {', '.join(areas)}",
    ]
    if batch.lot.due_on:
        facts.append(f"Hạn trả: {_day(batch.lot.due_on)}")
    return [
        sentence("BÌA LÔ PHIẾU", TITLE),
        sentence(batch.wave.name, TITLE),
        Code(batch.lot.code, facts, side=48, size=14, first=30),
        _body("Tại bàn nhập liệu: quét mã trên, hoặc gõ mã lô, để mở lô. Phiếu xếp theo số phiếu."),
        Ledger(_COVER, steps, height=13, size=12.5),
        Ledger(_FOUND, [["Số phiếu đếm được", ""], ["Thiếu, hỏng (ghi số phiếu)", ""]], height=13),
    ]


def households(batch: Batch) -> list[Flowable]:
    """Danh sách hộ: whom to visit, with room for each visit; personal data, not for the desk."""
    rows, at = [], 0
    for _, group in groupby(batch.households, lambda one: one.psu):
        for one in group:
            at += 1
            place = f"{one.address}, {one.psu_name}" if one.address else one.psu_name
            second = " (thay thế)" if one.replaces else ""
            rows.append(
                [str(at), serials.printed(one.case), (one.name or BLANK * 3) + second, place]
                + [""] * 4
            )
    return [
        *_head(batch, "DANH SÁCH", ("Hộ gia đình được chọn", _subject(batch)), "DS"),
        Code(batch.lot.code, _facts(batch), side=20, size=12),
        Ledger(_HOUSEHOLDS, rows, height=10, size=11),
        _note(
            "Ghi chú: ghi ngày, giờ mỗi lần đến. Kết quả: T thu được phiếu, V vắng, C từ chối,"
            " D chuyển đi, S sai địa chỉ, H phiếu hỏng, K lý do khác. Danh sách này có dữ liệu cá"
            " nhân: chỉ điều tra viên giữ, nộp lại cùng lô, không sao chép."
        ),
    ]


def payments(batch: Batch) -> list[Flowable]:
    """Danh sách ký nhận tiền: names by the alphabet and never a serial, so that no answer can be
    traced to a person through it."""
    back = batch.lot.returned_at is not None
    paid = [one for one in batch.households if one.state not in (*LOST, "replaced", "reserve")]
    paid = [one for one in paid if one.state in BACK] if back else paid
    paid.sort(key=lambda one: (one.psu_name, one.psu, _given_name(one.name), one.name, one.address))
    rows = [
        [
            str(at), one.name or BLANK * 3,
            f"{one.address}, {one.psu_name}" if one.address else one.psu_name,
            num(batch.payment, 0), "",
        ]
        for at, one in enumerate(paid, 1)
    ]  # fmt: skip
    total = batch.payment * len(paid)
    rows.append(["", "Cộng", "", num(total, 0) if back else "", ""])
    said = f"Số tiền (bằng chữ): {words(total)} đồng" if back else f"Số người đã nhận: {BLANK * 3}"
    return [
        *_head(batch, "DANH SÁCH", ("Ký nhận tiền của người trả lời phiếu", _subject(batch)), "DS"),
        sentence(f"Điều tra viên: {batch.carrier or BLANK * 4}", BODY),
        Signed(
            Ledger(_PAYMENTS, rows, height=11, total=True),
            [
                _note(
                    "Ghi chú: danh sách này lưu riêng với chứng từ chi, xếp theo tên, không ghi số"
                    " phiếu và không kèm phiếu, để không ai biết phiếu nào của ai."
                ),
                _body(f"{said}./."),
                Signatures(("NGƯỜI CHI TIỀN", batch.carrier), ("KẾ TOÁN", "")),
            ],
        ),
    ]


_HANDOVER = (
    Column("TT", 9, "centre"),
    Column("Thôn, tổ dân phố", 37),
    Column("Số phiếu\ntừ – đến", 27, "centre"),
    Column("Phát\nra", 11, "centre"),
    Column("Có trả\nlời", 15, "centre"),
    Column("Trắng,\nhỏng", 15, "centre"),
    Column("Không\nthu được", 19, "centre"),
    Column("Giao\ntrả", 12, "centre"),
    Column("Ghi chú", 20),
)
_COVER = (
    Column("Bước", 46),
    Column("Ngày", 28),
    Column("Người làm (ký, ghi tên)", 60),
    Column("Số phiếu", 31),
)
_FOUND = (Column("Khi nhận lô", 60), Column("Ghi nhận", 105))
_HOUSEHOLDS = (
    Column("TT", 9, "centre"),
    Column("Số phiếu", 22, "centre"),
    Column("Họ và tên chủ hộ", 36),
    Column("Địa chỉ", 43),
    Column("Phát", 13),
    Column("Hẹn\nthu", 14),
    Column("Thu", 13),
    Column("Kết\nquả", 15),
)
_PAYMENTS = (
    Column("TT", 10, "centre"),
    Column("Họ và tên", 46),
    Column("Địa chỉ", 46),
    Column("Số tiền\n(đồng)", 25, "right"),
    Column("Ký nhận", 38),
)
#: Kind -> its name in the file, and what draws it.
KINDS: dict[str, tuple[str, Callable[[Batch], list[Flowable]]]] = {
    "handover": ("Bảng kê bàn giao phiếu", handover),
    "cover": ("Bìa lô phiếu", cover),
    "households": ("Danh sách hộ", households),
    "payments": ("Danh sách ký nhận tiền", payments),
}


def _head(batch: Batch, kind: str, lines: tuple[str, ...], mark: str) -> list[Flowable]:
    head = model.Masthead(
        agency=(batch.wave.owner_name or batch.wave.name).upper(),
        parent=batch.wave.parent_name.upper(),
        number=f"Số: {BLANK}/{mark}",
        place=batch.wave.place,
        on=batch.on,
    )
    return [Masthead(head), *title(model.Title(kind, lines))]


def _subject(batch: Batch) -> str:
    return f"{batch.wave.name}, lô {batch.lot.code}"


def _facts(batch: Batch) -> list[str]:
    facts = [
        f"Mã lô: {batch.lot.code} (quét mã để mở lô trên máy)",
        f"Địa bàn: {batch.unit}",
        f"Điều tra viên: {batch.carrier or BLANK * 4}",
    ]
    if batch.lot.due_on:
        facts.append(f"Hạn trả lô: {_day(batch.lot.due_on)}")
    return facts


def _counts(held: Sequence[Household]) -> list[int]:
    """Forms issued, with answers, empty or spoiled, not brought back, handed back."""
    answered = sum(one.state in BACK for one in held)
    empty = sum(one.state in EMPTY for one in held)
    lost = sum(one.state in (*LOST, "replaced") for one in held) - empty
    return [len(held), answered, empty, lost, answered + empty]


def _serials(held: Sequence[Household]) -> str:
    numbers = sorted(one.case for one in held)
    first, last = (serials.printed(numbers[at]).replace(" ", NO_BREAK) for at in (0, -1))
    return first if first == last else f"{first} – {last}"


def _given_name(name: str) -> str:
    """Vietnamese lists are ordered by the last word of a name."""
    return name.rpartition(" ")[2].casefold()


def _day(text: str) -> str:
    year, month, day = text.split("-")
    return f"{day}/{month}/{year}"


def _note(text: str) -> Flowable:
    return sentence(text, NOTE_APART)


def _body(text: str) -> Flowable:
    return paragraph(model.runs(text), BODY)
