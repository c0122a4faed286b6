"""The `general.*` texts at the head of a GGUF file, with no more of it read than that takes.

The layout is that of version 2 and 3 of the specification (ggml, docs/gguf.md). The reader of the `gguf` package maps
a whole file, makes an object of every token of the vocabulary, and goes on for as long as a damaged file says.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
MOST_BYTES = 64 * 2**20
MOST_STRINGS = 2_000_000
LONGEST_TEXT = 2**20
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9


def read_general(path: Path) -> Mapping[str, str]:
    """The texts among the `general.*` keys. ValueError where the file is no GGUF, or is cut or damaged before its end.

    OSError where it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError("it does not begin as a GGUF file does")
        version, _, keys = struct.unpack("<IQQ", _exactly(file, 20))
        if version not in (2, 3):
            raise ValueError(f"version {version} of the format is not one that can be read")
        found: dict[str, str] = {}
        for _ in range(keys):
            key = _text(file)
            value = _value(file, struct.unpack("<I", _exactly(file, 4))[0])
            if value is not None and key.startswith("general."):
                found[key] = value
        return found


def _value(file: BinaryIO, kind: int) -> str | None:
    """A text, or None for anything else, which is passed over."""
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", _exactly(file, 12))
        if inner == _STRING and count <= MOST_STRINGS:
            for _ in range(count):
                _skip(file, struct.unpack("<Q", _exactly(file, 8))[0])
        else:
            _skip(file, _size(inner) * count)
    else:
        _skip(file, _size(kind))
    return None


def _size(kind: int) -> int:
    if kind not in _SIZES:
        raise ValueError(f"a value of the kind {kind} cannot be read")
    return _SIZES[kind]


def _text(file: BinaryIO) -> str:
    length = struct.unpack("<Q", _exactly(file, 8))[0]
    if length > LONGEST_TEXT:
        raise ValueError("a text in its head is longer than a text there can be")
    return _exactly(file, length).decode("utf-8", "replace")


def _skip(file: BinaryIO, count: int) -> None:
    if file.tell() + count > MOST_BYTES:
        raise ValueError("its head is longer than what is read of one")
    file.seek(count, 1)


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count or file.tell() > MOST_BYTES:
        raise ValueError("it ends within its head")
    return data
