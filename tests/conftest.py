"""A small instance for every test: made once, copied for each; every page opened is checked."""

from __future__ import annotations

import shutil

import html_checks
import paper_wave
import pytest
import small_wave
from flask.testing import FlaskClient
from hypothesis import settings as searching
from werkzeug.security import generate_password_hash

from survey import config, create_app, db, tokens
from survey.store import people

# The same examples every time, however busy the machine is.
searching.register_profile("house", deadline=None, derandomize=True)
searching.load_profile("house")


class CheckingClient(FlaskClient):
    """A browser that refuses faulty pages: ids, labels, language, headings, inline code."""

    def open(self, *args, **kwargs):
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html" and answer.data and answer.status_code // 100 != 3:
            assert html_checks.faults(answer.text) == [], answer.request.path
        return answer

    def login(self, name="administrator", password=small_wave.PASSWORD, **data):
        """Sign in as one of the staff of the small wave."""
        return self.send("/login", username=name, password=password, **data)

    def logout(self):
        """Press the button in the head of the page."""
        return self.send("/board", to="/logout")

    def send(self, path, *, to=None, **fields):
        """Open the page of a form, then post it with the page's token."""
        page = self.get(path)
        mark = 'name="csrf_token" value="'
        token = page.text.rpartition(mark)[2].split('"')[0] if mark in page.text else ""
        return self.post(to or path, data={"csrf_token": token, **fields})


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The instance that all copies come from, and its facts."""
    home = tmp_path_factory.mktemp("template") / "instance"
    cheap = generate_password_hash(people.plain(small_wave.PASSWORD), method="scrypt:1024:8:1")
    return home, small_wave.make(home, cheap)


@pytest.fixture
def facts(template):
    """Door ids and staff of the small wave."""
    return template[1]


@pytest.fixture
def instance(template, tmp_path):
    """A fresh copy of the small instance."""
    return shutil.copytree(template[0], tmp_path / "instance")


@pytest.fixture
def settings(instance):
    """The settings of the copy."""
    return config.load(instance, environ={})


@pytest.fixture
def app(settings):
    """The application on the copy."""
    made = create_app(settings)
    made.testing = True
    made.test_client_class = CheckingClient
    yield made
    made.extensions["sipas"].writer.close()
    for reader, _ in made.extensions["sipas.readers"]._idle:
        reader.close()


@pytest.fixture
def client(app):
    """A browser without a session."""
    return app.test_client()


@pytest.fixture
def staff(client):
    """A browser signed in as administrator."""
    assert client.login().status_code == 303
    return client


@pytest.fixture
def door_tokens(facts, settings):
    """What stands in addresses: kind of door -> token ("household" is a counter's, too)."""
    kinds = {name: name if name != "household" else "counter" for name in facts.doors}
    return {
        name: tokens.issue(settings.secret, kinds[name], number)
        for name, number in facts.doors.items()
    }


@pytest.fixture
def paper(app, settings):
    """A wave on paper added to the application's instance, and its facts."""
    store = db.connect(settings.database)
    try:
        return paper_wave.make(store)
    finally:
        store.close()
