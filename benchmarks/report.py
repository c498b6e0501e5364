"""Reports: pages a CPU second, from the click to the file, and what citizens notice of it."""

from __future__ import annotations

import io
import re
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from analysis.report import national, pdf
from benchmarks import load, servers
from benchmarks.pages import get
from survey import config, db
from survey.demonstration import demo
from survey.reporting import kinds
from survey.store import people
from tests import report_data

ROUNDS = 5
SECONDS = 4.0
WAVE = "sipas-2026"  # 36.525 answers
PATIENCE = 120.0
PASSWORD = "câu mật khẩu để đo báo cáo"

Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """Printing alone, then a whole instance with somebody who asks for its annual report."""
    return [*_printing(), *_office()]


def _printing() -> list[Measure]:
    """The best of ROUNDS after one warming round that reads the fonts; text and bytes included."""
    result, on = report_data.national(), date(2027, 2, 5)
    pages, rates = pdf.write(national.build(result, on=on), io.BytesIO()), []
    for _ in range(ROUNDS):
        start = time.process_time()
        pages = pdf.write(national.build(result, on=on), io.BytesIO())
        rates.append(pages / (time.process_time() - start))
    return [
        ("national report, pages", float(pages), "pages"),
        ("national report, printing", max(rates), "pages per CPU second"),
    ]


def _annual(settings: config.Settings) -> list[Measure]:
    """The annual report in this process: its pages, and CPU seconds of figures and of print."""
    ask = kinds.Ask("annual", date(2026, 11, 22), WAVE)
    with closing(db.connect(settings.database)) as store:
        kinds.build(store, ask)  # what is imported and folded once
        start = time.process_time()
        made = kinds.build(store, ask)
        built = time.process_time() - start
    start = time.process_time()
    pages = pdf.write(made, io.BytesIO())
    printed = time.process_time() - start
    return [
        ("Annual report of 36.525 answers, pages", float(pages), "pages"),
        ("Annual report of 36.525 answers, figures", built, "CPU s"),
        ("Annual report of 36.525 answers, printing", pages / printed, "pages per CPU second"),
    ]


def _office() -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        made = demo.make(Path(folder))
        settings = config.load(Path(folder), environ={})
        with closing(db.connect(settings.database)) as store:
            staff = people.find(store, made.login)
            assert staff
            people.set_password(  # this is not about a first password
                store, staff.id, people.hashed(PASSWORD), now=datetime.now(UTC), actor="shell"
            )
        found = _annual(settings)
        with servers.ours(Path(folder)) as serving:
            office = Office(serving.port, made.login, PASSWORD)
            cold = office.report("pdf")
            warm = min(office.report("pdf") for _ in range(3))
            others = {form: office.report(form) for form in ("docx", "xlsx", "html")}
            page = get(made.qr)
            load.drive(serving.port, [page], seconds=1.0)
            quiet = load.drive(serving.port, [page], seconds=SECONDS)
            busy, n = _while(office, serving.port, page)
    return [
        *found,
        ("Annual report of 36.525 answers, click to file, first", cold, "s"),
        ("Annual report of 36.525 answers, click to file", warm, "s"),
        *((f"The same as {form.upper()}", seconds, "s") for form, seconds in others.items()),
        ("QR form page, p99 at 50 clients, nothing else", quiet.quantile(0.99), "ms"),
        ("QR form page, p99 at 50 clients while reports are made", busy.quantile(0.99), "ms"),
        ("Reports finished meanwhile", float(n), "reports"),
    ]


def _while(office: Office, port: int, page: bytes) -> tuple[load.Run, int]:
    """The page under load while one report after the other is made."""
    ended = threading.Event()
    made: list[float] = []

    def ask() -> None:
        while not ended.is_set():
            made.append(office.report("pdf"))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    try:
        found = load.drive(port, [page], seconds=2 * SECONDS)
    finally:
        ended.set()
        asking.join()
    if set(found.statuses) != {200} or found.broken:
        raise RuntimeError(f"not every page was served: {found}")
    return found, len(made)


class Office:
    """Somebody at a browser who asks for reports."""

    def __init__(self, port: int, login: str, password: str) -> None:
        self.port, self.cookie = port, ""
        page = self._get("/login")
        self._post("/login", page, username=login, password=password)

    def report(self, form: str) -> float:
        """Seconds from the button to the last byte of the file."""
        page = self._get(f"/reports?wave={WAVE}")
        start = time.perf_counter()
        where = self._post("/reports", page, name="annual", wave=WAVE, unit="", format=form)
        while not self._ended(where):
            if time.perf_counter() - start > PATIENCE:
                raise RuntimeError("no report came")
            time.sleep(0.1)
        if len(self._get(f"{where}/file", text=False)) < 1000:
            raise RuntimeError(f"no {form} came")
        return time.perf_counter() - start

    def _ended(self, where: str) -> bool:
        told = self._get(where, accept="application/json")
        if '"failed"' in told or '"stopped"' in told:
            raise RuntimeError(told)
        return bool(re.search(r'"ended": ?true', told))

    def _get(self, path: str, *, accept: str = "text/html", text: bool = True) -> str:
        _, _, body = self._ask("GET", path, accept=accept)
        return body.decode() if text else body.decode("latin-1")

    def _post(self, path: str, page: str, **fields: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        sent = urlencode({"csrf_token": found[1] if found else "", **fields})
        status, where, body = self._ask("POST", path, sent)
        if status != 303:
            raise RuntimeError(f"{path}: {status} {body[:300]!r}")
        return where

    def _ask(
        self, method: str, path: str, body: str = "", accept: str = "text/html"
    ) -> tuple[int, str, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Accept": accept, "Cookie": self.cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookie = value.split(";")[0]
        return answer.status, answer.headers.get("Location", ""), data


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name}: {value:.2f} {unit}")
