"""The machines' contract in OpenAPI 3.1, written by hand and held to the code by a test."""

from __future__ import annotations

from typing import Any

from survey.machines import openapi_figures

Schema = dict[str, Any]

PROBLEM_TYPE = "application/problem+json"


def _problem(description: str, *, retry: bool = False) -> Schema:
    answer: Schema = {
        "description": description,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if retry:
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait before sending the same request again.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return answer


def _stored(description: str) -> Schema:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
    }


RESPONSE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "token", "questionnaire", "answers"],
    "properties": {
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "Made by the client before the first try, lower case with hyphens. "
            "Send the same id again after a lost reply: it is stored once.",
            "examples": ["0192f6c4-7d1b-4b7e-9c55-1f6f0a2c9d10"],
        },
        "token": {
            "type": "string",
            "description": "The last part of the address of a kiosk or QR form (/k/… or /q/…).",
        },
        "questionnaire": {
            "type": "string",
            "description": "Key of the questionnaire that was asked; the door's own.",
            "examples": ["mot-cua-2026.1", "sipas-2026.1"],
        },
        "answers": {
            "type": "object",
            "description": "Item ids and answers. A scale or single choice is its code, 9 is "
            "“Không biết / không trả lời”; a line of a matrix is “item.line”; several choices are "
            "a list of codes; the text beside “Khác” is “item.other”. What was not answered is "
            "left out.",
            "additionalProperties": {
                "oneOf": [
                    {"type": "integer"},
                    {"type": "string"},
                    {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
                ]
            },
            "examples": [{"s31": 4, "c1.economy": 3, "c2": [1, 5], "comment": "Làm nhanh."}],
        },
        "started_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When answering began, by the client's clock, with its zone.",
        },
        "submitted_at": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When answering ended, by the client's clock, with its zone.",
        },
        "language": {
            "type": "string",
            "enum": ["vi", "en"],
            "default": "vi",
            "description": "Language the questions were read in.",
        },
        "channel": {
            "type": "string",
            "enum": ["api", "phone", "kiosk", "qr", "link"],
            "default": "api",
            "description": "How the person answered. kiosk and qr only through a counter's door, "
            "link only through a dossier's or a case's.",
        },
        "assisted_by": {
            "type": ["string", "null"],
            "enum": ["family", "officer", "interviewer", "other", None],
            "description": "Who helped to answer; left out when nobody did.",
        },
        "partial": {
            "type": "boolean",
            "default": False,
            "description": "The person left before the end: required answers may be missing, "
            "wrong ones are refused as ever. Stored as flagged; refused (partial_not_kept) "
            "unless the wave keeps such answers and the door is a counter's.",
        },
        "contact": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "required": ["phone", "consent"],
            "properties": {
                "phone": {"type": "string", "description": "A number in Vietnam."},
                "consent": {"type": "boolean", "const": True},
            },
            "description": "A telephone number left with consent of its own; kept apart from the "
            "answers and deleted after the wave's days. Refused when the wave asks for none.",
            "examples": [{"phone": "0912345678", "consent": True}],
        },
    },
}

RECEIPT: Schema = {
    "type": "object",
    "required": ["id", "receipt", "received_at"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The id that was sent."},
        "receipt": {
            "type": "string",
            "pattern": "^[2-9A-HJ-NP-Z]{8}$",
            "description": "Random code, printed 4-4; shows or withdraws the response at /r.",
        },
        "received_at": {
            "type": "string",
            "format": "date-time",
            "description": "When it was stored the first time, UTC.",
        },
    },
}

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "Always about:blank."},
        "title": {"type": "string", "description": "What is wrong, in Vietnamese (?lang=en)."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What to do about it."},
        "code": {"type": "string", "description": "The machine's word: changed, used, closed, …"},
        "faults": {
            "type": "array",
            "description": "Everything wrong with the response, on 422.",
            "items": {"$ref": "#/components/schemas/Fault"},
        },
    },
}

FAULT: Schema = {
    "type": "object",
    "required": ["item", "code", "message"],
    "properties": {
        "item": {"type": "string", "description": "Field of the request or id of the answer."},
        "code": {"type": "string", "description": "unanswered, off_scale, unknown_item, …"},
        "message": {"type": "string", "description": "The same for people."},
    },
}

STORE: Schema = {
    "operationId": "storeResponse",
    "summary": "Store one response durably, once",
    "description": "The reply comes after the answer is on disk. Keep the response and send it "
    "again, with the same id, until the status is 200, 201, 409, 410 or 422.",
    "parameters": [{"$ref": "#/components/parameters/lang"}],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Response"}}},
    },
    "responses": {
        "201": _stored("Stored."),
        "200": _stored("This id with this content was stored before; the same receipt."),
        "400": _problem("Not JSON, not UTF-8, not an object, or a name given twice."),
        "404": _problem("The token opens nothing."),
        "409": _problem(
            "“changed”: the id is stored with other content, nothing was changed; “used”: this "
            "dossier or case has answered."
        ),
        "410": _problem("“closed”: the wave or the door takes no more answers, or not yet."),
        "413": _problem("The body is too large."),
        "422": _problem("The response has faults; “faults” lists all of them by item."),
        "429": _problem("Too many answers through this door.", retry=True),
        "503": _problem("Not stored; keep it and send it again.", retry=True),
    },
}


def _probe(name: str, summary: str, word: str, *, may_fail: bool = False) -> Schema:
    good = {"type": "object", "properties": {"status": {"type": "string", "const": word}}}
    answers = {
        "200": {"description": summary, "content": {"application/json": {"schema": good}}},
    }
    if may_fail:
        answers["503"] = _problem("The database takes no writes.", retry=True)
    return {"operationId": name, "summary": summary, "responses": answers}


DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "SIPAS",
        "version": "1",
        "description": "Hand over answers of citizens. No account: the signed token of a counter, "
        "dossier or case says what may be done. Hand over dossiers and read figures with a key. "
        "Errors are problem+json in Vietnamese.",
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "servers": [{"url": "/"}],
    "security": [],
    "paths": {
        "/api/v1/responses": {"post": STORE},
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "This document",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
        "/healthz": {"get": _probe("live", "The process lives.", "ok")},
        "/readyz": {"get": _probe("ready", "The database takes writes.", "ready", may_fail=True)},
        **openapi_figures.PATHS,
    },
    "components": {
        "parameters": {
            "lang": {
                "name": "lang",
                "in": "query",
                "description": "Language of the messages.",
                "schema": {"type": "string", "enum": ["vi", "en"], "default": "vi"},
            }
        },
        "schemas": {
            "Response": RESPONSE,
            "Receipt": RECEIPT,
            "Problem": PROBLEM,
            "Fault": FAULT,
            **openapi_figures.SCHEMAS,
        },
        "securitySchemes": openapi_figures.SECURITY,
    },
}
