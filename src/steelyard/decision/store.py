"""A decision as a file: decision.json, with a version and a published schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.decision.record import SCHEMA_VERSION, Decision
from steelyard.errors import InputError, Problem
from steelyard.files import write_whole

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FILE_NAME = "decision.json"


def to_json(decision: Decision) -> bytes:
    """UTF-8 JSON, indented. Money is a decimal string; an Unknown is an object with `reason` alone."""
    return _adapter().dump_json(decision, indent=2) + b"\n"


def from_json(data: bytes) -> Decision:
    """The same decision back, equal in every value; InputError if it is none or of another schema version."""
    import orjson
    from pydantic import ValidationError

    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _unreadable(str(error)) from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(
            Problem(
                slug="decision-version",
                what=f"this decision has schema version {version!r}",
                allowed=SCHEMA_VERSION,
                next_step="run `steelyard run` again, or use the version of Steelyard that wrote it",
            )
        )
    try:
        return _adapter().validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise _unreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def save(decision: Decision, folder: Path) -> Path:
    """Write `folder`/decision.json at once or not at all; the folder (`UseCase.output`) is made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    write_whole(path, to_json(decision))
    return path


def load(folder: Path) -> Decision:
    """The decision of a study's output folder; InputError when there is none yet."""
    path = folder / FILE_NAME
    if not path.exists():
        raise InputError(
            Problem(
                slug="no-decision",
                what="there is no decision yet",
                where=str(path),
                next_step="run `steelyard run` on the study first",
            )
        )
    return from_json(path.read_bytes())


def decision_json_schema() -> dict[str, Any]:
    """The JSON Schema of decision.json."""
    return _adapter().json_schema(mode="serialization")


@cache
def _adapter() -> TypeAdapter[Decision]:
    from pydantic import TypeAdapter

    return TypeAdapter(Decision)


def _unreadable(why: str) -> InputError:
    return InputError(
        Problem(
            slug="decision-unreadable",
            what=f"this is not a decision: {why}",
            next_step="run `steelyard run` on the study again",
        )
    )
