"""Somebody at a counter and somebody with a phone, for the tests of the citizens' doors."""

import re
from html import unescape

from forms.questionnaire import load
from survey import db
from survey.store import responses

SHORT = ["m1", "m2", "m3", "m4", "m5", "m_all"]


def hidden(page):
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return [(name, unescape(value)) for name, value in fields]


def receipt(page):
    return re.search(r'class="code"[^>]*>([^<]+)', page).group(1)


def question(page):
    return unescape(re.search(r'<h1 id="q"[^>]*>(.*?)</h1>', page).group(1))


def stored(app, code):
    with app.app_context():
        return responses.by_receipt(db.get(), code)


class Tablet:
    """Somebody at the counter: sees a page, taps a button of it."""

    def __init__(self, client, address):
        self.client, self.address, self.fields = client, address, []
        self.answer = client.get(address)

    @property
    def page(self):
        return self.answer.text

    def tap(self, name, value, **typed):
        data = {}
        for field, given in [*hidden(self.page), *typed.items(), (name, value)]:
            data.setdefault(field, []).extend(given if isinstance(given, list) else [given])
        self.answer = self.client.post(self.address, data=data)
        return self.page

    def begin(self):
        return self.tap("go", "start")

    def to_the_comment(self, code="4"):
        self.begin()
        for item in SHORT:
            self.tap(item, code)
        return self.page


class Phone:
    """Somebody with the phone form and no JavaScript."""

    def __init__(self, client, address, key):
        self.client, self.address, self.q = client, address, load(key)
        self.token = dict(hidden(client.get(address).text))["page"]

    def answers(self, **changes):
        data = {"page": self.token, "go": "send"}
        for item in self.q.items:
            if item.consent or item.kind == "text":
                continue
            for row in item.rows or (None,):
                data[f"{item.id}.{row.id}" if row else item.id] = str(item.choices[0].code)
        data |= {name.replace("__", "."): value for name, value in changes.items()}
        return {name: value for name, value in data.items() if value is not None}

    def send(self, **changes):
        return self.client.post(self.address, data=self.answers(**changes))
