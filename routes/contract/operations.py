"""`@operation`: what an endpoint takes and answers, checked at each request and written down by document.py.

A view reads what came in by `read_query(Model)` and `read_body(Model)`: the models are the only readers of requests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import g, request
from pydantic import BaseModel, PlainValidator, ValidationError

from routes.answers import FORM_TYPES
from routes.contract.answered import Answer
from routes.contract.asked import Asked
from routes.inputs import body_fields
from services.errors import InvalidInput

View = TypeVar("View", bound=Callable[..., Any])
Model = TypeVar("Model", bound=Asked)


@dataclass(frozen=True, slots=True)
class Operation:
    """An endpoint: a sentence for readers, its models, and answers with other statuses than 200."""

    summary: str
    answer: type[Answer]
    query: type[Asked] | None = None
    body: type[Asked] | None = None
    others: Mapping[int, type[BaseModel]] = field(default_factory=dict)


def operation(
    summary: str,
    answer: type[Answer],
    *,
    query: type[Asked] | None = None,
    body: type[Asked] | None = None,
    others: Mapping[int, type[BaseModel]] | None = None,
) -> Callable[[View], View]:
    """Check the request against the models before the view sees it. Goes inside the decorators that authorise. Raises
    InvalidInput that names every wrong field.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if query is not None:
                read_query(query)
            if body is not None:
                read_body(body)
            return view(*args, **kwargs)

        checked.__dict__["operation"] = Operation(summary, answer, query, body, others or {})
        return cast(View, checked)

    return decorate


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """The operation of a view function, authorised or not; None for a page."""
    return cast("Operation | None", view.__dict__.get("operation"))


def read_query(model: type[Model]) -> Model:
    """The parameters of the address as the model reads them. Raises InvalidInput by field."""
    return _read(model, lambda: request.args)


def read_body(model: type[Model]) -> Model:
    """The same of the body: JSON, or a page's form, where spaces around what somebody typed mean nothing."""
    if request.mimetype in FORM_TYPES:
        return _read(model, lambda: {name: value.strip() for name, value in body_fields().items()})
    return _read(model, body_fields)


def _read(model: type[Model], given: Callable[[], Mapping[str, Any]]) -> Model:
    """Read once a request, however often it is asked for."""
    kept: dict[type[Asked], Asked] = g.setdefault("asked", {})
    if model not in kept:
        kept[model] = check(model, given())
    return cast(Model, kept[model])


def check(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Read fields by a model. Raises InvalidInput for whatever it does not take."""
    try:
        return model.model_validate({name: given[name] for name in given})
    except ValidationError as error:
        errors: dict[str, list[str]] = {}
        for fault in error.errors(include_url=False, include_input=False):
            name = str(fault["loc"][0]) if fault["loc"] else "body"
            errors.setdefault(name, []).append(_sentence(model, name, cast(Mapping[str, Any], fault)))
        raise InvalidInput(errors) from error


def _sentence(model: type[Asked], name: str, fault: Mapping[str, Any]) -> str:
    """The reader's own sentence, for a missing field what it says about nothing; else pydantic's."""
    if fault["type"] == "missing":
        return _about_nothing(model, name)
    if fault["type"] == "extra_forbidden":
        return "is not known"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    text = str(fault["msg"])
    return text[:1].lower() + text[1:]


def _about_nothing(model: type[Asked], name: str) -> str:
    found = next((one for key, one in model.model_fields.items() if name in (key, _alias(one))), None)
    readers = [one.func for one in (found.metadata if found else []) if isinstance(one, PlainValidator)]
    for read in readers:
        try:
            cast(Callable[[object], object], read)(None)
        except ValueError as error:
            return str(error)
    return "is required"


def _alias(found: Any) -> str:
    choices = getattr(found.validation_alias, "choices", [found.validation_alias])
    return str(choices[0])
