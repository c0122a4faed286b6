"""Keys: read from the environment when they are needed, kept out of everything that is said or handed on.

A key is what stands in a variable that some target names, or in one whose own name says so. Nothing of less than eight
characters counts: servers that want no key are called with "none" or "EMPTY", which also stand in honest texts.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

SHORTEST = 8
_TELLING = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASS)$", re.IGNORECASE)
_PASTED = re.compile(
    r"\b(?:(?:sk|xai|csk|pplx|nvapi|glpat|xox[abprs])-|(?:sk|pk|rk|hf|gsk|fw|r8|tgp|gh[opsu]|github_pat)_|AIza|AKIA)"
    r"[A-Za-z0-9_-]{16,}"
)
_named: set[str] = set()


def name_key(variable: str) -> None:
    """From now on, what stands in this variable is a secret."""
    _named.add(variable)


def key(variable: str) -> str:
    """The key in a variable, "" when it is not set."""
    name_key(variable)
    return os.environ.get(variable, "").strip()


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process that calls nobody."""
    return {name: value for name, value in environment.items() if name not in _named and not _TELLING.search(name)}


def redacted(text: str, variable: str) -> str:
    """An answer without the key that the call was made with. Cheap: it is asked for every answer."""
    value = os.environ.get(variable, "").strip() if variable else ""
    return text.replace(value, f"[{variable}]") if len(value) >= SHORTEST else text


def scrubbed(text: str) -> str:
    """A message without any key: whole, in pieces of eight characters and more, encoded, or pasted from elsewhere.

    Pieces and encodings are looked for with keys that a target names. Other variables may hold a path or a word.
    """
    for name, value in os.environ.items():
        value = value.strip()
        if len(value) < SHORTEST or not (name in _named or _TELLING.search(name)):
            continue
        text = text.replace(value, f"[{name}]")
        if name in _named:
            for form in _forms(value):
                text = _without_pieces(text, form, f"[{name}]")
    return _PASTED.sub("[key]", text)


def _forms(value: str) -> Iterator[str]:
    """The key as it is, in an address, and in Base64 behind zero, one or two other bytes ("user:KEY")."""
    yield value
    yield quote(value, safe="")
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value.encode(errors="replace")).decode()
        yield whole[(0, 2, 3)[before] :].rstrip("=")[:-1]


def _without_pieces(text: str, secret: str, instead: str) -> str:
    pieces = {secret[start : start + SHORTEST] for start in range(len(secret) - SHORTEST + 1)}
    kept: list[str] = []
    at = 0
    while at < len(text):
        if text[at : at + SHORTEST] not in pieces:
            kept.append(text[at])
            at += 1
            continue
        at += SHORTEST
        while text[at - SHORTEST + 1 : at + 1] in pieces:
            at += 1
        kept.append(instead)
    return "".join(kept)
