"""Commands about waves: new, open, close, list."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime

import click

from forms.questionnaire import load
from survey.cli import session
from survey.cli.faults import Fault
from survey.store import units, waves
from survey.store.clock import day, now


class Day(click.ParamType[date]):
    """A day, written 2026-11-22 or 22/11/2026."""

    name = "ngày"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read the day, or fail with a usage error."""
        if isinstance(value, date):
            return value
        for form in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                return datetime.strptime(str(value), form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        raise click.BadParameter(
            f"«{value}» không phải ngày dạng 2026-11-22 hoặc 22/11/2026", ctx, param
        )


@click.group()
def wave() -> None:
    """Đợt khảo sát."""


@wave.command()
@click.argument("key")
@click.option("--name", required=True, help="Tên đợt, in trên trang và báo cáo.")
@click.option("--questionnaire", default="sipas-2026.1", show_default=True, help="Bảng hỏi.")
@click.option(
    "--kind", type=click.Choice(["probability", "self_selected"]), default="self_selected",
    show_default=True, help="Mẫu xác suất, hoặc người dân tự trả lời.",
)  # fmt: skip
@click.option("--opens", type=Day(), help="Ngày bắt đầu (mặc định: hôm nay).")
@click.option("--closes", type=Day(), required=True, help="Ngày kết thúc.")
@click.option("--owner", required=True, help="Đơn vị chủ trì, ví dụ vn34:08.")
@click.option("--owner-name", default="", help="Tên cơ quan ban hành báo cáo.")
@click.option("--parent-name", default="", help="Tên cơ quan chủ quản.")
@click.option("--place", default="", help="Địa danh ở phần ký.")
@click.option("--year", type=int, help="Năm (mặc định: năm bắt đầu).")
@click.option("--index", "index_method", default="top2", show_default=True, help="Cách tính.")
@click.option("--aggregate", default="item", show_default=True, help="Cách gộp.")
@click.option("--weight", multiple=True, metavar="MÃ=SỐ", help="Trọng số (với explicit).")
@click.option("--base", default="ask_all", show_default=True, help="Ai được tính.")
@click.option("--interval", default="beta", show_default=True, help="Khoảng tin cậy.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Mức tin cậy.")
@click.option("--lonely", default="adjust", show_default=True, help="Tầng chỉ có một đơn vị mẫu.")
@click.option(
    "--min-n", type=click.IntRange(0), default=30, show_default=True,
    help="Dưới số người này thì đánh dấu.",
)  # fmt: skip
@click.option(
    "--hide-n", type=click.IntRange(0), default=5, show_default=True,
    help="Dưới số người này thì không công bố.",
)  # fmt: skip
@click.option("--rank-set", multiple=True, metavar="MÃ", help="Nhóm xếp hạng.")
@click.option("--word", multiple=True, metavar="TỪ=GIÁ TRỊ", help="Từ địa phương trong câu hỏi.")
@click.option("--settled", type=click.IntRange(0), help="Số hồ sơ đã giải quyết trong đợt.")
@click.option(
    "--partial", default="discard", show_default=True,
    help="Câu trả lời bỏ dở ở ki-ốt: discard (xóa) hoặc keep (giữ, đánh dấu).",
)  # fmt: skip
@click.option(
    "--contact-days", type=click.IntRange(0, 730), default=0, show_default=True,
    help="Số ngày giữ số điện thoại người dân để lại (0: không hỏi).",
)  # fmt: skip
@click.option(
    "--stage", type=click.Choice(["draft", "live"]), default="live", show_default=True,
    help="draft: bản nháp, chưa nhận câu trả lời và còn sửa được.",
)  # fmt: skip
@click.option("--series", default="", help="Chuỗi: các đợt cùng chuỗi được so theo năm.")
@session.dry_run
@click.pass_context
def new(ctx: click.Context, /, key: str, dry_run: bool, **given: object) -> None:
    """Tạo đợt khảo sát KEY."""
    moment = now()
    weights = {}
    for code, number in _pairs(given.pop("weight")).items():
        try:
            weights[code] = float(number.replace(",", "."))
        except ValueError:
            raise Fault(f"Trọng số «{code}={number}» không phải là số.") from None
    opens = given.pop("opens") or day(moment)
    words = _pairs(given.pop("word"))
    values = {
        **given,
        "opens_on": opens,
        "closes_on": given["closes"],
        "year": given["year"] or opens.year,  # type: ignore[attr-defined]
        "rank_sets": given["rank_set"],
        "weights": weights,
    }
    del values["closes"], values["rank_set"]
    with session.change(ctx, dry_run) as db:
        owner = str(values["owner"])
        known = units.get(db, owner)
        values["words"] = _place_words(db, owner, str(values["questionnaire"])) | words
        values["owner_name"] = values["owner_name"] or (known.title if known else owner)
        values["place"] = values["place"] or (known.name if known else "")
        made = waves.Wave(key=key, **values)  # type: ignore[arg-type]
        waves.new(db, made, now=moment, actor=session.actor())
    session.outcome(
        f"Đợt {key}: {made.name}, từ {made.opens_on:%d/%m/%Y} đến {made.closes_on:%d/%m/%Y}",
        dry_run,
    )


def _place_words(db: sqlite3.Connection, owner: str, key: str) -> dict[str, str]:
    """How the questions of this questionnaire call the owner's commune and province."""
    above = [unit for unit in (units.get(db, id) for id in units.path(db, owner)) if unit]
    found = {f"{unit.kind}_word": unit.word for unit in above if unit.word}
    if "commune_word" in found:
        found["hamlet_word"] = "tổ dân phố" if found["commune_word"] == "phường" else "thôn"
    try:
        asked = load(key).words
    except LookupError:  # the store says that there is no such questionnaire
        return {}
    return {name: word for name, word in found.items() if name in asked}


@wave.command("open")
@click.argument("key")
@click.option("--until", type=Day(), help="Ngày kết thúc mới.")
@click.option(
    "--reason", default="Mở lại bằng dòng lệnh, không ghi lý do.",
    help="Lý do mở lại một đợt đã đóng; ghi vào diễn biến của đợt.",
)  # fmt: skip
@session.dry_run
@click.pass_context
def open_(ctx: click.Context, key: str, until: date | None, reason: str, dry_run: bool) -> None:
    """Mở (lại) đợt KEY từ hôm nay."""
    with session.change(ctx, dry_run) as db:
        found = waves.open(
            db, _known(db, key), until=until, reason=reason, now=now(), actor=session.actor()
        )
    session.outcome(f"Đợt {key} mở đến hết ngày {found.closes_on:%d/%m/%Y}", dry_run)


@wave.command()
@click.argument("key")
@session.dry_run
@click.pass_context
def close(ctx: click.Context, key: str, dry_run: bool) -> None:
    """Đóng đợt KEY ngay bây giờ."""
    with session.change(ctx, dry_run) as db:
        waves.close(db, _known(db, key), now=now(), actor=session.actor())
        left = waves.unsettled(db, key)
    more = f"; {left} phiếu đã nhập mà chưa đối chiếu xong, không có trong số liệu" if left else ""
    session.outcome(f"Đợt {key} đã đóng{more}", dry_run)


@wave.command()
@click.argument("key")
@click.argument("number", type=click.IntRange(0))
@session.dry_run
@click.pass_context
def settle(ctx: click.Context, key: str, number: int, dry_run: bool) -> None:
    """Ghi số hồ sơ đã giải quyết trong đợt KEY: mẫu số của tỷ lệ bao phủ."""
    with session.change(ctx, dry_run) as db:
        waves.settle(db, _known(db, key), number, now=now(), actor=session.actor())
    session.outcome(f"Đợt {key}: {number} hồ sơ đã giải quyết", dry_run)


@wave.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Liệt kê các đợt, mới nhất trước."""
    from survey.store import responses

    at = now()
    with session.database(ctx, readonly=True) as db:
        for found in waves.all(db):
            state = "bản nháp" if found.stage == "draft" else "đóng"
            state = "đang mở" if found.is_open(at) else state
            total = responses.counts(db, found.key).total
            label = " [mô phỏng]" if found.synthetic else ""
            label += f" [bản thử của {found.trial_of}]" if found.trial_of else ""
            click.echo(
                f"{found.key}\t{state}\t{found.opens_on:%d/%m/%Y}-{found.closes_on:%d/%m/%Y}"
                f"\t{total} phiếu\t{found.name}{label}"
            )


def _known(db: sqlite3.Connection, key: str) -> str:
    try:
        waves.get(db, key)
    except LookupError:
        raise Fault(f"Không có đợt «{key}».") from None
    return key


def _pairs(given: object) -> dict[str, str]:
    pairs = {}
    assert isinstance(given, tuple)
    for text in given:
        name, mark, value = str(text).partition("=")
        if not mark or not name.strip():
            raise Fault(f"«{text}» phải có dạng TÊN=GIÁ TRỊ.")
        pairs[name.strip()] = value.strip()
    return pairs
