"""Small things done often: checking a whole form, importing the communes of the country."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from flask import Flask
from werkzeug.datastructures import MultiDict

from benchmarks.ingest import answers
from forms import rules
from forms.questionnaire import load
from forms.web import form_for, from_form

KEY = "sipas-2026.1"
COMMUNES = 3321

Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """The rule set against the WTForms form of the same questionnaire; and the import."""
    q = load(KEY)
    [given] = answers(KEY, 1)
    posted = MultiDict(parse_qsl(urlencode(given, doseq=True)))
    form, app = form_for(q), Flask(__name__)
    app.config["WTF_CSRF_ENABLED"] = False
    ours = _best(lambda: rules.check(q, from_form(q, posted)), 500)
    with app.test_request_context("/", method="POST", data=posted):
        reference = _best(lambda: form(formdata=posted).validate(), 20)
    return [
        ("Checking a whole posted form", 1e6 * ours, "µs"),
        ("WTForms on the same form, against ours", reference / ours, "x"),
        ("Import of 3.321 communes, the command from start to end", _import(), "s"),
    ]


def _best(job: object, number: int) -> float:
    return min(timeit.repeat(job, number=number, repeat=5)) / number  # type: ignore[arg-type]


def _import() -> float:
    sipas = str(Path(sys.executable).parent / "sipas")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "xa.csv"
        lines = [f"{n:05},Tân Hoà {n},{('phường', 'xã')[n % 2]},01" for n in range(1, COMMUNES + 1)]
        file.write_text("code,name,kind,province\n" + "\n".join(lines) + "\n", "utf-8")
        instance = [sipas, "--instance", f"{folder}/instance"]
        subprocess.run([*instance, "init"], check=True, stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        command = [*instance, "units", "import", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun
