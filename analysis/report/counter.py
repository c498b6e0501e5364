"""The report on self-selected answers (kiosk, QR): counts, coverage, bounds, never an interval."""

from __future__ import annotations

from collections import Counter
from datetime import date

from analysis.crossed import Drivers
from analysis.report import model, opinions, plane, sections, wording
from analysis.report.model import Column, Heading, Row, body, bold
from analysis.report.numbers import NONE, num, pct, share
from analysis.results import Coverage, Figure, Result

DECIMALS = 1  # tables of the counter carry one decimal (SIPAS two)
APART = "Dòng dưới chỉ số chung là câu hỏi riêng, không tính vào chỉ số chung."
MANY = 12  # more items or comments than this go into an annex


def build(
    result: Result, *, on: date, number: str = "", drivers: Drivers | None = None
) -> model.Report:
    """The report of ``result.scope`` on answers that people chose to give, dated ``on``.

    ``drivers``: what carries the overall item, where that was asked.
    Raises ValueError for a probability sample: its doubt is known and must be printed.
    """
    if result.wave.kind != "self_selected":
        raise ValueError("the counter report is for self-selected answers only")
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, sections.Captions()
    where = f" tại {result.scope_name}" if result.scope_name else ""
    lines = ("Ý kiến của người dân về việc phục vụ", f"{where.strip()} {_when(result)}".strip())
    belongs = wording.belongs(wave, on, number)
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        body(
            f"{wave.owner_name} tổng hợp ý kiến người dân gửi trong đợt “{wave.name}”{where} "
            f"{wording.period(wave)} như sau:"
        ),
        *sections.warning(wave),
        Heading("I. TÓM TẮT"),
        *_summary(result),
        Heading("II. SỐ Ý KIẾN VÀ MỨC ĐỘ BAO PHỦ"),
        *_coverage(result, captions),
        Heading("III. KẾT QUẢ"),
        *_results(result, captions),
        *_first(drivers, captions),
        Heading(f"{'V' if drivers else 'IV'}. CÁCH TÍNH"),
        model.MethodBox(wording.method_rows(result)),
        body(f"Trên đây là tổng hợp ý kiến của người dân{where}./."),
        wording.sign_off(wave),
        *_annexes(result, belongs),
    ]
    return model.Report(
        title=f"Báo cáo ý kiến của người dân về việc phục vụ{where}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
    )


def _first(drivers: Drivers | None, captions: sections.Captions) -> list[model.Block]:
    """What to improve first, where the form asks for everything in one item."""
    if drivers is None:
        return []
    return [Heading("IV. ƯU TIÊN CẢI THIỆN"), *plane.section(drivers, captions)]


def _when(result: Result) -> str:
    return f"năm {result.wave.year}"


def _summary(result: Result) -> list[model.Paragraph]:
    total, known = result.total, result.coverage
    if sections.hidden(total):
        few = num(result.wave.hide_n, 0)
        first = body(f"Có dưới {few} ý kiến hợp lệ; không công bố kết quả.")
    else:
        first = body(
            f"Có {num(total.n, 0)} người trả lời; trong số đó chỉ số hài lòng là ",
            bold(pct(total.value, DECIMALS)),
            f".{_extremes(result)}",
        )
    said = [first, body(bold(f"{wording.VOLUNTEERS}."))]
    if known is not None and known.low is not None and not sections.hidden(total):
        said.append(body(_bounds(known)))
    return said


def _extremes(result: Result) -> str:
    factors = [f for f in result.of("factor") if not sections.hidden(f) and "few" not in f.flags]
    if len(factors) < 2:
        return ""
    best = max(factors, key=lambda f: f.value or 0.0)
    worst = min(factors, key=lambda f: f.value or 0.0)
    return (
        f" Cao nhất là “{wording.short(best.name)}” ({pct(best.value, DECIMALS)}), thấp nhất là "
        f"“{wording.short(worst.name)}” ({pct(worst.value, DECIMALS)}), xét trong những người đã "
        "trả lời."
    )


def _bounds(known: Coverage) -> str:
    return (
        "Không biết gì về những người không trả lời thì chỉ có thể nói chắc: tỷ lệ của toàn bộ hồ "
        f"sơ đã giải quyết nằm trong khoảng từ {pct(known.low, DECIMALS)} (nếu mọi người không trả "
        f"lời đều không hài lòng) đến {pct(known.high, DECIMALS)} (nếu đều hài lòng)."
    )


def _coverage(result: Result, captions: sections.Captions) -> list[model.Block]:
    known, care = result.coverage, sections.care_sentence(result)
    blocks: list[model.Block] = []
    if known is not None:
        blocks.append(body(_covered(known)))
    if care:
        blocks.append(body(care))
    if len(result.channels) == 1:
        blocks.append(body(f"Tất cả ý kiến đến qua một kênh: {wording.channels(result)}."))
    elif result.channels:
        blocks.append(_channels(result, captions.table("Số ý kiến theo kênh")))
    return blocks


def _covered(known: Coverage) -> str:
    if known.settled is None or known.rate is None:
        return (
            f"Có {num(known.answers, 0)} ý kiến. Chưa có số hồ sơ đã giải quyết trong kỳ nên chưa "
            "tính được mức độ bao phủ."
        )
    return (
        f"Có {num(known.answers, 0)} ý kiến trên {num(known.settled, 0)} hồ sơ đã giải quyết, mức "
        f"độ bao phủ {pct(known.rate, DECIMALS)}. Yêu cầu là lấy ý kiến đối với toàn bộ hồ sơ."
    )


