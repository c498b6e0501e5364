"""A language half translated: nobody is led to it, and what is not translated says so."""

import csv
import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from forms import questionnaire as questionnaires
from forms.language import LANGUAGES, mark, marked, parts, plain
from survey import text
from survey.citizen import pages
from survey.citizen.pages import Look
from survey.cli import main
from survey.text import catalogue, missing, offered, t, tongues

KHMER = "ភាសា"
VIETNAMESE = re.compile(
    "[ăâđêôơưáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.I
)
TEMPLATES = Path(text.__file__).parent / "templates"
VOID = {"meta", "link", "input", "br", "img", "circle", "path", "polygon", "line"}
CACHES = (
    text.catalogue, text.missing, text.offered, questionnaires.localized, questionnaires.missing,
    pages.rendered, pages.gapped,
)  # fmt: skip


def khmer(words):
    """Something in Khmer letters with the facts of a text."""
    return " ".join([KHMER, *re.findall(r"\{\w+\}", words)])


def forget():
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The catalogues, where a test may change them."""
    folder = shutil.copytree(text.FOLDER, tmp_path / "translations")
    forms = shutil.copytree(questionnaires.FOLDER, tmp_path / "questionnaires")
    monkeypatch.setattr(text, "FOLDER", folder)
    monkeypatch.setattr(questionnaires, "FOLDER", forms)
    forget()
    yield folder, forms
    monkeypatch.undo()
    forget()


@pytest.fixture
def translated(folders, monkeypatch):
    """Give a function that puts a share of all texts into Khmer."""
    folder, forms = folders

    def put(every=2, of=("mot-cua-2026.1", "sipas-2026.1")):
        some = {key: khmer(catalogue("vi")[key]) for key in text.wanted()[::every]}
        (folder / "km.json").write_text(json.dumps(some), "utf-8")
        for key in of:
            official = questionnaires.wanted(key)
            todo = list(official)[::every]
            texts = {name: khmer(official[name]) for name in todo if name[:5] != "word:"}
            words = {name[5:]: KHMER for name in todo if name[:5] == "word:"}
            done = json.dumps({"texts": texts, "words": words})
            (forms / f"{key}.km.json").write_text(done, "utf-8")
        forget()
        monkeypatch.setattr(text, "LANGUAGES", text.shown())

    return put


class Spoken(HTMLParser):
    """Every text of a page with the language it is said to be in."""

    def __init__(self, page):
        super().__init__()
        self.open, self.texts = [("", "")], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        if tag not in VOID:
            self.open.append((tag, facts.get("lang") or self.open[-1][1]))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1][1], data.strip()))


def check(page):
    assert '<html lang="km"' in page
    assert not marked(page)
    head, _, body = page.partition("<body")  # a title in two languages can only say one
    assert re.search(r"<title( lang=\"vi\")?>", head)
    said = Spoken("<body lang='km'" + body.removesuffix("</html>\n").removesuffix("</html>")).texts
    assert [one for one in said if VIETNAMESE.search(one[1]) and one[0] != "vi"] == []
    assert [one for one in said if KHMER in one[1] and one[0] != "km"] == []
    return {lang for lang, _ in said}


@pytest.fixture
def reader(app):
    """A browser whose pages may be in languages that the house's own checks do not know."""
    return FlaskClient(app, app.response_class)


def test_every_language_has_its_tag_and_its_names():
    assert list(LANGUAGES) == ["vi", "en", "km", "hmn", "rad", "jra"]
    assert all(one.name and one.vietnamese for one in LANGUAGES.values())
    assert all(one.named_in in {tag, "vi"} for tag, one in LANGUAGES.items())


@pytest.mark.parametrize("tag", ["km", "hmn", "rad", "jra"])
def test_languages_to_come_ship_empty_and_are_offered_to_nobody(tag):
    assert catalogue(tag) == {}
    assert missing(tag) == text.wanted()
    assert tag not in offered()
    assert tag not in text.LANGUAGES


@pytest.mark.parametrize("key", questionnaires.keys())
def test_vietnamese_and_english_are_offered_everywhere(key):
    assert offered(key) == offered() == ("vi", "en")


def test_staff_texts_and_the_contract_of_programs_hold_no_language_up():
    keys = text.wanted()

    assert "form.begin" in keys
    assert not [key for key in keys if key.startswith(("api.", "staff."))]


