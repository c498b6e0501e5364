"""Fixed sentences and names of official reports: every word that does not come from the data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from analysis.report import model
from analysis.report.model import Run, bold, runs
from analysis.report.numbers import day, num, pct, short_day, span
from analysis.results import Kind, Result, WaveInfo

LEVELS = ("Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng")
POINTS = ("0 điểm", "1 điểm", "2 điểm")
HIDDEN = "không công bố"
NO_ANSWER = "chưa có phiếu"
CENSUS = "toàn bộ"
CHANNELS = {
    "kiosk": "máy tại quầy",
    "qr": "mã QR",
    "link": "đường dẫn gửi riêng",
    "post": "bưu điện phát, thu phiếu tại hộ gia đình",
    "phone": "điện thoại",
    "api": "phần mềm khác chuyển đến",
}
INDEX = {
    "top2": "Tỷ lệ phần trăm câu trả lời “Hài lòng” và “Rất hài lòng” trên tổng số câu trả lời "
    "của từng nội dung",
    "scaled": "Điểm trung bình quy về 0–100: (mức trả lời trừ 1) chia 4, nhân 100",
    "mean5": "Điểm trung bình quy về 20–100: mức trả lời chia 5, nhân 100",
}
INDEX_OF_THREE = {
    "top2": "Tỷ lệ phần trăm ý kiến ở mức cao nhất (2 điểm) của từng tiêu chí",
    "scaled": "Số điểm đạt được trên số điểm tối đa (mỗi tiêu chí 0, 1 hoặc 2 điểm), nhân 100",
    "mean5": "Mức trả lời chia mức cao nhất, nhân 100",
}
AGGREGATE = {
    "item": "trung bình các nội dung, mỗi nội dung có trọng số như nhau",
    "factor": "trung bình các yếu tố, mỗi yếu tố có trọng số như nhau",
    "pooled": "tính trên toàn bộ câu trả lời gộp lại",
    "explicit": "trung bình theo trọng số do đợt khảo sát quy định",
}
BASE = {
    "ask_all": "Tất cả những người trả lời nội dung đó, kể cả người chưa trực tiếp sử dụng "
    "dịch vụ; câu để trống hoặc “Không biết / không trả lời” không tính vào nội dung đó.",
    "experienced": "Các nội dung về dịch vụ chỉ tính người cho biết đã trực tiếp sử dụng; câu "
    "để trống hoặc “Không biết / không trả lời” không tính vào nội dung đó.",
}
INTERVAL = {
    "beta": "khoảng Beta (Korn–Graubard) theo cỡ mẫu hiệu dụng",
    "logit": "khoảng logit",
    "wilson": "khoảng Wilson theo cỡ mẫu hiệu dụng",
    "asin": "khoảng arcsin căn bậc hai",
    "t": "khoảng đối xứng Student",
}
LONELY = {
    "adjust": "lấy độ lệch so với trung bình chung",
    "remove": "bỏ qua tầng đó khi tính phương sai",
    "certainty": "coi tầng đó không có sai số chọn mẫu",
    "average": "lấy phương sai trung bình của các tầng khác",
    "fail": "không tính phương sai",
}
VOLUNTEERS = (
    "Ý kiến do người dân tự nguyện gửi không phải là mẫu ngẫu nhiên nên không có sai số chọn "
    "mẫu và không có khoảng tin cậy; số liệu chỉ nói về những người đã trả lời"
)
SYNTHETIC = "Báo cáo lập từ dữ liệu mô phỏng; mọi con số đều không phải kết quả thật."
ABBREVIATIONS = {
    "TTPVHCC": "Trung tâm Phục vụ hành chính công",
    "PVHCC": "phục vụ hành chính công",
    "TTHC": "thủ tục hành chính",
}
QUESTIONS = {
    "c1": "Mức độ quan tâm theo dõi các chính sách",
    "c2": "Kênh thông tin đã dùng để theo dõi chính sách (được chọn nhiều kênh)",
    "c3": "Mức độ phù hợp của các hình thức cung cấp thông tin",
    "c4": "Việc tham gia góp ý kiến khi được hỏi",
    "c5": "Tình trạng công chức gây phiền hà, sách nhiễu",
    "c6": "Tình trạng người dân phải đưa tiền ngoài phí, lệ phí",
    "c7": "Mức độ phù hợp của các hình thức giải quyết thủ tục hành chính",
    "c8": "Trải nghiệm của người trả lời",
    "c10": "Mức độ mong muốn cải thiện chất lượng phục vụ",
}
MINISTRY_REPORTS_TO = (
    "Thủ tướng Chính phủ",
    "Ban Chỉ đạo cải cách hành chính của Chính phủ",
)
_HEADS = (
    ("Ủy ban nhân dân", ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH")),
    ("Bộ ", ("BỘ TRƯỞNG",)),
    ("Sở ", ("GIÁM ĐỐC",)),
    ("Trung tâm", ("GIÁM ĐỐC",)),
    ("Chi nhánh", ("GIÁM ĐỐC",)),
    ("Văn phòng", ("CHÁNH VĂN PHÒNG",)),
)


def level(wave: WaveInfo) -> str:
    """The confidence level as printed: "95%"."""
    return pct(wave.level, 0 if round(wave.level * 1000) % 10 == 0 else 1)


def short(name: str) -> str:
    """A name as it stands in a table: no explanations in brackets, no capitals throughout."""
    text = re.sub(r"\s*\([^()]*\)", "", name).strip().rstrip(".").rstrip()
    return text.capitalize() if text.isupper() else text


def abbreviated(name: str) -> str:
    """A short name with the words that recur in every table as their usual letters."""
    text = short(name)
    for letters, words in ABBREVIATIONS.items():
        text = re.sub(re.escape(words), letters, text, flags=re.IGNORECASE)
    return text


def explained(texts: Iterable[str]) -> str:
    """The sentence that explains the letters which occur in ``texts``."""
    printed = " ".join(texts)
    used = [
        f"{letters}: {words}"
        for letters, words in ABBREVIATIONS.items()
        if re.search(rf"\b{letters}\b", printed)
    ]
    return "; ".join(used) + "." if used else ""


def inner(name: str) -> str:
    """A name inside a sentence: its first letter small, unless the word is an abbreviation."""
    text = short(name)
    first = text.split(" ")[0]
    return text if first.isupper() and len(first) > 1 else text[:1].lower() + text[1:]


def signature(owner: str) -> tuple[str, ...]:
    """Authority and position over the signature, by the kind of agency."""
    for start, titles in _HEADS:
        if owner.startswith(start):
            return titles
    return ("THỦ TRƯỞNG CƠ QUAN",)


def document_number(number: str, owner: str) -> str:
    """ "Số: 05/BC-SNV"; the figure is left open until the office gives it."""
    if "/" in number:
        return f"Số: {number}"
    letters = "UBND" if owner.startswith("Ủy ban nhân dân") else _initials(owner)
    return f"Số: {number or '     '}/BC-{letters}"


def _initials(owner: str) -> str:
    """First letters of the agency's name without the place it serves."""
    kept = re.split(r"\s(?:tỉnh|thành phố|phường|xã|đặc khu|quận|huyện|thị xã)\s", owner)[0]
    return "".join(word[0].upper() for word in re.findall(r"\w+", kept))


