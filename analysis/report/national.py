"""The report of a whole wave: every unit compared, ranked with its range."""

from __future__ import annotations

from datetime import date

from analysis.report import counter, model, opinions, ranking, sections, unit, wording
from analysis.report.model import Heading, body
from analysis.report.numbers import num, pct
from analysis.results import Result


def build(result: Result, *, on: date, number: str = "") -> model.Report:
    """The report of the whole wave, dated ``on``.

    Self-selected answers get the counter report, a wave without parts to compare the unit's.
    """
    if result.wave.kind == "self_selected":
        return counter.build(result, on=on, number=number)
    if len(result.units) < 2:
        return unit.build(result, on=on, number=number)
    source, result = result, wording.so_far(result, on)
    names, capitals = ranking.kind_of(result.units)
    wave, captions = result.wave, sections.Captions()
    lines = (
        "Chỉ số hài lòng của người dân đối với sự phục vụ",
        f"của cơ quan hành chính nhà nước năm {wave.year}",
    )
    belongs = wording.belongs(wave, on, number)
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        *wording.addressed(wave),
        body(f"{wording.basis(wave)} báo cáo kết quả của {result.scope_name} như sau:"),
        *sections.warning(wave),
        Heading("I. TÓM TẮT"),
        *_summary(result),
        Heading("II. TÌNH HÌNH PHÁT, THU PHIẾU"),
        *unit.fieldwork(result, captions),
        Heading("III. MỨC ĐỘ HÀI LÒNG, NHẬN ĐỊNH VÀ NHU CẦU"),
        *_results(result, captions),
        Heading(f"IV. SO SÁNH CÁC {capitals}"),
        *_comparison(result, names, captions),
        Heading("V. PHƯƠNG PHÁP"),
        model.MethodBox(wording.method_rows(result)),
        body(_closing(result)),
        wording.sign_off(wave, above=True),
    ]
    title = (f"BẢNG XẾP HẠNG CHỈ SỐ HÀI LÒNG NĂM {wave.year}", f"CỦA CÁC {capitals}")
    league = ranking.league(result, names.capitalize())
    blocks += [model.Annex("I", title, belongs), league, *unit.annexes(result, belongs, 2)]
    return model.Report(
        title=f"Báo cáo {lines[0][0].lower()}{lines[0][1:]} {lines[1]}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
    )


def _summary(result: Result) -> list[model.Paragraph]:
    wave, total = result.wave, result.total
    names, _ = ranking.kind_of(result.units)
    spread = ranking.spread(result, names, result.scope_name)
    first = body(
        f"Chỉ số hài lòng (SIPAS) năm {wave.year} của {result.scope_name} đạt ",
        *sections.estimate(total, wording.level(wave)),
        f", tính trên {num(total.n, 0)} phiếu hợp lệ.",
        f" {spread}" if spread else "",
    )
    return [first, *_areas(result), *sections.extremes(result), *sections.cautions(result)]


def _areas(result: Result) -> list[model.Paragraph]:
    known = [area for area in result.of("area") if not sections.hidden(area)]
    if not known:
        return []
    listed = "; ".join(f"{wording.inner(area.name)} đạt {pct(area.value)}" for area in known)
    return [body(f"Mức độ hài lòng về {listed}.")]


def _results(result: Result, captions: sections.Captions) -> list[model.Block]:
    blocks: list[model.Block] = [Heading("1. Mức độ hài lòng", 2)]
    blocks += sections.by_factor(result, captions)
    number = 2
    for title, sentences in (
        ("Nhận định", opinions.judgements(result)),
        ("Nhu cầu, mong đợi", (opinions.needs(result),)),
    ):
        if said := [body(text) for text in sentences if text]:
            blocks += [Heading(f"{number}. {title}", 2), *said]
            number += 1
    return blocks


def _comparison(result: Result, names: str, captions: sections.Captions) -> list[model.Block]:
    count = num(len(result.units), 0)
    said = ranking.ties(result)
    return [
        *((body(f"{said}. Bảng xếp hạng đầy đủ ở Phụ lục I."),) if said else ()),
        ranking.unit_chart(
            result,
            result.units,
            captions.figure(f"Chỉ số hài lòng và khoảng hạng của {count} {names}"),
            names=names.capitalize(),
            whole=result.scope_name,
        ),
    ]


def _closing(result: Result) -> str:
    owner = result.wave.owner_name
    if owner.startswith("Bộ "):
        return f"{owner} kính báo cáo Thủ tướng Chính phủ./."
    if result.wave.parent_name:
        return f"{owner} kính trình {result.wave.parent_name} xem xét, chỉ đạo./."
    return f"{owner} báo cáo để các cơ quan, đơn vị biết, thực hiện./."
