"""The second half of the machines' contract: what a key may read, and dossiers handed over."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_NULL_NUMBER: Schema = {"type": ["number", "null"]}
_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_DAY: Schema = {"type": "string", "format": "date"}


def _described(kind: Schema, words: str) -> Schema:
    return {**kind, "description": words}


def _object(properties: dict[str, Schema], words: str = "") -> Schema:
    made: Schema = {"type": "object", "required": list(properties), "properties": properties}
    return _described(made, words) if words else made


def _list(of: str, words: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}, "description": words}


def _text(words: str) -> Schema:
    return {"type": "string", "description": words}


WAVE = _object(
    {
        "key": _text("Key of the wave, for addresses."),
        "name": _text("Its Vietnamese name."),
        "year": {"type": "integer", "description": "The year it speaks of."},
        "kind": {
            "type": "string", "enum": ["probability", "self_selected"],
            "description": "A drawn sample, or whoever wished to answer: the second carries no "
            "sampling error.",
        },
        "questionnaire": _text("Key of its questionnaire."),
        "opens_on": _described(_DAY, "First day in Vietnam."),
        "closes_on": _described(_DAY, "Last day in Vietnam, included."),
        "open": {"type": "boolean", "description": "Whether it takes answers now."},
        "owner": _text("Id of the unit that holds it."),
        "series": {"type": ["string", "null"], "description": "Waves of one series are a trend."},
        "index": _text("Index method: top2, scaled or mean5."),
        "aggregate": _text("How items make the total: item, factor, pooled or explicit."),
        "interval": _text("Kind of interval: beta, logit, wilson, asin or t."),
        "level": {"type": "number", "description": "Confidence of the intervals, 0..1."},
        "synthetic": {"type": "boolean", "description": "Made-up answers of a demonstration."},
    }
)  # fmt: skip

UNIT = _object(
    {
        "id": _text("Scheme and code, “vn34:01”: the key that never changes its meaning."),
        "kind": _text("country, province, department, commune, point, counter, …"),
        "word": _text("What precedes the name in a sentence: tỉnh, phường, …"),
        "name": _text("The name."),
        "parent": {"type": ["string", "null"], "description": "Id of the unit above."},
        "valid_from": _described(_DAY, "First day of this row."),
        "valid_to": {
            "type": ["string", "null"], "format": "date",
            "description": "Last day of this row, null while it lasts.",
        },
    }
)  # fmt: skip

FIGURE = _object(
    {
        "kind": {
            "type": "string", "enum": ["item", "factor", "area", "total"],
            "description": "What the figure is of.",
        },
        "id": _text("Id in the questionnaire; “total” for the index."),
        "number": _text("The number as printed."),
        "name": _text("The Vietnamese text."),
        "n": _described(_COUNT, "Persons who answered; null where the figure is hidden."),
        "value": _described(_NULL_NUMBER, "The index as a share 0..1; null: not published."),
        "se": _described(_NULL_NUMBER, "Standard error; null where none may be claimed."),
        "low": _described(_NULL_NUMBER, "Lower limit of the interval."),
        "high": _described(_NULL_NUMBER, "Upper limit of the interval."),
        "deff": _described(_NULL_NUMBER, "Design effect."),
        "neff": _described(_NULL_NUMBER, "Effective number of persons."),
        "df": _described(_COUNT, "Degrees of freedom of the error."),
        "shares": {
            "type": ["array", "null"], "items": {"type": "number"},
            "description": "Weighted shares of the answers, the lowest level first.",
        },
        "flags": {
            "type": "array", "items": {"type": "string"},
            "description": "few (n < 30), hidden (n < 5), low_df, census, no_variance, keyed, …",
        },
    }
)  # fmt: skip

MEMBER = _object(
    {
        "unit": _text("Id of the unit."),
        "name": _text("Its name."),
        "figures": _list("Figure", "Areas, factors and the total."),
        "rank": _described(_COUNT, "Place on unrounded values (1, 2, 2, 4); null: not ranked."),
        "rank_low": _described(_COUNT, "Best place of its confidence set."),
        "rank_high": _described(_COUNT, "Worst place of its confidence set."),
    }
)

CHOICE = _object(
    {
        "code": {"type": "integer", "description": "Stored code of the answer."},
        "label": _text("Its words."),
        "n": _described(_COUNT, "Persons; null where hidden."),
        "share": _described(_NULL_NUMBER, "Weighted share 0..1; null where hidden."),
    }
)

QUESTION = _object(
    {
        "id": _text("Column of the question."),
        "number": _text("The number as printed."),
        "name": _text("The Vietnamese text."),
        "n": {"type": "integer", "description": "Persons who answered."},
        "choices": _list("Choice", "Its answers in their order."),
    }
)

RESULTS = _object(
    {
        "wave": _text("Key of the wave."),
        "unit": {"type": ["string", "null"], "description": "The unit; null: all of the wave."},
        "name": _text("What the figures are of, in a sentence."),
        "kind": _text("probability or self_selected."),
        "synthetic": {"type": "boolean", "description": "Made-up answers."},
        "level": {"type": "number", "description": "Confidence of the intervals."},
        "answers": {
            "type": ["object", "null"], "additionalProperties": {"type": ["integer", "null"]},
            "description": "Answers by channel; null where so few came that none are told.",
        },
        "figures": _list("Figure", "Items, factors, areas and the total, last."),
        "units": _list("Member", "The units right below, ranked where the sample allows."),
        "questions": _list("Question", "Questions outside the index."),
        "coverage": {
            "type": ["object", "null"],
            "description": "Self-selected answers: answers, settled dossiers, their rate and the "
            "worst-case bounds [r·p, r·p + 1 − r].",
        },
    }
)  # fmt: skip
RESULTS["required"] = ["wave", "unit", "answers", "figures"]

PART = _object(
    {
        "name": _text("Unit id, service, month (YYYY-MM), or late / on_time."),
        "settled": {"type": "integer", "description": "Dossiers settled."},
        "answered": _described(_COUNT, "Of these with an opinion; null where hidden."),
    }
)

COVERAGE = _object(
    {
        "since": _described(_DAY, "First day of settling."),
        "until": _described(_DAY, "Last day of settling, included."),
        "unit": {"type": ["string", "null"], "description": "The unit; null: all the key reaches."},
        "settled": {"type": "integer", "description": "Dossiers settled."},
        "answered": _described(_COUNT, "Of these with an opinion; null where too few."),
        "units": _list("Part", "By the units right below."),
        "services": _list("Part", "By service."),
        "months": _list("Part", "By month of settling."),
        "late": _list("Part", "By lateness."),
    }
)

DOSSIER = _object(
    {
        "key": _text("Its number (mã số hồ sơ)."),
        "service": _text("The procedure."),
        "receiving_unit": _text("Id of the unit that received it."),
        "resolving_unit": _text("Id of the unit that decides."),
        "received_on": _described(_DAY, "Day it came in."),
        "due_on": _described(_DAY, "Day it is due."),
        "settled_on": {
            "type": ["string", "null"], "format": "date",
            "description": "Day it was settled; null while it is worked on.",
        },
        "late": {"type": "boolean", "description": "Settled after its day, or past it now."},
        "answered": {"type": "boolean", "description": "It has its opinion; nobody says which."},
    }
)  # fmt: skip

HANDED = _object(
    {
        name: {"type": "string", "description": words}
        for name, words in {
            "key": "Its number (mã số hồ sơ).",
            "service": "The procedure.",
            "receiving_unit": "Id, code or name of the unit that received it.",
            "resolving_unit": "The unit that decides; left out: the receiving one.",
            "officer": "Who took it in, by the office's own code.",
            "received_on": "Day it came in, YYYY-MM-DD.",
            "due_on": "Day it is due.",
            "settled_on": "Day it was settled; left out while it is worked on.",
            "phone": "Number for a link or a call; kept apart and purged.",
            "applicant": "Name for a letter of apology; kept apart and purged.",
            "applicant_kind": "cá nhân or tổ chức.",
        }.items()
    }
)
HANDED["required"] = ["key", "service", "receiving_unit", "received_on", "due_on"]

PUT = _object(
    {
        "received": {"type": "integer", "description": "Dossiers in the request."},
        "new": {"type": "integer", "description": "Of these new."},
        "changed": {"type": "integer", "description": "Of these changed."},
        "same": {"type": "integer", "description": "Of these stored before, alike."},
    }
)

WAVES = _object({"waves": _list("Wave", "The newest first.")})
UNITS = _object(
    {
        "units": _list("Unit", "By id."),
        "next": _text("Last id of this page: ask again with after=…; left out on the last page."),
    }
)
UNITS["required"] = ["units"]

SCHEMAS: dict[str, Schema] = {
    "Wave": WAVE, "Waves": WAVES, "Unit": UNIT, "Units": UNITS, "Figure": FIGURE,
    "Member": MEMBER, "Choice": CHOICE, "Question": QUESTION, "Results": RESULTS, "Part": PART,
    "Coverage": COVERAGE, "Dossier": DOSSIER, "HandedDossier": HANDED, "Put": PUT,
}  # fmt: skip


def _problem(description: str) -> Schema:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _given(schema: str) -> Schema:
    return {
        "description": "As asked.",
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _read(name: str, summary: str, scope: str, schema: str, *parameters: Schema) -> Schema:
    answers = {
        "200": _given(schema),
        "401": _problem("No key, or a wrong or revoked one."),
        "403": _problem(f"The key has not the scope “{scope}”."),
        "404": _problem("There is no such thing, or the key does not reach it."),
        "429": _problem("The key asked too often; see Retry-After."),
    }
    if any(one.get("in") == "query" for one in parameters):
        answers["400"] = _problem("A parameter is not what it should be.")
    return {
        "operationId": name,
        "summary": summary,
        "description": f"Scope “{scope}”. A key of a unit reaches that unit and what is under it.",
        "security": [{"key": []}],
        "parameters": list(parameters),
        "responses": answers,
    }


def _query(name: str, words: str, kind: Schema | None = None, *, required: bool = False) -> Schema:
    return {
        "name": name, "in": "query", "required": required, "description": words,
        "schema": kind or {"type": "string"},
    }  # fmt: skip


def _path(name: str, words: str) -> Schema:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


_WAVE, _UNIT = _path("wave", "Key of the wave."), _query("unit", "Id of a unit; left out: all.")

PATHS: dict[str, Schema] = {
    "/api/v1/waves": {"get": _read("listWaves", "Waves", "waves", "Waves")},
    "/api/v1/waves/{wave}": {"get": _read("getWave", "One wave", "waves", "Wave", _WAVE)},
    "/api/v1/waves/{wave}/results": {
        "get": _read("getResults", "Figures with their doubt", "results", "Results", _WAVE, _UNIT)
    },
    "/api/v1/units": {
        "get": _read(
            "listUnits", "Units of a day", "units", "Units",
            _query("parent", "Only those right under this unit."),
            _query("kind", "Only of this kind."),
            _query("on", "As they were on this day; left out: today.", _DAY),
            _query("limit", "Units in one answer.", {"type": "integer", "maximum": 1000}),
            _query("after", "The “next” of the page before."),
        )
    },
    "/api/v1/coverage": {
        "get": _read(
            "getCoverage", "Settled dossiers with an opinion", "coverage", "Coverage",
            _query("since", "First day of settling.", _DAY, required=True),
            _query("until", "Last day, included.", _DAY, required=True),
            _UNIT,
        )
    },
    "/api/v1/dossiers/{number}": {
        "get": _read(
            "getDossier", "One dossier", "dossiers.read", "Dossier",
            _path("number", "Its number; slashes stay as they are."),
        )
    },
    "/api/v1/dossiers": {
        "post": {
            "operationId": "putDossiers",
            "summary": "Hand over dossiers, all or none",
            "description": "Scope “dossiers”. At most 1.000 in one request; sending them again "
            "changes nothing.",
            "security": [{"key": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "array", "maxItems": 1000,
                            "items": {"$ref": "#/components/schemas/HandedDossier"},
                        }
                    }
                },
            },
            "responses": {
                "200": _given("Put"),
                "400": _problem("Not JSON."),
                "401": _problem("No key, or a wrong or revoked one."),
                "403": _problem("The key has not the scope “dossiers”."),
                "413": _problem("The body is too large."),
                "422": _problem("Faults; “faults” lists them by index and field. Nothing stored."),
                "429": _problem("The key asked too often; see Retry-After."),
                "503": _problem("Not stored; send it again."),
            },
        }
    },
}  # fmt: skip

SECURITY: Schema = {
    "key": {
        "type": "http", "scheme": "bearer",
        "description": "A key made by an administrator (page “Khóa API” or “sipas key add”).",
    }
}  # fmt: skip