def masthead(wave: WaveInfo, on: date, number: str) -> model.Masthead:
    """Agencies in capitals; a people's committee and a ministry have no agency above them."""
    alone = wave.owner_name.startswith(("Ủy ban nhân dân", "Bộ "))
    return model.Masthead(
        agency=wave.owner_name.upper(),
        parent="" if alone else wave.parent_name.upper(),
        number=document_number(number, wave.owner_name),
        place=wave.place,
        on=on,
    )


def addressed(wave: WaveInfo) -> tuple[model.Addressed, ...]:
    """Kính gửi, of a ministry's report; other reports name their receivers at the end."""
    return (model.Addressed(MINISTRY_REPORTS_TO),) if wave.owner_name.startswith("Bộ ") else ()


def sign_off(wave: WaveInfo, *, above: bool = False) -> model.SignOff:
    """Receivers and the signature of the agency that holds the wave.

    ``above``: the receivers named at the head are meant too ("Như trên").
    """
    if above and addressed(wave):
        receivers = ("Như trên", "Các cơ quan, đơn vị có liên quan", "Lưu: VT")
        return model.SignOff(receivers, signature(wave.owner_name))
    return model.SignOff(_receivers(wave), signature(wave.owner_name))


def _receivers(wave: WaveInfo) -> tuple[str, ...]:
    above = [f"{wave.parent_name} (để báo cáo)"] if wave.parent_name else []
    if wave.owner_name.startswith("Sở Nội vụ"):
        above.insert(0, "Bộ Nội vụ (để báo cáo)")
    return (*above, "Các cơ quan, đơn vị có liên quan", "Lưu: VT")


