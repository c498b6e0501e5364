"""What browsers keep for days without a network: the worker, the manifest, the waiting answers."""

import json
import re
import shutil
import struct

import pytest

from survey import assets, errors
from survey.citizen import offline


def test_the_worker_is_asked_for_anew_each_time_and_may_serve_every_door(client):
    answer = client.get("/sw.js")

    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.text.startswith(f'var VERSION="{offline.version()}"')


def test_pages_from_the_cache_carry_the_same_headers(client):
    facts = re.search(r"HEADERS=(\{.*?\});\n", client.get("/sw.js").text).group(1)

    assert json.loads(facts) == errors.HEADERS


def test_pages_may_use_a_worker_and_a_manifest_of_ours():
    policy = errors.HEADERS["Content-Security-Policy"]

    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy


def test_the_cache_has_another_name_when_a_file_differs(monkeypatch, tmp_path):
    before = offline.version()
    for path in assets.FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    form = tmp_path / "form.js"
    form.write_text(form.read_text("utf-8") + "\n;", "utf-8")
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    assets._files.cache_clear()
    offline.version.cache_clear()
    try:
        after = offline.version()
    finally:
        monkeypatch.undo()
        assets._files.cache_clear()
        offline.version.cache_clear()

    assert before != after
    assert offline.version() == before


@pytest.mark.parametrize(
    ("door", "display"), [("k", "fullscreen"), ("q", "standalone")], ids=["kiosk", "phone"]
)
def test_a_door_can_be_installed(client, door_tokens, door, display):
    address = f"{door}/{door_tokens['counter']}"
    answer = client.get(f"/manifest.webmanifest?door={address}&chu=to")

    assert answer.mimetype == "application/manifest+json"
    assert answer.json["start_url"] == f"/{address}?chu=to"
    assert answer.json["display"] == display
    assert answer.json["lang"] == "vi"
    assert answer.json["name"].startswith("Đánh giá phục vụ · ")
    for icon in answer.json["icons"]:
        picture = client.get(icon["src"])
        size = struct.unpack(">II", picture.data[16:24])
        assert icon["sizes"] == "{}x{}".format(*size)


@pytest.mark.parametrize("door", ["", "k/", "k/cnowhere", "board", "k/../login", "https://x/k/y"])
def test_nothing_else_can_be_installed(client, door):
    assert client.get("/manifest.webmanifest", query_string={"door": door}).status_code == 404


@pytest.mark.parametrize("look", ["", "?lang=en", "?chu=to&tuong-phan=cao"])
def test_the_page_of_waiting_answers_needs_no_session(client, look):
    answer = client.get(f"/offline{look}")

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert "csrf" not in answer.text


def test_the_form_names_its_questionnaire_and_what_comes_later(client, door_tokens):
    page = client.get(f"/q/{door_tokens['household']}").text

    assert 'data-questionnaire="sipas-2026.1"' in page
    for name in ("queue.js", "unsent.js"):
        assert assets.asset(name) in page
        assert f'src="{assets.asset(name)}"' not in page  # not part of the first load


def test_no_script_of_the_citizens_is_written_for_new_phones_only():
    for name in ("form.js", "queue.js", "unsent.js", "sw.js"):
        code = re.sub(r"/\*.*?\*/", "", (assets.FOLDER / name).read_text("utf-8"), flags=re.DOTALL)

        assert not re.search(
            r"=>|`|\b(let|const|await) |\basync (function|\()|\bclass \w|\?\.[a-z]", code
        ), name
