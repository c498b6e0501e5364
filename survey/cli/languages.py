"""Commands about languages: how complete each is, a table for translators out and in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from forms import document
from forms import questionnaire as questionnaires
from forms.language import LANGUAGES
from forms.questionnaire import keys
from survey import text
from survey.cli import session, tables
from survey.cli.faults import Fault, Faults

COLUMNS = ("key", "vi", "en", "translation")

#: Where a translation goes: "" for the pages, else the key of a questionnaire.
Parts = dict[str, dict[str, str]]


class Coming(click.ParamType[str]):
    """A language that is still being translated."""

    name = "ngôn ngữ"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Take the tag, or fail with a usage error."""
        tags = [tag for tag in LANGUAGES if tag not in text.STRICT]
        if str(value) in tags:
            return str(value)
        raise click.BadParameter(f"«{value}» không thuộc: {', '.join(tags)}", ctx, param)


@click.group(invoke_without_command=True)
@click.pass_context
def languages(ctx: click.Context) -> None:
    """Ngôn ngữ: cho biết mỗi ngôn ngữ đã dịch đến đâu; xuất, nhập bảng dịch.

    Ngôn ngữ chỉ được đưa ra cho người dân khi trang và bảng hỏi đã dịch đủ.
    """
    if ctx.invoked_subcommand is not None:
        return
    for tag, one in LANGUAGES.items():
        named = f" ({one.name})" if one.name != one.vietnamese else ""
        state = "người dân chọn được" if tag in text.offered() else "chưa cho chọn, còn thiếu chữ"
        click.echo(f"{tag} · {one.vietnamese}{named}: {state}")
        wanted = len(text.wanted())
        click.echo(_line("trang của người dân", wanted - len(text.missing(tag)), wanted))
        for key in keys():
            wanted = len(questionnaires.wanted(key))
            done = wanted - len(questionnaires.missing(key, tag))
            click.echo(_line(key, done, wanted))
        for fault in _unsound(tag):
            click.echo(f"  sai, không dùng: {fault}")


def _unsound(tag: str) -> list[str]:
    """Return what is wrong with the files of a language as they lie there."""
    forms = [fault for key in keys() for fault in questionnaires.translation_faults(key, tag)]
    return text.faults(tag) + forms


def _line(what: str, done: int, of: int) -> str:
    return f"  {what:<22} {done:>4}/{of:<4} {done * 100 // max(of, 1):>3}%"


@languages.command()
@click.argument("language", type=Coming())
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="Tệp CSV sẽ ghi.",
)  # fmt: skip
@click.option("--missing", is_flag=True, help="Chỉ những chữ chưa dịch.")
@session.dry_run
def export(language: str, output: Path, missing: bool, dry_run: bool) -> None:
    """Xuất bảng dịch của LANGUAGE: mã, tiếng Việt, tiếng Anh, bản dịch.

    Người dịch chỉ ghi vào cột translation, giữ nguyên các chữ trong ngoặc nhọn như {n}.
    """
    rows = [row for row in _rows(language) if not (missing and row[3])]
    if not dry_run:
        draft = session.draft(output)
        with draft.open("w", encoding="utf-8-sig", newline="") as file:
            tables.write(file, COLUMNS, rows)
        draft.replace(output)
    done = sum(1 for row in rows if row[3])
    session.outcome(f"{output}: {len(rows)} dòng, {done} đã dịch", dry_run)


def _rows(language: str) -> Iterator[tuple[str, str, str, str]]:
    official, english, own = (text.catalogue(tag) for tag in ("vi", "en", language))
    for key in text.wanted():
        yield key, official[key], english[key], own.get(key, "")
    for name in keys():
        english, own = (questionnaires.translated(name, tag) for tag in ("en", language))
        for key, words in _texts(name).items():
            yield f"{name}/{key}", words, english.get(key, ""), own.get(key, "")


def _texts(name: str) -> dict[str, str]:
    """Return what may be translated of a questionnaire: its texts, its own and common words."""
    common = [key for key in questionnaires.translated(name, "en") if key.startswith("word:")]
    more = {key: key.removeprefix("word:") for key in common}
    return dict(questionnaires.wanted(name)) | more


@languages.command("import")
@click.argument("language", type=Coming())
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@session.dry_run
def import_(language: str, table: Path, dry_run: bool) -> None:
    """Nhập bản dịch LANGUAGE từ TABLE, tệp CSV có các cột key và translation.

    Ô trống được bỏ qua, chữ đã dịch trước đó vẫn giữ. Một chỗ sai thì không ghi gì.
    """
    found, count = _read(table)
    if there := _unsound(language):  # would be lost by writing the files anew
        raise Faults(there, "các tệp dịch đang có")
    if not dry_run:
        for part, words in found.items():
            _merge(language, part, words)
    session.outcome(
        f"{LANGUAGES[language].vietnamese}: {count} chữ. Khởi động lại «sipas serve» để dùng",
        dry_run,
    )


def _read(table: Path) -> tuple[Parts, int]:
    found: Parts = {}
    faults: list[str] = []
    seen: dict[str, int] = {}
    for line, row in tables.read(table, ("key", "translation")):
        key, words = row["key"], _unharmed(row["translation"])
        if key in seen:
            faults.append(f"Dòng {line}: mã “{key}” đã có ở dòng {seen[key]}.")
        seen.setdefault(key, line)
        if not words:
            continue
        name, place = _placed(key)
        faults += [f"Dòng {line}, “{key}”: {fault}." for fault in _faults(name, place, words)]
        found.setdefault(name, {})[place] = words
    if faults:
        raise Faults(faults, table.name)
    if not found:
        raise Fault(f"Tệp «{table.name}» chưa có bản dịch nào trong cột translation.")
    return found, sum(map(len, found.values()))


def _placed(key: str) -> tuple[str, str]:
    """Return the questionnaire and the place of a key such as ``sipas-2026.1/item.s01``."""
    name, _, place = key.partition("/")
    return (name, place) if name in keys() else ("", key)


def _faults(name: str, place: str, words: str) -> list[str]:
    if not name:
        return text.text_faults(text.catalogue("vi").get(place), words)
    official = _texts(name).get(place)
    if official is None:
        return ["bảng hỏi không có chữ nào mang mã này"]
    if place.startswith("word:"):
        return ["có dấu ngoặc nhọn"] if set(words) & set("{}") else []
    found = list(document.text_faults(words))
    given = set(document.place_words(words)) - set(document.place_words(official))
    return found + [f"thừa {{{word}}}" for word in sorted(given)]


def _unharmed(words: str) -> str:
    """Return a cell without the quote mark that keeps spreadsheets from calculating."""
    return words[1:] if words[:1] == "'" and words[1:2] in ("=", "+", "-", "@") else words


def _merge(language: str, part: str, words: dict[str, str]) -> None:
    """Add translations to a language's file, in the order of the Vietnamese one."""
    if not part:
        merged = dict(text.catalogue(language)) | words
        order = {key: merged[key] for key in text.catalogue("vi") if key in merged}
        _write(text.FOLDER / f"{language}.json", order)
        return
    merged = questionnaires.translated(part, language) | words
    known = [key for key in _texts(part) if key in merged]
    found = {
        "language": language,
        "texts": {key: merged[key] for key in known if not key.startswith("word:")},
        "words": {
            key.removeprefix("word:"): merged[key] for key in known if key.startswith("word:")
        },
    }
    _write(questionnaires.FOLDER / f"{part}.{language}.json", found)


def _write(path: Path, content: Mapping[str, object]) -> None:
    draft = session.draft(path)
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    draft.replace(path)
