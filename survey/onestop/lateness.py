"""The report on late dossiers: how many, where, which, and whether their letters went out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from analysis.report import model
from analysis.report.model import Column, Heading, Row, Sheet, Table, body, bold
from analysis.report.numbers import NONE, num, short_day
from survey.onestop import heads
from survey.onestop.heads import About, about, capital
from survey.store import Refused, clock, late, units

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from analysis.report.model import Report
    from survey.reporting.kinds import Ask
    from survey.store.late import Late, Work

#: Dossiers named one by one in the annex; all are in the spreadsheet.
LISTED = 1000
#: Letters of a dossier's number on one line.
WIDEST = 27
CHANNELS = {"letter": "thư", "sms": "tin nhắn SMS", "zalo": "Zalo", "email": "thư điện tử"}
STATES = {"made": "chưa gửi", "sent": "đã gửi"}


@dataclass(frozen=True, slots=True)
class Letters:
    """Late dossiers, those with a letter that went out, in time, made only, and without any."""

    late: int
    sent: int
    in_time: int
    made: int

    @property
    def none(self) -> int:
        """Without any letter."""
        return self.late - self.sent - self.made


def report(db: sqlite3.Connection, ask: Ask) -> Report:
    """Late dossiers of a unit and period with their letters of apology.

    Raises Refused ``onestop_empty`` (409) when nothing was settled, received or open.
    """
    of = about(db, ask)
    work, found = read(of)
    if not work:
        raise Refused("onestop_empty", 409)
    names = {
        unit: capital(units.name(db, unit, of.period.last))
        for unit in {w.unit for w in work} | {one.resolving for one in found}
    }
    blocks: list[model.Block] = [
        Heading("I. TÌNH HÌNH"),
        *summary(of, work, found),
        Heading("II. HỒ SƠ TRỄ HẸN"),
        by(of, work, found, "Đơn vị tiếp nhận", lambda row: names[row.unit]),
        by(of, work, found, "Thủ tục", lambda row: row.service),
        *_longest(of, found),
        Heading("III. THƯ XIN LỖI"),
        *apologies(found),
        Heading("IV. CÁCH TÍNH"),
        heads.box(
            {
                "Trễ hẹn": "Hồ sơ trả kết quả sau ngày hẹn trong kỳ, và hồ sơ chưa trả mà ngày hẹn "
                f"đã qua, tính đến hết ngày {short_day(_end(of))}. Ngày hẹn là ngày trên giấy tiếp "
                "nhận; hẹn lại bằng thư xin lỗi không làm hồ sơ hết trễ.",
                "Tỷ lệ trễ": "Hồ sơ trả trễ trên hồ sơ đã trả trong kỳ.",
                "Thư xin lỗi": "Tính là có thư khi thư đã gửi; đúng hạn khi gửi chậm nhất vào ngày "
                "hẹn. Thư đã hủy không tính.",
            }
        ),
    ]
    annexes = (("DANH SÁCH HỒ SƠ TRỄ HẸN", _list(of, found, names), True),) if found else ()
    lines = ("Hồ sơ trễ hẹn và việc xin lỗi", f"của {of.name}, {of.period.words}")
    return heads.document(
        of, "BÁO CÁO", lines, blocks, annexes=annexes, sheets=(_sheet(of, found),)
    )


def read(of: About) -> tuple[list[Work], list[Late]]:
    """The work of a period and its late dossiers."""
    first, last = of.period.first, of.period.last
    work = late.work(of.db, since=first, until=last, today=of.on, within=of.unit)
    found = late.of(of.db, since=first, until=last, today=of.on, within=of.unit)
    return work, list(found)


def letters(found: Sequence[Late]) -> Letters:
    """How many late dossiers have their letter."""
    sent = [one for one in found if one.state == "sent" and one.sent_at]
    in_time = sum(clock.day(clock.moment(one.sent_at or "")) <= one.due_on for one in sent)
    return Letters(len(found), len(sent), in_time, sum(one.state == "made" for one in found))


def summary(of: About, work: Sequence[Work], found: Sequence[Late]) -> list[model.Paragraph]:
    """Received, settled, early, in time, late, open, in two sentences."""
    count: Counter[str] = Counter()
    for one in work:
        for name in ("received", "settled", "late", "early", "open", "open_late"):
            count[name] += getattr(one, name)
    settled, late_n = count["settled"], count["late"]
    on_time = settled - late_n
    return [
        body(
            f"Trong {of.period.words}, {of.name} tiếp nhận {num(count['received'], 0)} hồ sơ, trả "
            f"kết quả {num(settled, 0)} hồ sơ: đúng hẹn hoặc sớm {num(on_time, 0)} hồ sơ "
            f"({heads.percent(on_time, settled)}, trong đó sớm {num(count['early'], 0)}), trễ hẹn ",
            bold(f"{num(late_n, 0)} hồ sơ"), f" ({heads.percent(late_n, settled)}).",
        ),
        body(
            f"Đến hết ngày {short_day(_end(of))} còn {num(count['open'], 0)} hồ sơ đang giải "
            f"quyết, trong đó {num(count['open_late'], 0)} hồ sơ đã quá hẹn. Tổng số hồ sơ trễ "
            f"hẹn của kỳ là {num(len(found), 0)}."
        ),
    ]  # fmt: skip


def apologies(found: Sequence[Late]) -> list[model.Block]:
    """The share of late dossiers with a letter, and through what it went."""
    if not found:
        return [body("Không có hồ sơ trễ hẹn nên không cần thư xin lỗi.")]
    known = letters(found)
    said = body(
        f"Có {num(known.sent, 0)}/{num(known.late, 0)} hồ sơ trễ hẹn đã được gửi thư xin lỗi, đạt ",
        bold(heads.percent(known.sent, known.late)),
        f"; gửi chậm nhất vào ngày hẹn {num(known.in_time, 0)} thư. Đã lập nhưng chưa gửi "
        f"{num(known.made, 0)} thư"
        + (f"; chưa có thư {num(known.none, 0)} hồ sơ." if known.none else "."),
    )
    channels = Counter(one.channel for one in found if one.state == "sent")
    if not channels:
        return [said]
    parts = [f"{CHANNELS.get(name, name)} {num(n, 0)}" for name, n in channels.most_common()]
    return [said, body(f"Kênh gửi: {', '.join(parts)}.")]


def by(
    of: About, work: Sequence[Work], found: Sequence[Late], head: str,
    key: Callable[[Work | Late], str],
) -> Table:  # fmt: skip
    """Settled, late, open and letters by a word of each dossier, the latest share first."""
    sums = heads.summed(work, key, ("settled", "late", "open", "open_late"))  # type: ignore[arg-type]
    groups: dict[str, list[Late]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    order = sorted(
        sums, key=lambda n: (-len(groups.get(n, ())), -sums[n]["settled"], units.name_key(n))
    )
    shown, rest = order[:30], order[30:]
    rows = [_row(name, [sums[name]], groups.get(name, [])) for name in shown]
    if rest:
        others = [one for name in rest for one in groups.get(name, [])]
        rows.append(_row(f"Khác ({num(len(rest), 0)})", [sums[name] for name in rest], others))
    rows.append(_row("Tổng số", list(sums.values()), list(found), sum=True))
    columns = (
        Column(head, 58),
        Column("Đã trả", 18, "right"),
        Column("Trả trễ", 17, "right"),
        Column("Tỷ lệ trễ\n(%)", 20, "right", bold=True),
        Column("Chưa trả,\nquá hẹn", 20, "right"),
        Column("Đã gửi\nthư", 15, "right"),
        Column("Tỷ lệ có\nthư (%)", 17, "right"),
    )
    caption = of.captions.table(f"Hồ sơ trễ hẹn theo {head[:1].lower()}{head[1:]}")
    return Table(columns, tuple(rows), caption, size=11, tight=len(rows) > 20)


def _row(
    name: str, sums: Sequence[dict[str, int]], found: Sequence[Late], *, sum: bool = False
) -> Row:
    total = Counter[str]()
    for one in sums:
        total.update(one)
    known = letters(found)
    cells = (
        name, num(total["settled"], 0), num(total["late"], 0),
        heads.part(total["late"], total["settled"]), num(total["open_late"], 0),
        num(known.sent, 0), heads.part(known.sent, known.late),
    )  # fmt: skip
    return Row(cells, "sum" if sum else "plain")


def _longest(of: About, found: Sequence[Late]) -> list[model.Block]:
    if not found:
        return []
    bands = ((1, 3), (4, 7), (8, 15), (16, 30), (31, 10**6))
    days = [one.days(_limit(of)) for one in found]
    rows = [
        Row(
            (
                f"{low}–{high} ngày" if high < 10**6 else f"Trên {low - 1} ngày",
                num(n := sum(low <= d <= high for d in days), 0), heads.part(n, len(days)),
            )
        )
        for low, high in bands
    ]  # fmt: skip
    columns = (
        Column("Số ngày trễ", 95), Column("Số hồ sơ", 35, "right"),
        Column("Tỷ trọng (%)", 35, "right"),
    )  # fmt: skip
    return [Table(columns, tuple(rows), of.captions.table("Hồ sơ trễ hẹn theo số ngày trễ"))]


def _list(of: About, found: Sequence[Late], names: dict[str, str]) -> list[model.Block]:
    columns = (
        Column("Mã hồ sơ", 51),
        Column("Thủ tục", 64),
        Column("Đơn vị giải quyết", 44),
        Column("Ngày nhận", 21, "centre"),
        Column("Ngày hẹn", 21, "centre"),
        Column("Ngày trả", 21, "centre"),
        Column("Trễ\n(ngày)", 12, "right"),
        Column("Thư\nxin lỗi", 13, "centre"),
    )
    rows = tuple(
        Row(
            (
                _parted(one.dossier), one.service, names.get(one.resolving, one.resolving),
                short_day(one.received_on), short_day(one.due_on),
                short_day(one.settled_on) if _returned(of, one) and one.settled_on else NONE,
                num(one.days(_limit(of)), 0), _letter(one),
            )
        )
        for one in found[:LISTED]
    )  # fmt: skip
    note = "Ghi chú: Thư xin lỗi ghi số thư; * đã lập, chưa gửi; —: chưa có thư."
    more = len(found) - LISTED
    if more > 0:
        note += f" Còn {num(more, 0)} hồ sơ trong tệp bảng tính."
    return [Table(columns, rows, note=note, size=10, tight=True)]


def _parted(key: str) -> str:
    """A dossier's number in pieces that fit the column."""
    return " ".join(key[at : at + WIDEST] for at in range(0, len(key), WIDEST))