def test_whatever_citizens_pages_say_must_be_translated():
    templates = [*TEMPLATES.glob("citizen/*.html"), TEMPLATES / "base.html"]
    said = {
        key
        for path in templates
        if path.name != "screens.html"  # read by kiosks
        for key in re.findall(r"\bt\('([a-z_.]+[a-z_])'", path.read_text("utf-8"))
    }

    assert len(said) > 60
    assert said - set(text.wanted()) == set()


@pytest.mark.parametrize(
    "path",
    ["/", "/privacy", "/r", "/flags", "/q/household", "/q/counter", "/k/counter", "/nothing"],
)
@pytest.mark.parametrize("every", [1, 2, 3])
def test_every_text_of_a_half_translated_page_says_its_language(
    reader, translated, door_tokens, path, every
):
    translated(every)
    door, _, name = path.rpartition("/")
    address = f"{door}/{door_tokens[name]}" if name in door_tokens else path

    said = check(reader.get(f"{address}?lang=km").text)

    assert "km" in said
    assert "vi" in said or every == 1


def test_every_screen_of_a_half_translated_kiosk_says_its_language(reader, translated, door_tokens):
    translated(2, of=("mot-cua-2026.1",))
    address = f"/k/{door_tokens['counter']}"

    check(reader.get(f"{address}/screens?lang=km").text)
    check(reader.post(f"{address}?lang=km", data={"go": "start"}).text)


def test_faults_and_thanks_of_a_half_translated_form_say_their_language(
    reader, translated, door_tokens
):
    translated()
    address = f"/q/{door_tokens['counter']}?lang=km"
    page = re.search(r'name="page" value="([^"]+)"', reader.get(address).text)[1]
    marks = {f"m{n}": "4" for n in range(1, 6)} | {"m_all": "5", "page": page}

    check(reader.post(address, data={"page": page}).text)
    check(reader.post(address, data=marks).text)


@pytest.mark.parametrize(
    "path", ["/api/v1/responses?lang=km", "/manifest.webmanifest?lang=km&door="]
)
def test_what_programs_read_carries_no_marks(reader, translated, door_tokens, path):
    translated(2)
    if path.endswith("door="):
        answer = reader.get(f"{path}q/{door_tokens['counter']}")
    else:
        answer = reader.post(path, data="{", content_type="application/json")

    assert answer.status_code in {200, 400}
    assert not marked(answer.text)
    assert "udb40" not in answer.text


def test_a_language_half_translated_is_shown_to_who_asks_and_offered_to_nobody(
    reader, translated, door_tokens
):
    translated()
    page = reader.get(f"/q/{door_tokens['household']}").text

    assert "lang=km" not in page
    assert offered() == ("vi", "en")


def test_a_language_is_offered_where_its_questionnaire_is_complete_too(
    reader, translated, door_tokens
):
    translated(1, of=("mot-cua-2026.1",))

    assert offered() == offered("mot-cua-2026.1") == ("vi", "en", "km")
    assert offered("sipas-2026.1") == ("vi", "en")
    assert "lang=km" in reader.get(f"/q/{door_tokens['counter']}").text
    assert "lang=km" in reader.get("/privacy").text
    assert "lang=km" not in reader.get(f"/q/{door_tokens['household']}").text


def test_three_languages_become_a_list_that_needs_no_script(reader, translated, door_tokens):
    translated(1)
    page = reader.get(f"/q/{door_tokens['counter']}").text
    menu = re.search(r'<div class="row tongues".*?</div>', page, re.DOTALL)[0]

    assert re.findall(r'formaction="([^"]+)"', menu) == ["?lang=en", "?lang=km"]
    assert '<span lang="km">ភាសាខ្មែរ</span>' in menu
    assert "Tiếng Việt" not in menu


def test_switches_keep_size_and_contrast():
    look = Look("km", large=True, contrast=True, languages=("vi", "en", "km"))

    tongues = [one for one in look.switches() if one[0] == "language"]
    assert [tag for _, _, tag, _ in tongues] == ["vi", "en"]
    assert tongues[0][3] == "?chu=to&tuong-phan=cao"


def test_english_pages_say_that_names_of_offices_are_vietnamese(reader, door_tokens):
    page = reader.get(f"/q/{door_tokens['household']}?lang=en").text

    vietnamese = [lang for lang, words in Spoken(page).texts if VIETNAMESE.search(words)]
    assert vietnamese
    assert set(vietnamese) == {"vi"}