def belongs(wave: WaveInfo, on: date, number: str) -> str:
    """Whose annex it is."""
    printed = document_number(number, wave.owner_name).removeprefix("Số: ")
    dated = f"{day(on)} của {wave.owner_name}"
    return (
        f"Kèm theo Báo cáo số {printed.strip()} {dated}" if number else f"Kèm theo Báo cáo {dated}"
    )


def basis(wave: WaveInfo) -> str:
    """Opening words: the decision that rules the instrument, where there is one."""
    if wave.questionnaire.startswith(("sipas-2023", "sipas-2024", "sipas-2026")):
        return (
            "Thực hiện Quyết định số 1001/QĐ-BNV ngày 11 tháng 12 năm 2023 của Bộ trưởng Bộ Nội "
            "vụ về phương pháp đo lường sự hài lòng của người dân đối với sự phục vụ của cơ quan "
            f"hành chính nhà nước, {wave.owner_name}"
        )
    return wave.owner_name


def so_far(result: Result, on: date) -> Result:
    """The result as a report tells it before its wave ends: answers were taken until that day."""
    if not result.wave.opens_on <= on.isoformat() < result.wave.closes_on:
        return result
    return replace(result, wave=replace(result.wave, closes_on=on.isoformat()))


def period(wave: WaveInfo) -> str:
    """From when to when answers were taken."""
    first, last = (date.fromisoformat(text) for text in (wave.opens_on, wave.closes_on))
    return f"từ ngày {short_day(first)} đến ngày {short_day(last)}"


