"""The letter of apology for a late dossier: one page an applicant, by Nghị định 30/2020/NĐ-CP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from reportlab.platypus import Flowable, KeepTogether, NextPageTemplate, PageBreak

from analysis.report import decree, model, pdf
from analysis.report.faces import plain, register
from analysis.report.ink import BODY
from analysis.report.model import body, bold
from analysis.report.numbers import num, short_day


@dataclass(frozen=True, slots=True)
class Sender:
    """The agency that writes, the one above it, and who signs."""

    agency: str
    parent: str
    place: str
    titles: tuple[str, ...]
    signer: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a letter says; ``name`` "" where the applicant's is not known."""

    number: str  # "12/TXL-PVHCC"
    on: date
    dossier: str
    service: str
    received_on: date
    due_on: date
    settled_on: date | None
    new_due_on: date
    reason: str
    resolving: str  # "" where it is the agency itself
    name: str = ""
    organisation: bool = False


def build(said: Said, sender: Sender, *, synthetic: bool) -> model.Report:
    """The letter as a document; what came from outside is cut to what a page may hold."""
    agency = sender.agency
    you = "Quý tổ chức" if said.organisation else "Ông/Bà"
    done = said.settled_on is not None and said.settled_on <= said.on
    name = plain(said.name, 120)
    facts = (
        ("Thủ tục: ", plain(said.service, 300)),
        ("Mã số hồ sơ: ", plain(said.dossier, 80)),
        ("Ngày hẹn trả kết quả: ", short_day(said.due_on)),
        ("Tình trạng: ", _state(said, done=done)),
        ("Lý do chậm: ", plain(said.reason, 400).rstrip(".")),
    )
    if said.organisation:
        to = name or you
    else:
        to = f"Ông/Bà {name}".strip() if name else f"người nộp hồ sơ số {plain(said.dossier, 80)}"
    there = (f"{_capital(said.resolving)} (để thực hiện)",) if said.resolving else ()
    promise = (
        f"{agency} xin lỗi {you} vì đã trả kết quả chậm."
        if done
        else f"{agency} xin lỗi {you} vì sự chậm trễ này và sẽ trả kết quả vào ngày "
    )
    blocks: list[model.Block] = [
        model.Masthead(
            agency.upper(), sender.parent.upper(), f"Số: {said.number}", sender.place, said.on
        ),
        model.Title("THƯ XIN LỖI", ("Về việc giải quyết hồ sơ chậm so với ngày hẹn",)),
        model.Addressed((to,)),
        body(f"Ngày {short_day(said.received_on)}, {agency} tiếp nhận hồ sơ của {you}:"),
        *(body(f"- {head}", bold(text) if i == 1 else text, ".") for i, (head, text) in
          enumerate(facts)),
        body(promise) if done else body(promise, bold(short_day(said.new_due_on)), "."),
        *_contact(sender, you),
        body(f"Rất mong {you} thông cảm./."),
        model.SignOff(
            ("Như trên", *there, "Lưu: VT, hồ sơ"), sender.titles, sender.signer,
        ),
    ]  # fmt: skip
    return model.Report(
        title=f"Thư xin lỗi số {said.number}",
        author=agency,
        blocks=tuple(blocks),
        synthetic=synthetic,
        created=said.on,
    )


def write(letters: Sequence[model.Report], file: BinaryIO) -> int:
    """Print letters into one file, each from a page 1 of its own; the number of pages.

    Equal letters give equal bytes.  Raises ValueError for none.
    """
    if not letters:
        raise ValueError("no letter to print")
    register()
    with pdf.ONE_AT_A_TIME:
        paper = pdf.Paper(letters[0], file)
        flow: list[Flowable] = []
        for letter in letters:
            if flow:
                flow += [NextPageTemplate("first"), PageBreak()]
            flow += _flow(letter)
        paper.build(flow)
        return int(paper.page)


def _flow(letter: model.Report) -> list[Flowable]:
    out: list[Flowable] = [NextPageTemplate("next")]
    for block in letter.blocks:
        match block:
            case model.Masthead():
                out.append(decree.Masthead(block))
            case model.Title():
                out += decree.title(block)
            case model.Addressed():
                out += decree.addressed(block)
            case model.Paragraph():
                out.append(decree.paragraph(block.runs, BODY))
            case model.SignOff():
                out[-1:] = [KeepTogether([out[-1], decree.SignOff(block)])]
    return out


def _state(said: Said, *, done: bool) -> str:
    at = f" tại {said.resolving}" if said.resolving else ""
    if done and said.settled_on is not None:
        late = (said.settled_on - said.due_on).days
        on = short_day(said.settled_on)
        return f"đã trả kết quả ngày {on}, chậm {num(late, 0)} ngày"
    late = (said.on - said.due_on).days
    if late > 0:
        return f"đang giải quyết{at}, đã quá ngày hẹn {num(late, 0)} ngày"
    return f"đang giải quyết{at}, chưa kịp trả kết quả vào ngày hẹn"


def _contact(sender: Sender, you: str) -> list[model.Paragraph]:
    if not sender.contact:
        return []
    return [body(f"Khi cần hỏi thêm, {you} liên hệ: {sender.contact.rstrip('.')}.")]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
