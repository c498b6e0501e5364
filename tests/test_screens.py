"""How faults are said to the person who answers."""

from __future__ import annotations

import pytest

from forms import questionnaire, rules
from survey import screens
from survey.pages import Look


@pytest.mark.parametrize(
    ("column", "language", "said"),
    [
        ("c1.economy", "vi", "Câu 1, mục 1 chưa có câu trả lời."),
        ("c1.reform", "vi", "Câu 1, mục 9 chưa có câu trả lời."),
        ("s32", "vi", "Mục 32 chưa có câu trả lời."),
        ("c1.economy", "en", "Question 1, item 1"),
    ],
)
def test_an_unanswered_question_is_named_down_to_its_row(column, language, said):
    q = questionnaire.localized("sipas-2026.1", language, frozenset())
    faults = {fault.column: fault for fault in rules.check(q, {})[1]}

    found = screens.notice(q, faults[column], Look(language=language))

    assert found.message.startswith(said)
    assert found.control == column
