"""Public pages, and pages rendered once: the fixed parts kept, compressed, a page token between."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from forms.language import LANGUAGES, OFFICIAL, mark
from forms.questionnaire import localized
from survey import db, guard, services, text
from survey.store import Refused, clock, rates, responses, waves
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from sqlite3 import Connection

    from forms.questionnaire import Questionnaire

bp = Blueprint("pages", __name__)

HTML = "text/html; charset=utf-8"
#: A gzip member without name and time; the same bytes on every machine.
_MEMBER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_END = b"</form>"
#: What differs between two pages of thanks: codes and times of ours, never a citizen's text.
GAPS = ("receipt", "at", "on")
#: Look-ups of receipts from one address in ten minutes: an office's worth, never a guesser's
#: (one receipt in 2 ** 40).
WINDOW, LOOKUPS = 600, 60


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is shown: carried in its address, never in a cookie."""

    language: str = "vi"
    large: bool = False
    contrast: bool = False
    languages: tuple[str, ...] = field(default=(), compare=False)  # offered; (): all complete ones

    def query(self) -> str:
        """Return the address's query with its question mark, or nothing for the usual look."""
        parts = []
        if self.large:
            parts.append("chu=to")
        if self.contrast:
            parts.append("tuong-phan=cao")
        if self.language != OFFICIAL:
            parts.append(f"lang={self.language}")
        return "?" + "&".join(parts) if parts else ""

    def switches(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield name, words, their language if another one, and query of each other look."""
        size, tones = replace(self, large=not self.large), replace(self, contrast=not self.contrast)
        word = "look.normal" if self.large else "look.large"
        yield "size", t(word, self.language), "", size.query() or "?"
        word = "look.plain" if self.contrast else "look.contrast"
        yield "contrast", t(word, self.language), "", tones.query() or "?"
        for tag in self.languages or text.offered():
            if tag != self.language:
                known = LANGUAGES[tag]
                there = replace(self, language=tag)
                yield "language", mark(known.name, known.named_in), tag, there.query() or "?"


_USUAL = Look()


@cache
def _look(language: str, large: bool, contrast: bool) -> Look:
    return Look(language, large, contrast)


def look() -> Look:
    """Return the look the address asks for; what it does not know counts as not asked."""
    if not request.query_string:
        return _USUAL
    asked = request.args
    language = asked.get("lang", "")
    return _look(
        language if language in text.LANGUAGES else OFFICIAL,
        asked.get("chu") == "to",
        asked.get("tuong-phan") == "cao",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """What the pages of one door say about it; equal places share their rendered pages."""

    questionnaire: str
    words: frozenset[tuple[str, str]]
    label: str  # "Phường Tùng Thiện · Quầy 3"
    office: str
    owner: str
    synthetic: bool
    contact_days: int = 0  # how long a telephone number is kept; 0: none is asked for
    trial: str = ""  # "trial": answers are thrown away; "preview": nothing is stored at all

    def read(self, look: Look) -> Questionnaire:
        """Return the questionnaire in the look's language, with this place's words."""
        return localized(self.questionnaire, look.language, self.words)

    def spoken(self, look: Look) -> Place:
        """Return the place whose Vietnamese names say so on a page of another language."""
        if look.language == OFFICIAL:
            return self
        label, office, owner = mark(self.label), mark(self.office), mark(self.owner)
        return replace(self, label=label, office=office, owner=owner)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page around the spot where its token goes, plain and as the two ends of a gzip member."""

    head: bytes
    tail: bytes
    packed_head: bytes
    packed_tail: bytes
    check: int

    def plain(self, splice: bytes) -> bytes:
        """Return the whole page."""
        return self.head + splice + self.tail

    def gzip(self, splice: bytes) -> bytes:
        """Return the whole page as one gzip member (browsers ignore a second member).

        The head ends in a full flush and the tail is a stream of its own, so neither refers to
        the splice, which travels between them as a stored block (RFC 1951, 3.2.4).
        """
        size = len(splice)
        check = zlib.crc32(self.tail, zlib.crc32(splice, self.check))
        total = (len(self.head) + size + len(self.tail)) & 0xFFFFFFFF
        return b"".join(
            (
                self.packed_head,
                struct.pack("<BHH", 0, size, size ^ 0xFFFF),
                splice,
                self.packed_tail,
                struct.pack("<II", check, total),
            )
        )


def cut(page: str, level: int = 9) -> Rendered:
    """Cut a rendered page just before its last ``</form>`` and compress both parts for good.

    Raises ``ValueError`` for a page without a form.
    """
    head, end, tail = page.encode().rpartition(_END)
    if not end:
        raise ValueError("a page without a form has no place for a token")
    tail = end + tail
    front = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    back = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return Rendered(
        head,
        tail,
        _MEMBER + front.compress(head) + front.flush(zlib.Z_FULL_FLUSH),
        back.compress(tail) + back.flush(zlib.Z_FINISH),
        zlib.crc32(head),
    )


@lru_cache(maxsize=128)
def rendered(template: str, place: Place, look: Look) -> Rendered:
    """Return an empty page of a place, rendered once."""
    return cut(draw(template, place, look))


def draw(template: str, place: Place, look: Look, **facts: object) -> str:
    """Render a page of a place with whatever answers and notices ``facts`` bring."""
    q = place.read(look)
    shown: dict[str, object] = {"values": {}, "notices": {}, "n": asked_of(q)} | facts
    seen = replace(look, languages=text.offered(place.questionnaire))
    return render_template(template, q=q, place=place.spoken(look), look=seen, **shown)


@lru_cache(maxsize=128)
def gapped(template: str, place: Place, look: Look, facts: tuple[str, ...]) -> str:
    """Return a page rendered once, with gaps for what ``fill`` puts in."""
    gaps = {name: f"\0{name}\0" for name in GAPS}
    return draw(template, place, look, facts=facts, **gaps)


def fill(page: str, **values: str) -> str:
    """Return a page with its gaps filled with plain letters and digits, one value a gap."""
    for name in GAPS:
        page = page.replace(f"\0{name}\0", values[name])
    return page


def hidden_token(token: str) -> bytes:
    """Return the hidden field that carries the signed page token."""
    return b'<input type="hidden" name="page" value="%s">' % token.encode()


def reply(page: Rendered, splice: bytes) -> Response:
    """Send a rendered page with its token, compressed when the browser allows it."""
    accepted = request.environ.get("HTTP_ACCEPT_ENCODING", "")
    if "gzip" in accepted and (
        "q=0" not in accepted or request.accept_encodings.quality("gzip") > 0
    ):
        answer = Response(page.gzip(splice), content_type=HTML)
        answer.headers["Content-Encoding"] = "gzip"
    else:
        answer = Response(page.plain(splice), content_type=HTML)
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def asked_of(q: Questionnaire) -> int:
    """Return how many answers a questionnaire asks for: a matrix counts once a line."""
    return sum(len(item.rows) or 1 for item in q.items)


@bp.app_template_global()
def chosen(values: Mapping[str, object], column: str) -> tuple[object, ...]:
    """Return the codes chosen in a question of several answers."""
    held = values.get(column)
    return tuple(held) if isinstance(held, (list, tuple)) else () if held is None else (held,)


@bp.get("/")
@guard.public
def front() -> str:
    """Say what this is and where one answers."""
    return render_template("citizen/front.html", look=look())


@bp.get("/privacy")
@guard.public
def privacy() -> str:
    """Say who keeps the answers, for how long, and what a citizen may ask."""
    seen = look()
    return render_template("citizen/privacy.html", look=seen, waves=list(_open_waves(seen)))


def _open_waves(seen: Look) -> Iterator[dict[str, object]]:
    """Yield who asks whom at present: office, survey, its last day, days of a telephone number."""
    now = clock.now()
    for wave in waves.live(db.get()):
        if wave.is_open(now):
            names = (wave.owner_name, wave.name)
            owner, name = names if seen.language == OFFICIAL else map(mark, names)
            on = text.day(wave.closes_on.isoformat())
            yield {"owner": owner, "name": name, "on": on, "days": wave.contact_days}


@bp.route("/r", methods=["GET", "POST"])
@guard.public
def receipt() -> tuple[str, int] | str:
    """Look up a receipt: when it was received, and withdraw the answers it stands for."""
    if request.method == "GET":
        return _receipt("blank", "receipt.link")
    typed = request.form.get("receipt", "")
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    if len(code) != responses.RECEIPT_LETTERS or not set(code) <= set(responses.ALPHABET):
        return _receipt("blank", "receipt.link", wrong="receipt.malformed", typed=typed[:40]), 422
    erase = request.form.get("go") == "erase"
    now = clock.now()
    address = rates.masked(services().settings.secret, request.remote_addr or "", clock.day(now))

    def job(db: Connection) -> bool:  # counts even when it finds nothing
        if wait := rates.hit(db, f"receipt:{address}", WINDOW, LOOKUPS, now=now):
            raise Refused("too_fast", 429, seconds=wait)
        rates.sweep(db, now=now)
        return erase and responses.withdraw(db, code, now=now)

    if services().writer.run(job):
        return _receipt("gone", "receipt.gone", receipt=responses.printed(code))
    found = responses.by_receipt(db.get(), code)
    if found is None or found["state"] == "void":
        wrong = "receipt.withdrawn" if found else "receipt.none"
        return _receipt("blank", "receipt.link", wrong=wrong, typed=typed[:40]), 404
    wave = waves.get(db.get(), found["wave"])
    return _receipt(
        "found",
        "receipt.found",
        receipt=responses.printed(code),
        at=text.clock(found["received_at"]),
        on=text.day(found["received_at"]),
        wave=wave.name if look().language == OFFICIAL else mark(wave.name),
        synthetic=wave.synthetic,
    )


def _receipt(state: str, heading: str, wrong: str = "", **facts: object) -> str:
    seen = look()
    return render_template(
        "citizen/receipt.html",
        look=seen,
        state=state,
        heading=t(heading, seen.language, **facts),
        wrong=t(wrong, seen.language) if wrong else "",
        **facts,
    )
