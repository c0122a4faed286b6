"""A study file's mistakes in the user's words: pydantic's errors and our own, each with its line and place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel

from steelyard.catalogue.ids import nearest
from steelyard.errors import Problem
from steelyard.usecase.fields import PATTERNS
from steelyard.usecase.lines import Document, Place, clipped

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def placed(problem: Problem, document: Document, name: str, place: Place) -> Problem:
    """The problem with `where` = "study.yaml:12 (require.accuracy)"."""
    where = f"{name}:{document.line(place)}"
    where = f"{where} ({clipped(dotted(place))})" if place else where
    return replace(problem, what=clipped(problem.what), where=where)


def dotted(place: Place) -> str:
    """`candidates[2].id`; the first candidate is number 0, as in the file's own list."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def problem_of(error: ErrorDetails, root: type[BaseModel]) -> Problem:
    """What one of pydantic's errors means to a user; `root` is the model the file was checked against."""
    place, kind, value, context = error["loc"], error["type"], error["input"], error.get("ctx", {})
    if isinstance(problem := context.get("problem"), Problem):
        return problem
    key = str(place[-1]) if place else "the study"
    if kind == "extra_forbidden":
        known = _fields(root, place[:-1])
        what = f"no field is called {key!r}{nearest(key, known)}"
        return Problem("study-unknown-field", what, allowed=", ".join(known), next_step="correct the name or remove it")
    if kind == "missing":
        allowed = _allowed(root, place)
        return Problem("study-missing-field", f"`{key}` is missing", allowed=allowed, next_step=f"add `{key}: ...`")
    if value is None:
        return Problem("study-bad-value", f"`{key}` is empty", next_step="fill it, or remove the line")
    if kind == "too_short":
        return Problem("study-bad-value", f"`{key}` is an empty list", next_step="name at least one")
    if kind in ("greater_than_equal", "less_than_equal"):
        allowed = f"{context['ge']:,} or more" if "ge" in context else f"at most {context['le']:,.0f}"
        return Problem("study-bad-value", f"{_shown(value)} does not fit here", allowed=allowed)
    if kind == "literal_error":
        known = tuple(re.findall(r"'([^']*)'", str(context["expected"])))
        return Problem(
            "study-bad-value", f"{_shown(value)} is not known{nearest(str(value), known)}", allowed=", ".join(known)
        )
    if kind == "string_pattern_mismatch":
        return Problem("study-bad-value", f"{_shown(value)} does not fit here", allowed=PATTERNS[context["pattern"]])
    allowed, next_step = _KINDS.get(kind, (error["msg"][:1].lower() + error["msg"][1:], ""))
    if kind == "string_type" and isinstance(value, (int, float)):
        next_step = f'put it in quotes: {key}: "{str(value).lower()}"'
    if kind == "string_type" and isinstance(value, dict):
        next_step = "put a text with braces in quotes"
    return Problem("study-bad-value", f"{_shown(value)} does not fit here", allowed=allowed, next_step=next_step)


_KINDS = {
    "model_type": ("a section of `key: value` lines", ""),
    "dict_type": ("a section of `key: value` lines", ""),
    "list_type": ("a list such as [one, two]", ""),
    "string_type": ("a text", ""),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "int_type": ("a whole number", "write digits, without quotes and without a leading zero"),
    "int_from_float": ("a whole number", ""),
    "finite_number": ("a number with an end", ""),
    "float_type": ("a number", "write digits, without quotes and without a leading zero"),
}


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fields(root: type[BaseModel], place: Place) -> tuple[str, ...]:
    """Names of the fields of the section at `place`."""
    return tuple(field.alias or name for name, field in _section(root, place).model_fields.items())


def _allowed(root: type[BaseModel], place: Place) -> str:
    """What may stand in a field: its values where they are few, else its description."""
    field = _section(root, place[:-1]).model_fields[str(place[-1])]
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    return field.description or ", ".join(_fields(root, place) if _parts(field.annotation) else ())


def _section(model: type[BaseModel], place: Place) -> type[BaseModel]:
    for step in place:
        if isinstance(step, str):
            field = next(f for name, f in model.model_fields.items() if step in (name, f.alias))
            model = next(found for found in _parts(field.annotation))
    return model


def _parts(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _parts(part)]
