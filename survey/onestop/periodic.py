"""The report of a quarter, half-year or year: figures, and what the office says and will mend."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from analysis.report import model
from analysis.report.model import Column, Heading, Row, Sheet, Table, body, bold
from analysis.report.numbers import NONE, num, pct, short_day, signed
from analysis.report.numbers import points as difference
from forms.scoring import CRITERIA, MAXIMUM
from survey.onestop import appraisal, heads, lateness
from survey.onestop.appraisal import HIDE_N, MIN_N
from survey.onestop.heads import About, about, capital, points
from survey.store import Refused, dossiers, narratives

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from analysis.report.model import Report
    from survey.onestop.appraisal import Found, Scored
    from survey.reporting.kinds import Ask
    from survey.store.late import Late, Work

KIND = "periodic"
#: Shown where the office has not written what it should.
UNWRITTEN = "chưa nêu"


def report(db: sqlite3.Connection, ask: Ask) -> Report:
    """The report of a unit and period, with the newest version of what the office wrote.

    Raises Refused ``onestop_empty`` (409) when there is neither a dossier nor an opinion.
    """
    of = about(db, ask)
    now, before = _period(of), _period(_earlier(of))
    if not now.work and not now.scored.n:
        raise Refused("onestop_empty", 409)
    written = narratives.newest(db, KIND, ask.unit, of.period.key)
    text = dict.fromkeys(("assessment", "praise", "proposal"), "") | dict(written.fields)
    problems = list(written.fields.get("problems", ()))
    units = appraisal.scored(db, of.period, within=ask.unit, found=now.said)
    blocks: list[model.Block] = [
        Heading("I. TIẾP NHẬN, GIẢI QUYẾT HỒ SƠ"),
        *lateness.summary(of, now.work, now.late),
        _table(of, now, before),
        Heading("II. Ý KIẾN CỦA NGƯỜI DÂN VÀ CHẤT LƯỢNG PHỤC VỤ"),
        *_opinions(of, now, ranked=len(_ranked(units)) > 1),
        *_units(of, units),
        Heading("III. XIN LỖI KHI TRỄ HẸN"),
        *lateness.apologies(now.late),
        Heading("IV. ĐÁNH GIÁ CHUNG, BIỂU DƯƠNG"),
        *_written(text["assessment"], "Đơn vị chưa nêu đánh giá chung."),
        *_praise(text["praise"]),
        Heading("V. TỒN TẠI, NGUYÊN NHÂN VÀ BIỆN PHÁP KHẮC PHỤC"),
        *_problems(of, problems),
        Heading("VI. KIẾN NGHỊ, ĐỀ XUẤT"),
        *_written(text["proposal"], "Đơn vị không có kiến nghị."),
    ]
    lines = (
        "Kết quả giải quyết thủ tục hành chính và ý kiến của người dân",
        f"của {of.name}, {of.period.words}",
    )
    return heads.document(of, "BÁO CÁO", lines, blocks, sheets=_sheets(of, now, before, problems))


class _Facts:
    """The figures of one period."""

    def __init__(
        self, work: list[Work], late: list[Late], scored: Scored, said: Mapping[str, Found],
        answered: int,
    ) -> None:  # fmt: skip
        self.said = said
        self.work, self.late, self.scored = work, late, scored
        self.received = sum(w.received for w in work)
        self.settled = sum(w.settled for w in work)
        self.settled_late = sum(w.late for w in work)
        self.open, self.open_late = sum(w.open for w in work), sum(w.open_late for w in work)
        self.answered = None if 0 < answered < HIDE_N else answered
        self.letters = lateness.letters(late)


def _period(of: About) -> _Facts:
    work, late = lateness.read(of)
    first, last = of.period.first, of.period.last
    cells = dossiers.coverage(of.db, since=first, until=last, within=of.unit)
    answered = sum(cell.n for cell in cells if cell.channel)
    said = appraisal.said(of.db, of.period, of.unit)
    scored = appraisal.one(of.db, of.unit, of.period, said)
    return _Facts(work, late, scored, said, answered)


def _earlier(of: About) -> About:
    return replace(of, period=of.period.before)


def _table(of: About, now: _Facts, before: _Facts) -> Table:
    """The period beside the one before; changes are differences of what is printed."""
    rows = [
        _count("Hồ sơ tiếp nhận", now.received, before.received),
        _count("Hồ sơ đã trả kết quả", now.settled, before.settled),
        _share("Trả đúng hẹn hoặc sớm", (now.settled - now.settled_late, now.settled),
               (before.settled - before.settled_late, before.settled)),
        _share("Trả trễ hẹn", (now.settled_late, now.settled),
               (before.settled_late, before.settled)),
        _count("Đang giải quyết cuối kỳ", now.open, before.open),
        _count("Trong đó đã quá hẹn", now.open_late, before.open_late),
        _share("Hồ sơ có ý kiến", (now.answered, now.settled), (before.answered, before.settled)),
        _share("Hồ sơ trễ có thư xin lỗi", (now.letters.sent, now.letters.late),
               (before.letters.sent, before.letters.late)),
        _score(now, before),
    ]  # fmt: skip
    columns = (
        Column("Chỉ tiêu", 66),
        Column(capital(of.period.words).replace(" năm ", "\nnăm "), 34, "right", bold=True),
        Column(capital(of.period.before.words).replace(" năm ", "\nnăm "), 34, "right"),
        Column("Tăng, giảm", 31, "right"),
    )
    note = "Ghi chú: Tỷ lệ tăng, giảm tính bằng điểm phần trăm. —: không có hoặc không công bố."
    caption = of.captions.table("Kết quả trong kỳ so với kỳ trước")
    return Table(columns, tuple(rows), caption, note=note)


def _count(name: str, now: int, before: int) -> Row:
    return Row((name, num(now, 0), num(before, 0), signed(float(now - before), 0)))


def _share(name: str, now: tuple[int | None, int], before: tuple[int | None, int]) -> Row:
    a, b = (None if n is None or not whole else n / whole for n, whole in (now, before))
    change: Decimal | None = None if a is None or b is None else difference(a, b, heads.DECIMALS)
    cells = (pct(a, heads.DECIMALS), pct(b, heads.DECIMALS))
    return Row((name, *cells, NONE if change is None else signed(change, heads.DECIMALS)))


def _score(now: _Facts, before: _Facts) -> Row:
    a, b = now.scored.total, before.scored.total
    change = NONE if a is None or b is None else signed(float(a - b), heads.DECIMALS)
    return Row((f"Điểm chín tiêu chí (tối đa {MAXIMUM})", points(a), points(b), change))


def _opinions(of: About, now: _Facts, *, ranked: bool) -> list[model.Block]:
    found = now.scored
    covered = (
        f"Có dưới {HIDE_N} hồ sơ có ý kiến; không công bố."
        if now.answered is None
        else f"Có {num(now.answered, 0)}/{num(now.settled, 0)} hồ sơ đã trả kết quả có ý kiến, mức "
        f"độ bao phủ {heads.percent(now.answered, now.settled)}; yêu cầu là toàn bộ hồ sơ."
    )
    said: list[model.Block] = [body(covered)]
    if found.total is not None and found.grade is not None:
        said.append(
            body(
                f"Theo chín tiêu chí của Nghị định 61/2018/NĐ-CP, {of.name} đạt ",
                bold(f"{points(found.total)}/{MAXIMUM} điểm"), ", xếp loại ",
                bold(found.grade.name), f", dựa trên {num(found.n, 0)} ý kiến"
                f"{f' (dưới {MIN_N}, chỉ để tham khảo)' if found.n < MIN_N else ''}.",
            )
        )  # fmt: skip
    elif not ranked:
        missing = ", ".join(name[1:] for name in CRITERIA if name not in found.points)
        said.append(
            body(f"Chưa đủ căn cứ xếp loại theo chín tiêu chí: thiếu điểm tiêu chí {missing}.")
        )
    return said


def _ranked(units: Sequence[Scored]) -> list[Scored]:
    known = (one for one in units if one.total is not None)
    return sorted(known, key=lambda one: (one.rank or 0, one.name))


def _units(of: About, units: Sequence[Scored]) -> list[model.Block]:
    shown = _ranked(units)
    if len(shown) < 2:
        return []
    columns = (
        Column("Hạng", 14, "centre"), Column("Đơn vị", 81), Column("Số ý kiến", 22, "right"),
        Column("Điểm", 20, "right", bold=True), Column("Xếp loại", 28, "centre"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                str(one.rank), capital(one.name),
                NONE if one.hidden or not one.n else num(one.n, 0) + " ○" * (one.n < MIN_N),
                points(one.total), one.grade.name if one.grade else NONE,
            )
        )
        for one in shown
    )  # fmt: skip
    note = f"Ghi chú: ○: dưới {MIN_N} ý kiến, chỉ để tham khảo."
    caption = of.captions.table("Điểm và xếp loại các đơn vị")
    counts = Counter(one.grade.name for one in shown if one.grade)
    classes = ", ".join(f"{num(n, 0)} {name}" for name, n in counts.items())
    said = body(
        f"Theo chín tiêu chí của Nghị định 61/2018/NĐ-CP có {num(len(shown), 0)} đơn vị đủ căn cứ "
        f"xếp loại: {classes}."
    )
    return [said, Table(columns, rows, caption, note=note, size=11, tight=len(rows) > 20)]


def _written(text: str, none: str) -> list[model.Paragraph]:
    """What the office wrote, a paragraph a line; or that it wrote nothing."""
    return [body(line) for line in text.split("\n") if line] or [body(none)]


def _praise(text: str) -> list[model.Paragraph]:
    lines = [line for line in text.split("\n") if line]
    if not lines:
        return []
    return [body(bold("Biểu dương:")), *(body(f"- {line.rstrip('.;')}.") for line in lines)]


def _problems(of: About, problems: Sequence[dict[str, str]]) -> list[model.Block]:
    if not problems:
        return [body("Đơn vị chưa nêu tồn tại, hạn chế trong kỳ.")]
    columns = (
        Column("TT", 9, "centre"), Column("Tồn tại, hạn chế", 38), Column("Nguyên nhân", 34),
        Column("Đơn vị\nchịu trách nhiệm", 27), Column("Biện pháp khắc phục", 36),
        Column("Thời hạn", 21, "centre"),
    )  # fmt: skip
    rows = tuple(
        Row(
            (
                str(place), one["issue"],
                *(one.get(name) or UNWRITTEN for name in ("cause", "unit", "remedy")),
                _deadline(one.get("deadline", "")),
            )
        )
        for place, one in enumerate(problems, 1)
    )  # fmt: skip
    caption = of.captions.table("Tồn tại, nguyên nhân và biện pháp khắc phục")
    return [Table(columns, rows, caption, size=10.5)]


def _deadline(text: str) -> str:
    return short_day(date.fromisoformat(text)) if text else UNWRITTEN


def _sheets(
    of: About, now: _Facts, before: _Facts, problems: Sequence[dict[str, str]]
) -> tuple[Sheet, ...]:
    def row(facts: _Facts, key: str) -> tuple[model.Cell, ...]:
        total = facts.scored.total
        return (
            key, facts.received, facts.settled, facts.settled_late, facts.open, facts.open_late,
            facts.answered, facts.letters.late, facts.letters.sent,
            None if total is None else float(total),
        )  # fmt: skip

    figures = Sheet(
        "Số liệu",
        (
            "ky", "tiep_nhan", "da_tra", "tra_tre", "dang_giai_quyet", "qua_hen", "co_y_kien",
            "tre_hen", "da_gui_thu", "tong_diem",
        ),
        (row(now, of.period.key), row(before, of.period.before.key)),
    )  # fmt: skip
    names = ("issue", "cause", "unit", "remedy", "deadline")
    heading = ("ton_tai", "nguyen_nhan", "don_vi_chiu_trach_nhiem", "bien_phap", "thoi_han")
    written = Sheet(
        "Tồn tại", heading, tuple(tuple(one.get(name, "") for name in names) for one in problems)
    )
    return figures, written
