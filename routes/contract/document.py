"""/api/openapi.json: the contract written down, from the views' operations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from routes.contract.answered import Failure
from routes.contract.asked import Asked
from routes.contract.operations import Operation, operation_of

REFERENCE = "#/components/schemas/{model}"
FAILURES = {
    400: "Malformed: `errors` names the fields",
    401: "Not logged in",
    403: "Not allowed",
    404: "There is no such thing, or it is somebody else's",
    409: "Decided already",
    413: "Larger than 64 KB",
    415: "Neither JSON nor a form",
    422: "Refused by a rule: `code` and `details` say which",
    429: "Too often",
    503: "Something it needs is away",
}
Schema = dict[str, Any]


def describe(app: Flask) -> Schema:
    """The OpenAPI 3.1 document of all views that have an operation."""
    described = [
        (rule, method, found)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
        if (found := operation_of(app.view_functions[rule.endpoint])) is not None
    ]
    models = {one for _, _, found in described for one in _models(found)} | {Failure}
    pairs: Any = [
        (model, "validation" if issubclass(model, Asked) else "serialization")
        for model in sorted(models, key=lambda one: one.__name__)
    ]
    names, definitions = models_json_schema(pairs, ref_template=REFERENCE)
    schemas = definitions["$defs"]
    references = {model: names[model, mode] for model, mode in pairs}
    paths: dict[str, Schema] = {}
    for rule, method, found in described:
        paths.setdefault(_path(rule), {})[method.lower()] = _operation(rule, found, references, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Paper-trading venue", "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if not _is_query(name, pairs)},
            "securitySchemes": {"login": {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}},
        },
        "security": [{"login": []}],
    }


DESCRIPTION = (
    "The JSON endpoints of the pages. Log in at /auth/login first; a write also needs the header X-CSRFToken with the "
    "value of the pages' meta csrf-token, and may carry an Idempotency-Key: the same key and body has one effect."
)


def _models(found: Operation) -> Iterable[type[BaseModel]]:
    wanted = [found.answer, found.query, found.body, *found.others.values()]
    return (model for model in wanted if model is not None)


def _is_query(name: str, pairs: Iterable[tuple[type[BaseModel], str]]) -> bool:
    """A query's model is taken apart into parameters, so its schema is not needed."""
    return name.endswith("Query") and any(model.__name__ == name for model, _ in pairs)


def _operation(rule: Rule, found: Operation, references: dict[type[BaseModel], Schema], schemas: Schema) -> Schema:
    answers = {200: found.answer, **found.others}
    described: Schema = {
        "summary": found.summary,
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": [rule.endpoint.partition(".")[0]],
        "parameters": [*_in_path(rule), *(_in_query(schemas[found.query.__name__]) if found.query else [])],
        "responses": {str(status): _response("Done", references[model]) for status, model in answers.items()}
        | {str(status): _response(text, references[Failure]) for status, text in FAILURES.items()},
    }
    if found.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": references[found.body]}},
        }
    return described


def _response(text: str, schema: Schema) -> Schema:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _in_path(rule: Rule) -> list[Schema]:
    found = re.findall(r"<(?:(\w+):)?(\w+)>", rule.rule)
    number = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": number if converter == "row" else {"type": "string", "minLength": 1},
        }
        for converter, name in found
    ]


def _in_query(schema: Schema) -> list[Schema]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(one)}
        for name, one in schema["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """A parameter is left out rather than null."""
    kept = {name: value for name, value in schema.items() if name not in ("title", "default", "anyOf")}
    kinds = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return kept | kinds[0] if kinds else kept
