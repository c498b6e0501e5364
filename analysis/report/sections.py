"""Tables, charts and sentences that several reports share: results in, blocks of a report out."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.report import model, wording
from analysis.report.model import Bar, Column, Dot, Row, bold
from analysis.report.numbers import NONE, num, pct, share, span
from analysis.results import Account, Figure, Result, WaveInfo


class Captions:
    """Numbers tables and figures in the order in which they appear."""

    def __init__(self) -> None:
        self.tables = self.figures = 0

    def table(self, text: str) -> str:
        """Caption of the next table."""
        self.tables += 1
        return f"Bảng {self.tables}. {text}"

    def figure(self, text: str) -> str:
        """Caption of the next figure."""
        self.figures += 1
        return f"Hình {self.figures}. {text}"


def hidden(figure: Figure) -> bool:
    """Whether the publication rule keeps the figure back."""
    return figure.value is None or "hidden" in figure.flags


def persons(figure: Figure) -> str:
    """The number of answers: "1.137", "27 ○" when few; a dash when the figure is hidden."""
    if hidden(figure):
        return NONE
    return num(figure.n, 0) + (" ○" if "few" in figure.flags else "")


def interval(figure: Figure) -> str:
    """ "82,87–86,04", starred when few degrees of freedom carry it; says when not published."""
    if "no_answer" in figure.flags:
        return wording.NO_ANSWER
    if hidden(figure):
        return wording.HIDDEN
    if "census" in figure.flags:
        return wording.CENSUS
    known = span(figure.low, figure.high)
    return known + "*" if "low_df" in figure.flags and known != NONE else known


def effect(figure: Figure) -> str:
    """The design effect as printed."""
    return NONE if figure.deff is None or hidden(figure) else num(figure.deff)


def value(figure: Figure, decimals: int = 2) -> str:
    """The index in percent, without its sign."""
    return NONE if hidden(figure) else share(figure.value, decimals)


def notes(figures: Iterable[Figure], *sentences: str, hide_n: int, min_n: int) -> str:
    """The note under a table: the given sentences and an explanation of every mark that occurs."""
    marks = {flag for figure in figures for flag in figure.flags}
    parts = [sentence for sentence in sentences if sentence]
    if "few" in marks:
        parts.append(f"○: dưới {num(min_n, 0)} phiếu, chỉ để tham khảo.")
    if "hidden" in marks:
        parts.append(f"“{wording.HIDDEN}”: dưới {num(hide_n, 0)} phiếu.")
    if "low_df" in marks:
        parts.append("*: khoảng tin cậy dựa trên ít bậc tự do, cần thận trọng.")
    if "no_variance" in marks:
        parts.append("—: không tính được khoảng tin cậy.")
    if "keyed" in marks:
        parts.append("Khoảng tin cậy gồm cả lỗi nhập của phiếu giấy chỉ nhập một lần.")
    if "incomplete" in marks:
        parts.append("Chỉ số tổng hợp không gồm nội dung chưa có người trả lời.")
    return f"Ghi chú: {' '.join(parts)}" if parts else ""


def estimate(figure: Figure, level: str) -> tuple[str | model.Run, ...]:
    """ "**84,52%** (khoảng tin cậy 95%: 82,87–86,04)" as runs."""
    if hidden(figure):
        return (wording.NO_ANSWER if "no_answer" in figure.flags else wording.HIDDEN,)
    if figure.low is None:
        return (bold(pct(figure.value)),)
    known = span(figure.low, figure.high)
    return bold(pct(figure.value)), f" (khoảng tin cậy {level}: {known})"


def accounts(result: Result, caption: str) -> model.Table | None:
    """Forms issued, returned, valid, with their rates; None when nobody kept account."""
    if not result.accounts:
        return None
    columns = (
        Column("Địa bàn", 71),
        Column("Phiếu\nphát ra", 18, "right"),
        Column("Phiếu\nthu về", 18, "right"),
        Column("Phiếu\nhợp lệ", 18, "right"),
        Column("Tỷ lệ\nthu về", 20, "right"),
        Column("Tỷ lệ\nhợp lệ", 20, "right"),
    )
    shown = result.accounts[:1] if len(result.accounts) == 2 else result.accounts
    last = len(shown) - 1
    rows = tuple(
        Row(_account(account), "sum" if i == last and last else "plain")
        for i, account in enumerate(shown)
    )
    note = "Ghi chú: Tỷ lệ thu về tính trên phiếu phát ra; tỷ lệ hợp lệ tính trên phiếu thu về."
    return model.Table(columns, rows, caption, note=note, tight=len(rows) > 12)


def _account(account: Account) -> tuple[str, ...]:
    counts = (account.issued, account.returned, account.valid)
    rates = (rate(account.returned, account.issued), rate(account.valid, account.returned))
    name = account.name[:1].upper() + account.name[1:]
    return (name, *(num(n, 0) for n in counts), *map(pct, rates))


def rate(part: int, whole: int) -> float | None:
    """A share of counts; None of nothing."""
    return part / whole if whole else None


def accounts_sentence(result: Result) -> tuple[str, ...]:
    """Issued, returned, valid in words; nothing when nobody kept account."""
    if not result.accounts:
        return ()
    whole = result.accounts[-1]
    back, valid = rate(whole.returned, whole.issued), rate(whole.valid, whole.returned)
    return (
        f"Số phiếu phát ra là {num(whole.issued, 0)}, thu về {num(whole.returned, 0)} phiếu "
        f"({pct(back)}), trong đó {num(whole.valid, 0)} phiếu hợp lệ ({pct(valid)}). ",
    )


def care_sentence(result: Result) -> str:
    """What was set aside and why."""
    text = ""
    if result.flagged:
        text += f"Có {num(result.flagged, 0)} phiếu được đánh dấu cần xem lại, vẫn được tính. "
    if result.void:
        text += f"Có {num(result.void, 0)} phiếu bị loại, không tính vào kết quả. "
    if result.loose:
        text += f"Có {num(result.loose, 0)} phiếu không gắn với mẫu, không tính vào chỉ số nào."
    return text.strip()


def factor_table(result: Result, caption: str) -> model.Table:
    """Areas, factors and the whole: n, index, interval, design effect."""
    columns = (
        Column("TT", 10, "centre"),
        Column("Nội dung", 79),
        Column("Số\nphiếu", 18, "right"),
        Column("Chỉ số\n(%)", 17, "right"),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 27, "centre"),
        Column("Hệ số\nthiết kế", 14, "right"),
    )
    figures = result.of("area", "factor", "total")
    rows = tuple(Row((*_name(f), *_cells(f)), _weight(f)) for f in figures)
    said = "Số phiếu là số người có trả lời."
    wave = result.wave
    note = notes(figures, said, hide_n=wave.hide_n, min_n=wave.min_n)
    return model.Table(columns, rows, caption, note=note)


def _weight(figure: Figure) -> model.Weight:
    return {"area": "area", "total": "sum"}.get(figure.kind, "plain")  # type: ignore[return-value]


def _name(figure: Figure) -> tuple[str, str]:
    if figure.kind == "total":
        return "", wording.short(figure.name) or "Chỉ số hài lòng chung"
    return figure.number.split(".")[-1], wording.short(figure.name)


def _cells(figure: Figure) -> tuple[str, ...]:
    return persons(figure), value(figure), interval(figure), effect(figure)


def item_table(result: Result, caption: str = "") -> model.Table:
    """Every item under its factor: n, index, interval, design effect."""
    columns = (
        Column("TT", 10, "centre"),
        Column("Nội dung", 83),
        Column("Số\nphiếu", 16, "right"),
        Column("Chỉ số\n(%)", 15, "right"),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 26, "centre"),
        Column("Hệ số\nthiết kế", 15, "right"),
    )
    items = result.of("item")
    names = {f.id: f for f in result.of("factor")}
    rows: list[Row] = []
    parent = None
    for item in items:
        if item.parent != parent and item.parent in names:
            factor = names[item.parent]
            rows.append(Row((factor.number, wording.short(factor.name)), "group"))
        parent = item.parent
        rows.append(Row((item.number, wording.abbreviated(item.name), *_cells(item))))
    wave = result.wave
    said = "Lời văn rút gọn; nội dung đầy đủ theo Phiếu khảo sát."
    letters = wording.explained(row.cells[1] for row in rows)
    note = notes(items, said, letters, hide_n=wave.hide_n, min_n=wave.min_n)
    return model.Table(columns, tuple(rows), caption, note=note, size=10.5, tight=True)


def factor_chart(result: Result, caption: str) -> model.DotChart:
    """Areas and factors as dots with intervals, the whole as the dashed line."""
    level = wording.level(result.wave)
    figures = result.of("area", "factor")
    dots = tuple(
        Dot(
            label=_label(f),
            value=None if hidden(f) else f.value,
            low=f.low,
            high=f.high,
            end=persons(f),
            filled="few" not in f.flags,
            weight="area" if f.kind == "area" else "plain",
        )
        for f in figures
    )
    return model.DotChart(
        caption=caption,
        heads=(
            "",
            "Lĩnh vực, yếu tố",
            f"Chỉ số và khoảng tin cậy {level} (%)",
            "Chỉ số",
            "Số phiếu",
        ),
        dots=dots,
        whole=None if hidden(result.total) else result.total.value,
        whole_name="chỉ số chung",
        note="Ghi chú: Chấm là giá trị ước lượng, vạch ngang là khoảng tin cậy. Trục không bắt đầu "
        "từ 0.",
    )


def _label(figure: Figure) -> str:
    if figure.kind == "item" and figure.number:
        return f"{figure.number}. {wording.abbreviated(figure.name)}"
    name = wording.short(figure.name)
    return f"{figure.number}. {name}" if figure.kind == "area" else name


def level_chart(result: Result, caption: str, decimals: int = 2) -> model.LevelBars | None:
    """The answers by level: the whole, areas and factors; None when no shares are known."""
    figures = (result.total, *result.of("area", "factor"))
    return bars(figures, caption, result.wave.index, decimals)


def bars(
    figures: Iterable[Figure], caption: str, index: str, decimals: int = 2
) -> model.LevelBars | None:
    """Stacked bars of these figures; the right arm is the index when the method is top2."""
    known = [f for f in figures if f.shares or hidden(f)]
    count = max((len(f.shares) for f in known if f.shares), default=0)
    if not count:
        return None
    levels = wording.LEVELS if count == 5 else wording.POINTS
    note = "Phần bên phải vạch 0 là tỷ lệ hài lòng" if count == 5 else "Bên phải vạch 0 là 2 điểm"
    if count == 5:
        note += " (chỉ số)" if index == "top2" else " (không phải là chỉ số của đợt này)"
        note += "; bên trái, từ vạch 0 ra: bình thường, không hài lòng, rất không hài lòng"
    return model.LevelBars(
        caption=caption,
        levels=levels,
        bars=tuple(
            Bar(
                label="Chỉ số hài lòng chung" if f.kind == "total" else _label(f),
                shares=None if hidden(f) else f.shares,
                end=value(f, decimals),
                weight={"total": "sum", "area": "area"}.get(f.kind, "plain"),  # type: ignore[arg-type]
            )
            for f in known
        ),
        end_head="Chỉ số",
        note=f"Ghi chú: {note}.",
    )


def by_factor(result: Result, captions: Captions) -> list[model.Block]:
    """Table of factors, dots with intervals, answers by level."""
    blocks: list[model.Block] = [
        factor_table(result, captions.table("Chỉ số hài lòng theo lĩnh vực và yếu tố"))
    ]
    if len(result.of("factor")) > 1:
        level = wording.level(result.wave)
        caption = captions.figure(f"Chỉ số hài lòng và khoảng tin cậy {level} theo yếu tố")
        blocks.append(factor_chart(result, caption))
    if any(f.shares for f in result.of("area", "factor", "total")):
        caption = captions.figure("Cơ cấu câu trả lời theo các mức (%)")
        chart = level_chart(result, caption)
        blocks += [chart] if chart else []
    return blocks


def warning(wave: WaveInfo) -> tuple[model.Paragraph, ...]:
    """Says first of all when the data are made up."""
    said = model.Paragraph(model.runs(bold(wording.SYNTHETIC)), "warning")
    return (said,) if wave.synthetic else ()


def extremes(result: Result) -> tuple[model.Paragraph, ...]:
    """The best and the worst factor, with their intervals."""
    factors = [f for f in result.of("factor") if not hidden(f) and "few" not in f.flags]
    if len(factors) < 2:
        return ()
    best = max(factors, key=lambda f: f.value or 0.0)
    worst = min(factors, key=lambda f: f.value or 0.0)
    level = wording.level(result.wave)
    return (
        model.body(
            f"Yếu tố có chỉ số cao nhất là “{wording.short(best.name)}”: ",
            *estimate(best, level),
            f"; thấp nhất là “{wording.short(worst.name)}”: ",
            *estimate(worst, level),
            ".",
        ),
    )


def cautions(result: Result) -> tuple[model.Paragraph, ...]:
    """What may not be concluded from these figures."""
    said = [
        "không kết luận yếu tố, nội dung này hơn, kém yếu tố, nội dung kia khi khoảng tin cậy của "
        "chúng giao nhau"
    ]
    if any(unit.rank for unit in result.units):
        said.append("không dùng thứ hạng tách rời khoảng hạng")
    few = sum("few" in f.flags for f in result.of("item", "factor"))
    if few:
        said.append(f"không dùng riêng {num(few, 0)} chỉ số có dấu ○ vì quá ít phiếu")
    said.append("không so sánh với ý kiến thu tại quầy và mã QR, là cách đo khác")
    return (model.body("Giới hạn khi sử dụng: " + "; ".join(said) + "."),)


_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def roman(n: int) -> str:
    """1, 2, 3 ... as the number of a chapter or an annex."""
    text = ""
    for size, letters in _ROMAN:
        count, n = divmod(n, size)
        text += letters * count
    return text
