"""What lies beside weights and speaks of terms: texts, tags and the names of bases, each with the file it stands in."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import yaml

from steelyard.catalogue.gguf_head import MAGIC, read_general
from steelyard.errors import InputError, Problem
from steelyard.licences.recognise import Abstained, Recognised, recognise

MOST_BYTES = 1_000_000
MOST_FILES = 50
LONGEST_VALUE = 500
Kind: TypeAlias = Literal["licence", "notice", "policy"]
_KINDS: Mapping[str, Kind] = {
    "LICENSE": "licence",
    "LICENCE": "licence",
    "COPYING": "licence",
    "NOTICE": "notice",
    "USE_POLICY": "policy",
}
LONGEST_FRONT = 200_000
"""Characters of front matter; cards that hold a whole licence have some 50,000."""
NO_FRONT = "it has no front matter"
_FRONT = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Text:
    """A text of terms, a notice or a policy, and what it was recognised as."""

    file: str
    kind: Kind
    answer: Recognised | Abstained
    content: str


@dataclass(frozen=True)
class Tag:
    """A field that is meant to name a licence."""

    file: str
    field: str
    value: str


@dataclass(frozen=True)
class Named:
    """A field that names a model: one that this derives from, or (`itself`) this one or the one it was made from."""

    file: str
    field: str
    model: str
    itself: bool = False


@dataclass(frozen=True)
class NotRead:
    """A file that was not read, or not to its end, and why."""

    file: str
    reason: str


Paper: TypeAlias = Text | Tag | Named | NotRead


@dataclass(frozen=True)
class Papers:
    """All papers of one place, in the order of the files' names."""

    place: str
    texts: tuple[Text, ...]
    tags: tuple[Tag, ...]
    models: tuple[Named, ...]
    not_read: tuple[NotRead, ...]


def read_papers(path: Path) -> Papers:
    """The papers of a folder, a GGUF file, or any text. InputError where there is nothing of the kind at the path."""
    try:
        found = _papers(path)
    except OSError as error:
        raise _not_read(path, f"cannot be read: {error.strerror or error}") from None
    return Papers(
        str(path),
        tuple(paper for paper in found if isinstance(paper, Text)),
        tuple(paper for paper in found if isinstance(paper, Tag)),
        tuple(paper for paper in found if isinstance(paper, Named)),
        tuple(paper for paper in found if isinstance(paper, NotRead)),
    )


def _papers(path: Path) -> list[Paper]:
    if path.is_dir():
        return list(_of_folder(path))
    if not path.exists():
        raise _not_read(path, "there is no such file or folder")
    if not path.is_file():
        raise _not_read(path, "it is neither a file nor a folder")
    papers = list(_of_file(path, _KINDS.get(_start(path.name), "licence")))
    if len(papers) == 1 and isinstance(papers[0], NotRead) and papers[0].reason != NO_FRONT:
        raise _not_read(path, papers[0].reason)
    return papers


def _not_read(path: Path, what: str) -> InputError:
    return InputError(
        Problem(
            "licence-path", what, str(path), "a text file, a GGUF file, or a folder of a model", "name one of these"
        )
    )


def _of_folder(folder: Path) -> Iterator[Paper]:
    """Only what lies in it: a model's folder keeps its papers beside the weights."""
    wanted = sorted(file for file in folder.iterdir() if _speaks(file.name) and file.is_file())
    for file in wanted[:MOST_FILES]:
        try:
            yield from _of_file(file, _KINDS.get(_start(file.name), "licence"))
        except OSError as error:
            yield NotRead(file.name, f"cannot be read: {error.strerror or error}")
    if len(wanted) > MOST_FILES:
        yield NotRead(f"{len(wanted) - MOST_FILES} more files", f"{MOST_FILES} files are read of one folder")


def _speaks(name: str) -> bool:
    return bool(_start(name)) or name.lower() in ("readme.md", "config.json") or name.lower().endswith(".gguf")


def _start(name: str) -> str:
    upper = name.upper().replace("-", "_")
    return next((start for start in _KINDS if upper.startswith(start)), "")


def _of_file(file: Path, kind: Kind) -> Iterator[Paper]:
    with file.open("rb") as stream:
        raw = stream.read(MOST_BYTES + 1)
    if raw.startswith(MAGIC) or file.suffix.lower() == ".gguf":
        yield from _of_gguf(file)
        return
    if raw.startswith(_UTF16):
        text = raw[:MOST_BYTES].decode("utf-16", "replace")
    elif b"\0" in raw:
        yield NotRead(file.name, "it is not a text")
        return
    else:
        text = raw[:MOST_BYTES].decode("utf-8-sig", "replace")
    if len(raw) > MOST_BYTES:
        yield NotRead(file.name, f"only its first {MOST_BYTES:,} bytes were read")
    if file.name.lower() == "readme.md":
        yield from _of_card(file.name, text)
    elif file.name.lower() == "config.json":
        yield from _of_config(file.name, text)
    else:
        yield Text(file.name, kind, recognise(text), text)


def _of_card(name: str, text: str) -> Iterator[Paper]:
    """The front matter of a model card; every value is taken as it is written."""
    front = _FRONT.match(text)
    if front is None:
        yield NotRead(name, NO_FRONT)
        return
    if len(front[1]) > LONGEST_FRONT:
        yield NotRead(name, "its front matter is longer than any is")
        return
    try:
        card = yaml.load(front[1], Loader=yaml.BaseLoader)  # makes nothing but texts, lists and mappings
    except (yaml.YAMLError, RecursionError, ValueError):
        yield NotRead(name, "its front matter is not YAML")
        return
    fields = card if isinstance(card, dict) else {}
    for field in ("license", "license_name", "license_link"):
        yield from (Tag(name, field, value) for value in _values(fields.get(field)))
    for value in _values(fields.get("base_model")):
        yield Named(name, "base_model", value)


def _of_config(name: str, text: str) -> Iterator[Paper]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        yield NotRead(name, "it is not JSON")
        return
    fields = config if isinstance(config, dict) else {}
    yield from (Tag(name, "license", value) for value in _values(fields.get("license")))
    for value in _values(fields.get("_name_or_path")):
        yield Named(name, "_name_or_path", value, itself=True)


def _of_gguf(file: Path) -> Iterator[Paper]:
    try:
        general = read_general(file)
    except ValueError as error:
        yield NotRead(file.name, f"not a readable GGUF file: {error}")
        return
    for field in ("general.license", "general.license.name", "general.license.link"):
        yield from (Tag(file.name, field, value) for value in _values(general.get(field)))
    for value in _values(general.get("general.name")):
        yield Named(file.name, "general.name", value, itself=True)
    pattern = re.compile(r"general\.base_model\.(\d+)\.")
    for number in sorted({match[1] for match in map(pattern.match, general) if match}, key=int)[:MOST_FILES]:
        start = f"general.base_model.{number}"
        house, title = general.get(f"{start}.organization", ""), general.get(f"{start}.name", "")
        address = general.get(f"{start}.repo_url", "")
        for value in _values(address or "/".join(part.strip().replace(" ", "-") for part in (house, title) if part)):
            yield Named(file.name, start, value)


def _values(value: object) -> list[str]:
    """One text or a list of them, none empty, none longer than a name or an address is."""
    several = value if isinstance(value, list) else [value]
    return [one.strip()[:LONGEST_VALUE] for one in several if isinstance(one, str) and one.strip()][:MOST_FILES]