def _channels(result: Result, caption: str) -> model.Table:
    columns = (
        Column("Kênh", 95),
        Column("Số ý kiến", 35, "right"),
        Column("Tỷ trọng (%)", 35, "right"),
    )
    whole = sum(result.channels.values())
    ordered = sorted(result.channels.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [
        Row((_capital(wording.CHANNELS.get(key, key)), num(n, 0), _part(n, whole)))
        for key, n in ordered
    ]
    rows.append(Row(("Tổng số", num(whole, 0), _part(whole, whole)), "sum"))
    return model.Table(columns, tuple(rows), caption)


def _part(n: int, whole: int) -> str:
    return share(sections.rate(n, whole), DECIMALS)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shown(result: Result) -> tuple[Figure, ...]:
    """Factors, the items that say more than their factor, the total, then what is not in it."""
    items, factors = result.of("item"), result.of("factor")
    inside = Counter(item.parent for item in items)
    apart = tuple(item for item in items if factors and not item.parent)
    if len(items) > MANY:
        return (*result.of("area", "factor"), result.total, *apart)
    shown = [f for f in result.of("factor", "item") if f not in apart]
    shown = [f for f in shown if f.kind == "factor" or inside[f.parent] > 1]
    return (*shown, result.total, *apart)


def _results(result: Result, captions: sections.Captions) -> list[model.Block]:
    blocks: list[model.Block] = [
        answers(result, _shown(result), captions.table("Chỉ số và cơ cấu câu trả lời"))
    ]
    rest = (f for f in _shown(result) if f.kind != "total")
    figures = [f for f in (result.total, *rest) if f.shares or sections.hidden(f)]
    caption = "Cơ cấu câu trả lời của những người đã trả lời (%)"
    chart = sections.bars(figures, "", result.wave.index, DECIMALS)
    if chart:
        named = captions.figure(caption)
        blocks.append(sections.bars(figures, named, result.wave.index, DECIMALS) or chart)
    said = [*opinions.judgements(result), opinions.needs(result)]
    blocks += [body(text) for text in said if text]
    if len(set(result.comments)) <= MANY and (voices := opinions.voices(result)):
        blocks += voices
    return blocks


def answers(result: Result, figures: tuple[Figure, ...], caption: str = "") -> model.Table:
    """n, index and the shares of every level; no interval, because there is none."""
    count = max((len(f.shares) for f in figures if f.shares), default=5)
    names = wording.LEVELS if count == 5 else wording.POINTS
    columns = (
        Column("TT", 10, "centre"),
        Column("Nội dung", 165 - 10 - 15 - 14 - 13.5 * count),
        Column("Số\ný kiến", 15, "right"),
        Column("Chỉ số\n(%)", 14, "right", bold=True),
        *(Column(_stacked(name), 13.5, "right") for name in names),
    )
    above = {f.parent for f in figures if f.kind == "item"} - {""}
    heads: model.Weight = "area" if above & {f.id for f in figures} else "plain"
    rows = tuple(_answer_row(f, count, heads) for f in figures)
    note = sections.notes(
        figures,
        "Tỷ lệ tính trên số người trả lời từng nội dung, không có khoảng tin cậy.",
        wording.explained(row.cells[1] for row in rows),
        *(APART for f in figures[-1:] if f.kind == "item" and not f.parent),
        hide_n=result.wave.hide_n,
        min_n=result.wave.min_n,
    )
    return model.Table(columns, rows, caption, note=note, size=10, tight=len(rows) > 2 * MANY)


def _stacked(name: str) -> str:
    """A level's name in lines that fit a narrow column: "Rất\\nkhông\\nhài lòng"."""
    for tail in ("hài lòng", "thường"):
        if name.endswith(tail) and name != _capital(tail):
            return name.removesuffix(tail).strip().replace(" ", "\n") + "\n" + tail
    return name.replace(" ", "\n")


def _answer_row(figure: Figure, count: int, heads: model.Weight) -> Row:
    shares = figure.shares if figure.shares and not sections.hidden(figure) else None
    parts = [share(part, DECIMALS) for part in shares] if shares else [NONE] * count
    item = figure.kind == "item"
    name = wording.abbreviated(figure.name) if item else wording.short(figure.name)
    if sections.hidden(figure):
        name += f" ({wording.HIDDEN})"
    cells = (
        figure.number.split(".")[-1].split(" ")[-1],
        name,
        sections.persons(figure),
        sections.value(figure, DECIMALS),
        *parts,
    )
    weights: dict[str, model.Weight] = {"area": "area", "total": "sum", "factor": heads}
    return Row(cells, weights.get(figure.kind, "plain"))


def _annexes(result: Result, belongs: str) -> list[model.Block]:
    parts: list[tuple[str, list[model.Block]]] = []
    items = result.of("item")
    if len(items) > MANY:
        title = f"KẾT QUẢ THEO {len(items)} NỘI DUNG"
        parts.append((title, [answers(result, items)]))
    if others := opinions.annex(result):
        parts.append(("CÁC CÂU HỎI KHÁC", others))
    if len(set(result.comments)) > MANY and (voices := opinions.voices(result)):
        parts.append(("Ý KIẾN CỦA NGƯỜI DÂN", list(voices)))
    blocks: list[model.Block] = []
    for place, (title, content) in enumerate(parts, 1):
        number = sections.roman(place) if len(parts) > 1 else ""
        blocks += [model.Annex(number, (title,), belongs), *content]
    return blocks
