"""Where units lie under each other, as pages ask for it."""

from __future__ import annotations

from survey.data import COUNTRY
from survey.tree import Tree


def test_the_country_is_everything_as_no_unit_is(app):
    with app.app_context():
        tree = Tree()

        assert tree.inside("vn34:08", COUNTRY)
        assert tree.inside("vn34:08", "")
        assert tree.part("vn34:08", COUNTRY) == tree.part("vn34:08", "") == "vn34:08"


def test_a_province_holds_itself_and_no_other(app):
    with app.app_context():
        tree = Tree()

        assert tree.inside("vn34:08", "vn34:08")
        assert not tree.inside("vn34:12", "vn34:08")