def _returned(of: About, one: Late) -> bool:
    return one.settled_on is not None and one.settled_on <= of.period.last


def _letter(one: Late) -> str:
    if one.number is None:
        return NONE
    return str(one.number) if one.state == "sent" else f"{one.number}*"


def _sheet(of: About, found: Sequence[Late]) -> Sheet:
    return Sheet(
        "Hồ sơ trễ hẹn",
        (
            "ma_ho_so", "thu_tuc", "don_vi_tiep_nhan", "don_vi_giai_quyet", "ngay_nhan",
            "ngay_hen", "ngay_tra", "so_ngay_tre", "so_thu", "tinh_trang_thu", "ngay_gui_thu",
            "kenh",
        ),
        tuple(
            (
                one.dossier, one.service, one.unit, one.resolving, one.received_on, one.due_on,
                one.settled_on, one.days(_limit(of)), one.number, STATES.get(one.state, ""),
                clock.day(clock.moment(one.sent_at)) if one.sent_at else None,
                CHANNELS.get(one.channel, ""),
            )
            for one in found
        ),
    )  # fmt: skip


def _end(of: About) -> date:
    """The last day of the period, or the day of the report before that."""
    return min(of.period.last, of.on)


def _limit(of: About) -> date:
    """The day to which lateness is counted: the one after the period, or that of the report."""
    return min(of.period.last + timedelta(days=1), of.on)