def test_a_broken_translation_counts_as_none(translated):
    translated(1)
    file = text.FOLDER / "km.json"
    words = json.loads(file.read_text("utf-8"))
    words |= {"form.part": "no facts", "form.send": " ", "look.large": "{n}", "new": "x"}
    file.write_text(json.dumps(words), "utf-8")
    catalogue.cache_clear()
    missing.cache_clear()

    assert missing("km") == ("look.large", "form.send", "form.part")
    assert len(text.faults("km")) == 5
    assert t("form.part", "km", n=1, total=2) == mark("Phần 1/2")


def test_a_file_that_cannot_be_read_stops_no_page_and_is_named(reader, folders, door_tokens):
    (folders[0] / "km.json").write_text('{"form.send": ', "utf-8")
    (folders[1] / "mot-cua-2026.1.km.json").write_text('{"texts": {"x": "y"}}', "utf-8")
    (folders[1] / "sipas-2026.1.km.json").write_text("{", "utf-8")
    forget()

    assert text.shown() == offered("mot-cua-2026.1") == ("vi", "en")
    assert reader.get(f"/q/{door_tokens['counter']}").status_code == 200
    (folders[0] / "rad.json").write_text("[]", "utf-8")
    assert text.faults("rad") == ["rad.json: tệp không đọc được (phải là một khối { … })"]
    told = run().output
    assert "km.json: tệp không đọc được" in told
    assert "mot-cua-2026.1.km.json: Không có chỗ nào mang mã “x”." in told
    assert "Dòng 1, cột 2" in told


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (f"<p>{mark('một')}</p>", '<p><span lang="vi">một</span></p>'),
        (f"<p>a {mark('một')} b</p>", '<p>a <span lang="vi">một</span> b</p>'),
        (f"<title>{mark('một')} – x</title>", '<title lang="vi">một – x</title>'),
        (f"<title>x – {mark('một')}</title>", '<title lang="vi">x – một</title>'),
        (f'<option value="1">{mark("một")}</option>', '<option value="1" lang="vi">một</option>'),
        (f'<nav aria-label="{mark("một")}">x</nav>', '<nav aria-label="một">x</nav>'),
        (f'<input placeholder="{mark("một")}">', '<input placeholder="một" lang="vi">'),
        (f"<p>{mark('một')[:-2]}…</p><p>b</p>", '<p><span lang="vi">một…</span></p><p>b</p>'),
        (
            "<title>SIPAS – " + mark("một hai ba") + "</title>",
            '<title lang="vi">SIPAS – một hai ba</title>',
        ),
        ("<p>x</p>", "<p>x</p>"),
    ],
)
def test_marks_become_attributes(page, shown):
    assert tongues([page]) == shown


def test_a_mark_around_a_mark_is_one():
    assert parts(mark(f"a {mark('b')} c")) == [("vi", "a b c")]
    assert t("intro.who", "vi", owner="Sở") == plain(t("intro.who", "vi", owner=mark("Sở")))


def run(*words):
    return CliRunner().invoke(main, ["languages", *map(str, words)])


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(path):
    """A translator at work."""
    table = rows(path)
    for row in table:
        row["translation"] = khmer(row["vi"])
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, ["key", "vi", "en", "translation"])
        out.writeheader()
        out.writerows(table)


def test_the_command_shows_how_complete_each_language_is(folders):
    shown = run().output

    assert "vi · Tiếng Việt: người dân chọn được" in shown
    assert "km · Tiếng Khmer (ភាសាខ្មែរ): chưa cho chọn, còn thiếu chữ" in shown
    assert re.search(r"sipas-2026\.1 +239/239 +100%", shown)
    assert re.search(r"sipas-2026\.1 +0/239 +0%", shown)


def test_a_table_filled_by_a_translator_makes_a_language_complete(folders, tmp_path):
    table = tmp_path / "km.csv"
    assert run("export", "km", "-o", table).exit_code == 0
    fill(table)

    done = run("import", "km", table)
    forget()

    assert done.exit_code == 0, done.output
    assert offered("sipas-2026.1") == ("vi", "en", "km")
    assert text.faults("km") == []
    assert all(row["translation"] for row in rows(table))
    assert run("export", "km", "-o", table, "--missing").output.count(" 0 dòng") == 1


