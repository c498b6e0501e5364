"""The report of one unit on its own probability sample."""

from __future__ import annotations

from datetime import date

from analysis.report import counter, model, opinions, ranking, sections, wording
from analysis.report.model import Heading, Paragraph, body
from analysis.report.numbers import num, pct, words
from analysis.results import Figure, Result

UNITS = "đơn vị"
MOST_ACCOUNTS = 12  # longer accounts of forms go into an annex
MOST_IN_BODY = 3  # items named as lowest


def build(result: Result, *, on: date, number: str = "") -> model.Report:
    """The report of ``result.scope``, dated ``on``; self-selected answers get the counter report.

    ``number`` is the office's number ("05" or "05/BC-SNV"); without one it is left open.
    """
    if result.wave.kind == "self_selected":
        return counter.build(result, on=on, number=number)
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, sections.Captions()
    subject = f"của cơ quan hành chính nhà nước năm {wave.year}{_of(result)}"
    lines = ("Kết quả đo lường sự hài lòng của người dân đối với sự phục vụ", subject)
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        body(f"{wording.basis(wave)} báo cáo kết quả năm {wave.year}{_of(result)} như sau:"),
        *sections.warning(wave),
        Heading("I. TÓM TẮT KẾT QUẢ"),
        *summary(result),
        Heading("II. TÌNH HÌNH TỔ CHỨC KHẢO SÁT"),
        *fieldwork(result, captions),
        Heading("III. KẾT QUẢ ĐO LƯỜNG"),
        *_results(result, captions),
        Heading("IV. ĐÁNH GIÁ, KIẾN NGHỊ"),
        *_advice(result),
        Heading("V. PHƯƠNG PHÁP"),
        model.MethodBox(wording.method_rows(result)),
        body(_closing(result)),
        wording.sign_off(wave),
        *annexes(result, wording.belongs(wave, on, number)),
    ]
    return model.Report(
        title=f"Báo cáo {lines[0][0].lower()}{lines[0][1:]} {subject}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
    )


def _of(result: Result) -> str:
    return f" của {result.scope_name}" if result.scope_name else ""


def summary(result: Result) -> tuple[Paragraph, ...]:
    """Estimate with interval, place, best and worst factor, what may not be concluded."""
    wave, total = result.wave, result.total
    place = ranking.own_place(result)
    first = body(
        f"Chỉ số hài lòng năm {wave.year}{_of(result)} đạt ",
        *sections.estimate(total, wording.level(wave)),
        f", tính trên {num(total.n, 0)} phiếu hợp lệ{_areas(result)}.",
        f" {place}" if place else "",
    )
    return (first, *sections.extremes(result), *sections.cautions(result))


def _areas(result: Result) -> str:
    known = [area for area in result.of("area") if not sections.hidden(area)]
    if not known:
        return ""
    listed = "; ".join(f"{wording.inner(area.name)} {pct(area.value)}" for area in known)
    return f"; trong đó {listed}"


def fieldwork(result: Result, captions: sections.Captions) -> tuple[model.Block, ...]:
    """When and how answers were taken, and the account of the forms (a long one is an annex)."""
    said = f"Phiếu được thu {wording.period(result.wave)} qua {wording.channels(result)}. "
    said += "".join(sections.accounts_sentence(result)) + sections.care_sentence(result)
    if not result.accounts:
        return (body(said),)
    if len(result.accounts) > MOST_ACCOUNTS:
        return (body(said.strip() + " Số liệu từng địa bàn ở phụ lục."),)
    table = sections.accounts(result, captions.table("Kết quả phát, thu phiếu khảo sát"))
    return (body(said), table) if table else (body(said),)


