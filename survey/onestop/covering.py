"""The report on coverage: how many settled dossiers had an opinion, where, of what, by channel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analysis.bounds import hidden_parts
from analysis.report import model, wording
from analysis.report.model import Column, Heading, Row, Sheet, Table, body, bold
from analysis.report.numbers import NONE, num
from survey.onestop import heads
from survey.onestop.appraisal import HIDE_N
from survey.onestop.heads import About, about, capital
from survey.store import Refused, dossiers, units

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from analysis.report.model import Report
    from survey.reporting.kinds import Ask
    from survey.store.dossiers import Cell

#: Rows of a table before the rest of them is one row.
MOST = 30
REST = "Các thủ tục khác"


def report(db: sqlite3.Connection, ask: Ask) -> Report:
    """Coverage of a unit and period by unit, procedure, month and channel.

    Raises Refused ``onestop_empty`` (409) when no dossier was settled.
    """
    of = about(db, ask)
    cells = _cells(of)
    if not cells:
        raise Refused("onestop_empty", 409)
    _, answered = _counts(cells)
    hide = 0 < answered < HIDE_N
    names = {cell.unit: capital(units.name(db, cell.unit, of.period.last)) for cell in cells}
    keys: tuple[tuple[str, Callable[[Cell], str]], ...] = (
        ("Đơn vị tiếp nhận", lambda cell: names[cell.unit]),
        ("Thủ tục", _service(cells)),
        ("Tháng trả kết quả", _month),
        ("Kết quả", _lateness),
    )
    tables = [
        _table(of, cells, head, key, hide=hide)
        for head, key in keys
        if len({key(cell) for cell in cells}) > 1
    ]
    blocks: list[model.Block] = [
        Heading("I. TÓM TẮT"),
        *_summary(of, cells, hide=hide),
        Heading("II. MỨC ĐỘ BAO PHỦ"),
        *tables,
        *_channels(of, cells, hide=hide),
        Heading("III. CÁCH TÍNH"),
        heads.box(
            {
                "Mẫu số": "Hồ sơ có ngày trả kết quả trong kỳ, kể cả ngày cuối cùng, theo đơn vị "
                "tiếp nhận.",
                "Tử số": "Hồ sơ trong số đó đã có một ý kiến hợp lệ; mỗi hồ sơ tính một lần, dù "
                "qua kênh nào.",
                "Yêu cầu": "Lấy ý kiến đối với toàn bộ hồ sơ (100%).",
                "Quy tắc công bố": f"Nơi có dưới {HIDE_N} ý kiến không công bố; ẩn thêm một nơi "
                "nữa khi hiệu với tổng số để lộ.",
            }
        ),
    ]
    sheet = Sheet(
        "Bao phủ",
        ("don_vi", "ten_don_vi", "da_tra", "co_y_kien", "tre_hen"),
        _sheet(cells, names, hide=hide),
    )
    lines = ("Mức độ lấy ý kiến đối với hồ sơ đã trả kết quả", f"của {of.name}, {of.period.words}")
    return heads.document(of, "BÁO CÁO", lines, blocks, sheets=(sheet,))


def _cells(of: About) -> list[Cell]:
    return dossiers.coverage(of.db, since=of.period.first, until=of.period.last, within=of.unit)


def _counts(cells: Sequence[Cell]) -> tuple[int, int]:
    return sum(c.n for c in cells), sum(c.n for c in cells if c.channel)


def _summary(of: About, cells: Sequence[Cell], *, hide: bool) -> list[model.Paragraph]:
    settled, answered = _counts(cells)
    late = sum(cell.n for cell in cells if cell.late)
    said = (
        body(f"Có dưới {HIDE_N} hồ sơ có ý kiến; không công bố số ý kiến và tỷ lệ.")
        if hide
        else body(
            f"Trong {of.period.words}, {of.name} trả kết quả {num(settled, 0)} hồ sơ, trong đó "
            f"{num(answered, 0)} hồ sơ có ý kiến: mức độ bao phủ ",
            bold(heads.percent(answered, settled)),
            f", còn {num(settled - answered, 0)} hồ sơ chưa có ý kiến.",
        )
    )
    return [
        said,
        body(f"Hồ sơ trả kết quả trễ hẹn chiếm {heads.percent(late, settled)} ({num(late, 0)})."),
        body(f"{wording.VOLUNTEERS}."),
    ]


def _service(cells: Sequence[Cell]) -> Callable[[Cell], str]:
    counts: Counter[str] = Counter()
    for cell in cells:
        counts[cell.service] += cell.n
    shown = {name for name, _ in sorted(counts.items(), key=lambda p: (-p[1], p[0]))[:MOST]}
    return lambda cell: cell.service if cell.service in shown else REST


def _month(cell: Cell) -> str:
    return f"Tháng {cell.month[5:]}/{cell.month[:4]}"


def _lateness(cell: Cell) -> str:
    return "Trễ hẹn" if cell.late else "Đúng hẹn hoặc sớm"


def _table(
    of: About, cells: Sequence[Cell], head: str, key: Callable[[Cell], str], *, hide: bool
) -> Table:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    order = sorted(groups, key=lambda name: (name == REST, units.name_key(name)))
    answered = [_counts(groups[name])[1] for name in order]
    small = hidden_parts(answered, hide_n=HIDE_N)
    rows = [
        Row(_cells_of(name, groups[name], hidden=hide or at in small))
        for at, name in enumerate(order)
    ]
    rows.append(Row(_cells_of("Tổng số", cells, hidden=hide), "sum"))
    columns = (
        Column(head, 77),
        Column("Hồ sơ đã\ntrả kết quả", 24, "right"),
        Column("Có\ný kiến", 20, "right"),
        Column("Bao phủ\n(%)", 22, "right", bold=True),
        Column("Trễ hẹn\n(%)", 22, "right"),
    )
    note = (
        f"Ghi chú: “—”: có dưới {HIDE_N} ý kiến, hoặc ẩn để không suy ra nơi đó." if small else ""
    )
    caption = of.captions.table(f"Mức độ bao phủ theo {head[:1].lower()}{head[1:]}")
    return Table(columns, tuple(rows), caption, note=note, size=11, tight=len(rows) > 20)


def _cells_of(name: str, cells: Sequence[Cell], *, hidden: bool) -> tuple[str, ...]:
    settled, answered = _counts(cells)
    late = sum(cell.n for cell in cells if cell.late)
    shown = (num(answered, 0), heads.part(answered, settled))
    return (name, num(settled, 0), *((NONE, NONE) if hidden else shown), heads.part(late, settled))


def _channels(of: About, cells: Sequence[Cell], *, hide: bool) -> list[model.Block]:
    counts: Counter[str] = Counter()
    for cell in cells:
        if cell.channel:
            counts[cell.channel] += cell.n
    if hide or not counts:
        return []
    names = sorted(counts, key=lambda name: (-counts[name], name))
    small = hidden_parts([counts[name] for name in names], hide_n=HIDE_N)
    whole = sum(counts.values())
    rows = [
        Row(
            (
                capital(wording.CHANNELS.get(name, name)),
                NONE if at in small else num(counts[name], 0),
                NONE if at in small else heads.part(counts[name], whole),
            )
        )
        for at, name in enumerate(names)
    ]  # fmt: skip
    rows.append(Row(("Tổng số", num(whole, 0), heads.part(whole, whole)), "sum"))
    columns = (
        Column("Kênh", 95), Column("Số ý kiến", 35, "right"), Column("Tỷ trọng (%)", 35, "right"),
    )  # fmt: skip
    return [Table(columns, tuple(rows), of.captions.table("Số ý kiến theo kênh"))]


def _sheet(
    cells: Sequence[Cell], names: Mapping[str, str], *, hide: bool
) -> tuple[tuple[model.Cell, ...], ...]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.unit, []).append(cell)
    order = sorted(groups)
    small = hidden_parts([_counts(groups[unit])[1] for unit in order], hide_n=HIDE_N)
    return tuple(
        (
            unit, names[unit], _counts(groups[unit])[0],
            None if hide or at in small else _counts(groups[unit])[1],
            sum(cell.n for cell in groups[unit] if cell.late),
        )
        for at, unit in enumerate(order)
    )  # fmt: skip