def test_a_table_carries_both_languages_and_what_is_done_already(folders, tmp_path):
    table = tmp_path / "km.csv"
    (folders[0] / "km.json").write_text(json.dumps({"form.send": KHMER}), "utf-8")
    forget()
    run("export", "km", "-o", table)
    row = next(row for row in rows(table) if row["key"] == "form.send")

    assert (row["vi"], row["en"], row["translation"]) == (
        t("form.send"),
        t("form.send", "en"),
        KHMER,
    )
    assert any(row["key"] == "mot-cua-2026.1/item.m1" for row in rows(table))
    assert any(row["key"] == "sipas-2026.1/word:phường" for row in rows(table))


def test_an_import_keeps_what_was_translated_before(folders, tmp_path):
    table = tmp_path / "km.csv"
    for key in ("form.send", "form.next"):
        table.write_text(f"key,translation\n{key},{KHMER}\nform.back,\n", "utf-8")
        assert run("import", "km", table).exit_code == 0
        forget()

    assert catalogue("km") == {"form.next": KHMER, "form.send": KHMER}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"form.part,{KHMER}", "thiếu {n}"),
        (f"form.send,{KHMER} {{x}}", "thừa {x}"),
        (f"form.nothing,{KHMER}", "không có chữ nào mang mã này"),
        (f"sipas-2026.1/item.none,{KHMER}", "không có chữ nào mang mã này"),
        (f"sipas-2026.1/item.s31,{KHMER} {{offices}}", "{offices}"),
        (f"sipas-2026.1/item.sex,{KHMER} {{office}}", "thừa {office}"),
        (f"sipas-2026.1/word:phường,{{{KHMER}}}", "ngoặc nhọn"),
        ("skip,", "chưa có bản dịch nào"),
    ],
)
def test_a_faulty_table_is_told_by_line_and_changes_nothing(folders, tmp_path, line, said):
    table = tmp_path / "km.csv"
    good = "" if line == "skip," else f"form.begin,{KHMER}\n"
    table.write_text(f"key,translation\n{good}{line}\n", "utf-8")

    done = run("import", "km", table)
    forget()

    assert done.exit_code == 1
    assert said in done.output
    assert line == "skip," or "Dòng 3" in done.output
    assert catalogue("km") == {}


def test_an_import_overwrites_no_file_that_has_faults(folders, tmp_path):
    file, table = folders[0] / "km.json", tmp_path / "km.csv"
    file.write_text('{"form.send": "x", ', "utf-8")
    table.write_text(f"key,translation\nform.begin,{KHMER}\n", "utf-8")
    forget()

    done = run("import", "km", table)

    assert done.exit_code == 1
    assert "các tệp dịch đang có" in done.output
    assert file.read_text("utf-8") == '{"form.send": "x", '


def test_a_key_given_twice_is_a_fault(folders, tmp_path):
    table = tmp_path / "km.csv"
    table.write_text(f"key,translation\nform.begin,{KHMER}\nform.begin,{KHMER}\n", "utf-8")

    assert "Dòng 3: mã “form.begin” đã có ở dòng 2." in run("import", "km", table).output


def test_a_dry_run_writes_no_table_and_no_catalogue(folders, tmp_path):
    table = tmp_path / "km.csv"
    assert run("export", "km", "-o", table, "--dry-run").exit_code == 0
    assert not table.exists()

    table.write_text(f"key,translation\nform.begin,{KHMER}\n", "utf-8")
    assert run("import", "km", table, "--dry-run").exit_code == 0
    forget()
    assert catalogue("km") == {}


@pytest.mark.parametrize("tag", ["vi", "en", "xx"])
def test_only_languages_to_come_are_translated_by_table(folders, tmp_path, tag):
    assert run("export", tag, "-o", tmp_path / "x.csv").exit_code == 2


def test_texts_come_composed_from_whatever_keyboard(folders, tmp_path):
    table = tmp_path / "rad.csv"
    table.write_text(
        "key,translation\nform.next," + unicodedata.normalize("NFD", "Ê Đê") + "\n", "utf-8"
    )

    assert run("import", "rad", table).exit_code == 0
    forget()
    assert catalogue("rad") == {"form.next": "Ê Đê"}