def _results(result: Result, captions: sections.Captions) -> list[model.Block]:
    blocks: list[model.Block] = [Heading("1. Chỉ số hài lòng theo lĩnh vực và yếu tố", 2)]
    blocks += sections.by_factor(result, captions)
    number = 2
    if len(result.units) > 1:
        blocks += [
            Heading(f"{number}. So sánh các đơn vị", 2),
            body(ranking.spread(result, UNITS, "toàn bộ")),
            ranking.unit_chart(
                result,
                result.units,
                captions.figure("Chỉ số hài lòng và khoảng hạng của các đơn vị"),
                names="Đơn vị",
                whole="toàn bộ",
            ),
        ]
        number += 1
    for title, sentences in (
        ("Nhận định", opinions.judgements(result)),
        ("Nhu cầu, mong đợi", (opinions.needs(result),)),
    ):
        if said := [body(text) for text in sentences if text]:
            blocks += [Heading(f"{number}. {title}", 2), *said]
            number += 1
    return blocks


def lowest(result: Result) -> list[Figure]:
    """The published items with the lowest index, enough answers under each."""
    items = [
        item for item in result.of("item") if not sections.hidden(item) and "few" not in item.flags
    ]
    return sorted(items, key=lambda item: item.value or 0.0)[:MOST_IN_BODY]


def _advice(result: Result) -> tuple[Paragraph, ...]:
    items = lowest(result)
    if not items:
        return (body("Số phiếu chưa đủ để nêu nội dung cần ưu tiên."),)
    listed = "; ".join(
        f"nội dung số {item.number} “{wording.abbreviated(item.name)}” ({pct(item.value)})"
        for item in items
    )
    count = words(len(items)).capitalize()
    return (
        body(
            f"{count} nội dung có chỉ số thấp nhất: {listed}. Đề nghị các cơ quan, đơn vị có liên "
            "quan xem xét nguyên nhân và có giải pháp cải thiện, trước hết với các nội dung này."
        ),
    )


def _closing(result: Result) -> str:
    wave = result.wave
    start = (
        f"Trên đây là báo cáo kết quả đo lường sự hài lòng của người dân năm "
        f"{wave.year}{_of(result)}"
    )
    if wave.parent_name and not wave.owner_name.startswith("Ủy ban nhân dân"):
        return f"{start}, {wave.owner_name} kính trình {wave.parent_name} xem xét, chỉ đạo./."
    return f"{start}, {wave.owner_name} báo cáo để các cơ quan, đơn vị biết, thực hiện./."


def closing(result: Result, what: str) -> str:
    """The last sentence of a report, to who stands above its office."""
    wave = result.wave
    start = f"Trên đây là báo cáo {what} năm {wave.year}, {wave.owner_name}"
    if wave.owner_name.startswith("Bộ "):
        return f"{start} kính báo cáo Thủ tướng Chính phủ./."
    if wave.parent_name and not wave.owner_name.startswith("Ủy ban nhân dân"):
        return f"{start} kính trình {wave.parent_name} xem xét, chỉ đạo./."
    return f"{start} báo cáo để các cơ quan, đơn vị biết, thực hiện./."


def annexes(result: Result, belongs: str, first: int = 1) -> list[model.Block]:
    """Items, other questions, words of citizens: an annex each, where there is something."""
    blocks: list[model.Block] = []
    parts: list[tuple[str, list[model.Block]]] = []
    if items := result.of("item"):
        title = f"CHỈ SỐ HÀI LÒNG THEO {len(items)} NỘI DUNG"
        parts.append((title, [sections.item_table(result)]))
    if len(result.accounts) > MOST_ACCOUNTS and (table := sections.accounts(result, "")):
        parts.append(("KẾT QUẢ PHÁT, THU PHIẾU KHẢO SÁT", [table]))
    if others := opinions.annex(result):
        parts.append(("NGƯỜI TRẢ LỜI, NHẬN ĐỊNH VÀ NHU CẦU", others))
    if voices := opinions.voices(result):
        parts.append(("Ý KIẾN CỦA NGƯỜI DÂN", list(voices)))
    for place, (title, content) in enumerate(parts, first):
        number = "" if first == len(parts) == 1 else sections.roman(place)
        blocks += [model.Annex(number, (title,), belongs), *content]
    return blocks
