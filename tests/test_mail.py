"""Letters to staff: which sender the settings name, what goes out, what a server says."""

import json
import socket
import threading
from datetime import UTC, datetime

import pytest

from survey import mail, retention

SMTP = {"SIPAS_MAIL": "smtp", "SIPAS_SMTP_HOST": "127.0.0.1", "SIPAS_SMTP_FROM": "sipas@example.vn"}


def test_letters_are_off_until_somebody_names_a_sender(tmp_path):
    assert mail.mailer(tmp_path, {}) is None
    assert mail.mailer(tmp_path, {"SIPAS_MAIL": "off"}) is None


def test_the_file_sender_leaves_a_line_that_only_the_owner_reads(tmp_path):
    _, sender = mail.mailer(tmp_path, {"SIPAS_MAIL": "file"})
    sender.send("a@example.vn", "Việc quá hạn", "Hai việc quá hạn.")

    [path] = (tmp_path / mail.OUTBOX).iterdir()
    assert path.stat().st_mode & 0o077 == 0
    line = json.loads(path.read_text("utf-8"))
    assert (line["to"], line["subject"]) == ("a@example.vn", "Việc quá hạn")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SIPAS_MAIL": "nowhere:Nobody"}, "nowhere:Nobody"),
        ({"SIPAS_MAIL": "smtp"}, "SIPAS_SMTP_HOST"),
        (SMTP | {"SIPAS_SMTP_PORT": "x"}, "SIPAS_SMTP_PORT"),
        (SMTP | {"SIPAS_SMTP_SECURITY": "rot13"}, "SIPAS_SMTP_SECURITY"),
    ],
)
def test_settings_that_name_no_sender_are_told(tmp_path, settings, words):
    with pytest.raises(mail.SetupError, match=words):
        mail.mailer(tmp_path, settings)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b",
        "a@example.vn\nBcc: b@example.vn",
        "Tên <a@example.vn>",
        "a@example.vn, b@c.vn",
    ],
)
def test_what_is_no_plain_address_is_refused(address):
    assert not mail.fits(address)
    with pytest.raises(ValueError, match="không đúng"):
        mail.written(address, "x", "y", sender="sipas@example.vn")


def test_a_subject_stays_one_line():
    letter = mail.written(
        "a@example.vn", "Việc\nBcc: b@example.vn", "Đã quá hạn", sender="sipas@example.vn"
    )

    assert letter["Subject"] == "Việc Bcc: b@example.vn"
    assert letter["Bcc"] is None
    assert "Đã quá hạn" in letter.get_content()


def test_a_mail_server_that_is_not_there_is_an_outcome_not_a_crash(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings = SMTP | {"SIPAS_SMTP_PORT": str(port), "SIPAS_SMTP_SECURITY": "none"}
    _, sender = mail.mailer(tmp_path, settings)

    with pytest.raises(mail.MailError):
        sender.send("a@example.vn", "x", "y")


def test_a_letter_arrives_at_a_mail_server_whole(tmp_path):
    got = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, got))
        thread.start()
        settings = SMTP | {
            "SIPAS_SMTP_PORT": str(server.getsockname()[1]), "SIPAS_SMTP_SECURITY": "none",
        }  # fmt: skip
        mail.mailer(tmp_path, settings)[1].send("a@example.vn", "Quá hạn", "Một việc quá hạn.")
        thread.join()

    text = b"".join(got).decode()
    assert "rcpt TO:<a@example.vn>" in text
    assert "Auto-Submitted: auto-generated" in text


def serve(server, got):
    """Say yes to everything a client asks of a mail server."""
    line, _ = server.accept()
    with line, line.makefile("rb") as said:
        line.sendall(b"220 test\r\n")
        letter = False
        for word in said:
            got.append(word)
            if letter:
                if word != b".\r\n":
                    continue
                letter = False
            elif word.upper().startswith(b"DATA"):
                letter = True
                line.sendall(b"354 go on\r\n")
                continue
            line.sendall(b"250 yes\r\n" if not word.upper().startswith(b"QUIT") else b"221 bye\r\n")
            if word.upper().startswith(b"QUIT"):
                return


def test_letters_left_as_files_go_after_a_week_with_the_links_in_them(tmp_path):
    folder = tmp_path / mail.OUTBOX
    folder.mkdir()
    for name in ("2026-11-14.jsonl", "2026-11-22.jsonl"):
        (folder / name).write_text("{}\n")

    found = retention.expired(tmp_path, datetime(2026, 11, 22, 10, tzinfo=UTC))

    assert [path.name for path in found] == ["2026-11-14.jsonl"]
