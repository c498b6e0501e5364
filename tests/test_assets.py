"""Files under addresses that change with their content."""

import gzip
import re

import pytest

from survey.assets import FOLDER, asset

NAMES = sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_served_for_a_year(client, name):
    answer = client.get(asset(name))

    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_the_same_when_compressed(client, name):
    plain = client.get(asset(name))
    packed = client.get(asset(name), headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_scripts_lose_their_comments_and_indentation_only(path, client):
    source = path.read_text("utf-8")
    lean = client.get(asset(path.name)).data.decode()

    assert "`" not in source, "a text over several lines would lose its indentation"
    for line in re.sub(r"/\*.*?\*/", "", source, flags=re.S).splitlines():
        assert "/*" not in line
    lines = [line.strip() for line in re.sub(r"/\*.*?\*/", "", source, flags=re.S).splitlines()]
    assert lean.splitlines() == [line for line in lines if line]
    assert lean.count('"') == source.count('"') - sum(
        comment.count('"') for comment in re.findall(r"/\*.*?\*/", source, flags=re.S)
    )


def test_an_address_of_another_content_is_not_found(client):
    assert client.get("/static/000000000000/app.css").status_code == 404


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fsecret", "app.css%00"])
def test_an_unknown_file_is_not_found(client, name):
    assert client.get(f"/static/000000000000/{name}").status_code == 404


def test_an_unknown_name_in_a_template_is_an_error():
    with pytest.raises(LookupError):
        asset("nothing.css")


def test_the_style_sheet_stays_small():
    assert len(gzip.compress((FOLDER / "app.css").read_bytes(), 9)) < 4_500