def channels(result: Result) -> str:
    """Where the valid answers came from, most first."""
    known = sorted(result.channels.items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{CHANNELS.get(key, key)} ({num(n, 0)} phiếu)" for key, n in known if n)


def method_rows(result: Result) -> tuple[tuple[str, tuple[Run, ...]], ...]:
    """Rows of the method box: what was asked, of whom, how it was counted, what was chosen."""
    wave = result.wave
    rows = [("Công cụ", runs(_instrument(result)))]
    if result.design:
        rows.append(("Mẫu", runs(_sample(result))))
    rows.append(("Kênh thu phiếu", runs(_channels(result))))
    if result.keyed:
        rows.append(("Nhập phiếu", runs(_keyed(result))))
    rows.append(("Chỉ số", _index(result)))
    rows.append(("Cơ sở tính", runs(BASE[wave.base])))
    if result.design:
        rows.append((f"Khoảng tin cậy {level(wave)}", runs(_interval(result))))
    else:
        rows.append(("Sai số", runs(f"{VOLUNTEERS}. Không gộp với kết quả điều tra chọn mẫu.")))
    if any(unit.rank for unit in result.units):
        rows.append(("Xếp hạng", runs(_ranking(result))))
    rows.append(("Quy tắc công bố", runs(_publication(wave))))
    rows.append(("Lựa chọn", _chosen(wave, sampled=result.design is not None)))
    return tuple(rows)


def _channels(result: Result) -> str:
    text = f"{channels(result) or 'chưa có phiếu'}, {period(result.wave)}."
    return text[0].upper() + text[1:]


def _instrument(result: Result) -> str:
    kinds: tuple[tuple[Kind, str], ...] = (
        ("item", "nội dung"),
        ("factor", "yếu tố"),
        ("area", "lĩnh vực"),
    )
    counts = [f"{len(result.of(kind))} {name}" for kind, name in kinds if result.of(kind)]
    title = short(result.wave.questionnaire_title)
    return f"Phiếu “{title}” (mã {result.wave.questionnaire}): {', '.join(counts)}."


def _sample(result: Result) -> str:
    design = result.design
    assert design is not None
    units = " (xã; trong xã chắc chắn vào mẫu là thôn, xã đó là một tầng)"
    text = (
        f"Mẫu xác suất {num(design.n, 0)} người thuộc {num(design.n_psu, 0)} đơn vị mẫu sơ cấp"
        f"{units if design.communes else ''} "
        f"trong {num(design.n_strata, 0)} tầng, đại diện cho {num(design.weight_sum, 0)} người; "
        f"{_weighed(result)}"
    )
    if design.fpc:
        text += "; có hiệu chỉnh tổng thể hữu hạn"
    if design.lonely:
        how = LONELY.get(result.wave.lonely, result.wave.lonely)
        text += f"; {num(len(design.lonely), 0)} tầng chỉ có một đơn vị mẫu sơ cấp ({how})"
    if result.weighed and result.weighed.late:
        text += (
            f". Còn {num(result.weighed.late, 0)} phiếu đến sau khi lập quyền số, mang quyền số gốc"
            " nên tính chưa đúng phần: lập lại quyền số trước khi dùng số liệu"
        )
    return text + "."


def _weighed(result: Result) -> str:
    """What a form's weight is."""
    drawn = "mỗi phiếu mang quyền số là nghịch đảo của xác suất được chọn"
    made = result.weighed
    if made is None:
        return drawn
    text = f"{drawn}, nhân với hệ số bù cho nơi không trả lời"
    if made.margins:
        names = ", ".join(name[:1].lower() + name[1:] for name in made.margins)
        text += f", khớp với tổng dân số theo {names}"
        text += f" (nguồn: {'; '.join(made.sources)})" if made.sources else ""
    if made.capped:
        text += f", cắt {num(made.capped, 0)} quyền số quá lớn"
    return text


def _keyed(result: Result) -> str:
    """How paper became data, and what that does to the intervals."""
    keyed = result.keyed
    assert keyed is not None
    text = f"{num(keyed.once + keyed.twice, 0)} phiếu giấy"
    if not keyed.once:
        return f"{text}, tất cả được hai người nhập độc lập và đối chiếu."
    text += f", {num(keyed.twice, 0)} phiếu nhập hai lần độc lập và đối chiếu"
    if keyed.rate is None:
        text += ". Số phiếu nhập hai lần quá ít nên chưa biết tỷ lệ nhập sai"
        return f"{text}; khoảng tin cậy chưa tính đến lỗi nhập."
    text += f"; tỷ lệ nhập sai {pct(keyed.rate, 2)} ({span(keyed.low, keyed.high, 2)})"
    if keyed.widened:
        return f"{text}. Khoảng tin cậy đã được nới theo lỗi nhập của các phiếu chỉ nhập một lần."
    return f"{text}. Khoảng tin cậy chưa tính đến lỗi nhập."


def _index(result: Result) -> tuple[Run, ...]:
    wave = result.wave
    three = any(figure.shares and len(figure.shares) == 3 for figure in result.figures)
    names = INDEX_OF_THREE if three else INDEX
    return runs(
        f"{names.get(wave.index, 'Theo quy định của đợt khảo sát')} (phương pháp ",
        Run(wave.index, italic=True),
        "). Yếu tố, lĩnh vực và chỉ số chung: "
        f"{AGGREGATE.get(wave.aggregate, 'theo quy định của đợt khảo sát')} (cách gộp ",
        Run(wave.aggregate, italic=True),
        "). Tính chính xác, chỉ làm tròn một lần khi in.",
    )


def _interval(result: Result) -> str:
    design = result.design
    assert design is not None
    kind = INTERVAL.get(result.wave.interval, result.wave.interval)
    return (
        f"Tính theo thiết kế mẫu (tuyến tính hóa Taylor, {num(design.df, 0)} bậc tự do), {kind}. "
        "Hệ số thiết kế là tỷ số giữa phương sai theo thiết kế và phương sai của mẫu ngẫu nhiên "
        "đơn giản cùng cỡ."
    )


def _ranking(result: Result) -> str:
    ranked = sum(unit.rank is not None for unit in result.units)
    return (
        f"Xếp theo giá trị chưa làm tròn; khoảng hạng ở mức tin cậy {level(result.wave)} từ so "
        f"sánh từng cặp {num(ranked, 0)} đơn vị. Hai đơn vị có khoảng hạng giao nhau chưa đủ căn "
        "cứ để kết luận hơn, kém."
    )


def _publication(wave: WaveInfo) -> str:
    return (
        f"Số liệu dựa trên dưới {num(wave.min_n, 0)} phiếu được đánh dấu ○ và chỉ để tham khảo; "
        f"dưới {num(wave.hide_n, 0)} phiếu thì không công bố."
    )


def _chosen(wave: WaveInfo, *, sampled: bool) -> tuple[Run, ...]:
    names = f"{wave.index}, {wave.aggregate}, {wave.base}"
    names += f", {wave.interval}, {wave.lonely}" if sampled else ""
    return runs(
        "Phương pháp chỉ số, cách gộp, cơ sở tính"
        + (" và cách tính khoảng tin cậy" if sampled else "")
        + " là lựa chọn của đợt khảo sát này (",
        bold(names),
        "); lựa chọn khác có thể cho kết quả khác.",
    )
