"""What is kept no longer than it must be: deleted when its day has come, with a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from survey import mail
from survey.counter import messages
from survey.db import write
from survey.store import applicants, audit, clock, contacts, frames, rates, removal
from survey.text import day, thousands

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

#: That a message was sent about a dossier, or a call made, matters while its survey runs and is
#: reported on: half a year.
MESSAGE_DAYS = CALL_DAYS = 180
_OPEN = f"khi đợt đóng đã {removal.DAYS} ngày"


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many rows of each kind were deleted."""

    contacts: int
    dossier_contacts: int
    messages: int
    calls: int
    rates: int
    files: int  # of the outbox: messages with their numbers
    households: int = 0  # names and addresses of a sample's lists
    pages: int = 0  # scanned pages whose pictures go
    notes: int = 0  # of call-backs
    applicants: int = 0  # names of those who handed a dossier in

    @property
    def total(self) -> int:
        """All of them."""
        return sum(asdict(self).values())


@dataclass(frozen=True, slots=True)
class Report:
    """What a run deleted, and what is kept until when."""

    now: datetime
    deleted: Deleted
    kept: tuple[contacts.Kept, ...]
    households: tuple[tuple[str, int, date], ...] = ()  # wave, how many, until
    paper: tuple[removal.Kept, ...] = ()
    applicants: tuple[int, str, str] = (0, "", "")  # how many names, first and last day

    def lines(self) -> Iterator[str]:
        """Yield the report in Vietnamese, a line at a time."""
        gone = self.deleted
        yield f"Ngày {day(self.now)}. Đã xóa:"
        yield f"  {thousands(gone.contacts)} số điện thoại người dân để lại, đã đến ngày xóa"
        yield f"  {thousands(gone.dossier_contacts)} số điện thoại kèm hồ sơ, đã đến ngày xóa"
        yield f"  {thousands(gone.applicants)} họ tên người nộp hồ sơ, đã đến ngày xóa"
        yield f"  {thousands(gone.messages)} lượt nhắn tin cũ hơn {MESSAGE_DAYS} ngày"
        yield f"  {thousands(gone.calls)} lượt gọi điện cũ hơn {CALL_DAYS} ngày"
        yield f"  {thousands(gone.rates)} lượt đếm truy cập cũ hơn 1 ngày"
        yield f"  {thousands(gone.files)} tệp tin nhắn chờ gửi cũ hơn {messages.KEPT} ngày"
        names = f"của đợt đóng đã {frames.NAME_DAYS} ngày"
        yield f"  {thousands(gone.households)} họ tên, địa chỉ hộ {names}"
        closed = f"của đợt đóng đã {removal.DAYS} ngày"
        pages = thousands(gone.pages)
        yield f"  ảnh của {pages} trang quét {closed} (giữ mã kiểm tra và kết quả đọc)"
        yield f"  {thousands(gone.notes)} ghi chú phúc tra {closed}"
        yield from self._kept()

    def _kept(self) -> Iterator[str]:
        if not self.kept:
            yield "Không còn giữ số điện thoại nào."
        n_names, first, last = self.applicants
        if self.kept or self.households or self.paper or n_names:
            yield "Còn giữ:"
        for wave, n, day_of in self.households:
            until = day(day_of.isoformat())
            yield f"  {thousands(n)} họ tên, địa chỉ hộ của đợt {wave}: xóa ngày {until}"
        for left in self.paper:
            until = f"ngày {day(left.until.isoformat())}" if left.until else _OPEN
            if left.pages:
                pages = thousands(left.pages)
                yield f"  ảnh của {pages} trang quét của đợt {left.wave}: xóa {until}"
            if left.notes:
                yield f"  {thousands(left.notes)} ghi chú phúc tra của đợt {left.wave}: xóa {until}"
        for one in self.kept:
            what = f"đợt {one.wave} ({one.name})" if one.wave else "kèm hồ sơ"
            until = f"ngày {day(one.first.isoformat())}"
            if one.last != one.first:
                until = f"từ {until} đến ngày {day(one.last.isoformat())}"
            yield f"  {thousands(one.n)} số điện thoại {what}: xóa {until}"
        if n_names:
            until = f"từ ngày {day(first)} đến ngày {day(last)}"
            yield f"  {thousands(n_names)} họ tên người nộp hồ sơ: xóa {until}"


def expired(instance: Path, now: datetime) -> list[Path]:
    """Return the files of messages and letters that nobody will fetch any more."""
    oldest = (clock.day(now) - timedelta(days=messages.KEPT)).isoformat()
    return sorted(
        path
        for folder in (messages.OUTBOX, mail.OUTBOX)
        for path in (instance / folder).glob("????-??-??.jsonl")
        if path.stem < oldest
    )


def run(db: sqlite3.Connection, *, now: datetime, actor: str, files: int = 0) -> Report:
    """Delete what is past its day in one transaction with its audit row; returns the report.

    Run it once a day.  ``files`` is how many the caller deletes beside it (``expired``).  Answers
    are not its business: a person withdraws them, an office keeps them as its archive rules say.
    """
    today = clock.day(now)
    with write(db):
        pages, notes = removal.remove(db, today)
        deleted = Deleted(
            contacts=contacts.purge(db, today),
            dossier_contacts=contacts.purge_dossiers(db, today),
            messages=contacts.purge_messages(db, now - timedelta(days=MESSAGE_DAYS)),
            calls=contacts.purge_calls(db, now - timedelta(days=CALL_DAYS)),
            rates=rates.sweep(db, now=now),
            files=files,
            households=frames.purge(db, today),
            pages=pages,
            notes=notes,
            applicants=applicants.purge(db, today),
        )
        audit.append(
            db, at=now, actor=actor, action="retention.run", subject=today.isoformat(),
            detail=asdict(deleted),
        )  # fmt: skip
    paper = tuple(removal.kept(db))
    return Report(
        now, deleted, tuple(contacts.kept(db)), tuple(frames.kept(db)), paper, applicants.kept(db)
    )
