"""The shape of the code: what the house promises about itself, read off the files."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("survey", "forms", "analysis")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
TEMPLATES = sorted((ROOT / "survey/templates").rglob("*.html"))
TRACKED = subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
).stdout.split("\0")
TEXTS = sorted(
    ROOT / name
    for name in TRACKED
    if name.endswith((".py", ".html", ".json", ".css", ".js", ".md", ".csv", ".cfg", ".toml"))
    and not name.startswith("tests/data/")
    and (ROOT / name).is_file()
)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_every_module_says_what_it_is_and_stays_short(path):
    text = path.read_text("utf-8")

    assert ast.get_docstring(ast.parse(text)), "a module docstring in one sentence"
    assert text.count("\n") <= 420, "a module is one room with one purpose"


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_no_room_is_a_lumber_room(path):
    assert path.stem not in {"utils", "util", "helpers", "common", "manager", "handler", "base"}


def test_functions_fit_a_screen():
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                prose = len((ast.get_docstring(node) or "").splitlines())
                if lines - prose > 60:
                    long.append(f"{short(path)}:{node.lineno} {node.name} {lines - prose}")

    assert not long


def test_sql_lives_in_the_store():
    allowed = {"survey/db.py", "analysis/reader.py"}
    pattern = re.compile(r"\.execute(many|script)?\(")
    strays = [
        short(path)
        for path in SOURCES
        if short(path) not in allowed
        and not short(path).startswith(("survey/store/", "survey/migrations/"))
        and pattern.search(path.read_text("utf-8"))
    ]

    assert not strays


def test_nobody_pays_for_the_slow_half_of_scipy():
    strays = [short(path) for path in SOURCES if "scipy.stats" in path.read_text("utf-8")]

    assert not strays


def test_the_floors_are_kept():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_a_process_that_only_collects_never_loads_the_statistics():
    code = "import survey.citizen.kiosk, survey.machines.api, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_templates_carry_no_inline_code(path):
    text = path.read_text("utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_no_answer_is_checked_beforehand(path):
    text = path.read_text("utf-8")

    assert not re.search(r"<input[^{}>]*\schecked[^{}>]*>", text)


@pytest.mark.parametrize("path", TEXTS, ids=short)
def test_every_text_is_nfc(path):
    text = path.read_text("utf-8")

    assert unicodedata.is_normalized("NFC", text)


def test_the_two_catalogues_have_the_same_keys():
    def keys(language: str) -> set[str]:
        folder = ROOT / "survey/translations"
        files = [folder / f"{language}.json", *folder.glob(f"*.{language}.json")]
        return {key for file in files for key in json.loads(file.read_text("utf-8"))}

    assert keys("vi") == keys("en") != set()


def test_vendored_files_are_what_they_were():
    sums = [path for path in ROOT.rglob("SHA256SUMS") if ".venv" not in path.parts]
    assert len(sums) >= 2, "fonts and axe-core"
    for path in sums:
        assert list(path.parent.glob("*LICEN[CS]E*")) or list(path.parent.glob("*OFL*")), path
        for line in path.read_text("utf-8").splitlines():
            digest, name = line.split()
            assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == digest, name


def test_the_guide_names_every_command():
    import click

    from survey.cli import main

    guide = (ROOT / "docs/operate.md").read_text("utf-8")

    def names(command: click.Command, path: str) -> list[str]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = [(k, command.get_command(context, k)) for k in command.list_commands(context)]
            return [n for k, c in inner if c for n in names(c, f"{path} {k}")]
        return [path]

    found = names(main, "sipas")
    assert len(found) > 20
    assert [name for name in found if name not in guide] == []


def test_the_guide_names_every_setting():
    guide = (ROOT / "docs/operate.md").read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in SOURCES)
    settings = set(re.findall(r"\bSIPAS_[A-Z_]+\b", code))

    assert settings
    assert {name for name in settings if name not in guide} == set()


def test_every_link_inside_the_docs_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{short(page)} -> {target}")

    assert not broken


def test_the_project_names_no_machine_and_no_registry():
    pattern = re.compile(
        r"/work/|/root/|/tmp/\w|pypi\.org|registry\.npmjs|--index-url|localhost:\d"
    )
    names = [*TEXTS, ROOT / "requirements.txt", ROOT / "requirements-dev.txt", ROOT / "Makefile"]
    strays = [
        short(path)
        for path in names
        if path != Path(__file__) and pattern.search(path.read_text("utf-8"))
    ]

    assert not strays
