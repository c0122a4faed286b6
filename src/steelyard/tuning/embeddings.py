"""Embeddings of texts, kept in a file as they come, so that a run that was broken off does not embed again.

The file holds the vectors' width (uint32), then one record a text: SHA-256 of the text, float32 values; all
little-endian. A record that a crash left half written is cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from steelyard.errors import Fault, ProviderError
from steelyard.files import writing
from steelyard.tuning.fitted import Embed, Progress

_BATCH = 16
_HEAD = 4
_DIGEST = 32

Vector = npt.NDArray[np.float32]


class EmbeddingCache:
    """The vectors that one embedder (by the SHA-256 of its weights) gave."""

    def __init__(self, folder: Path, base_sha256: str) -> None:
        self._file = folder / f"embeddings-{base_sha256[:16]}.f32"
        self._vectors: dict[bytes, Vector] = {}
        if self._file.is_file():
            self._read()

    async def embed(self, texts: Sequence[str], embed: Embed, progress: Progress) -> Vector:
        """One row a text; asks `embed` only for those not in the file, each distinct text once."""
        missing = [text for text in dict.fromkeys(texts) if _digest(text) not in self._vectors]
        distinct = len(set(texts))
        for start in range(0, len(missing), _BATCH):
            progress(distinct - len(missing) + start, distinct)
            batch = missing[start : start + _BATCH]
            self._add(batch, np.asarray(await embed(batch), "<f4"))
        progress(distinct, distinct)
        return np.stack([self._vectors[_digest(text)] for text in texts])

    def _read(self) -> None:
        data = self._file.read_bytes()
        width = int.from_bytes(data[:_HEAD], "little")
        size = _DIGEST + 4 * width
        whole = _HEAD + (len(data) - _HEAD) // size * size
        for start in range(_HEAD, whole, size):
            digest, values = data[start : start + _DIGEST], data[start + _DIGEST : start + size]
            vector = np.frombuffer(values, "<f4")
            if np.isfinite(vector).all():
                self._vectors[digest] = vector
        kept = whole if whole > _HEAD else 0  # without a record the width may be wrong too
        if kept < len(data):
            with self._file.open("r+b") as file:
                file.truncate(kept)

    def _add(self, texts: Sequence[str], vectors: Vector) -> None:
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ProviderError(Fault.MALFORMED, f"{len(texts)} texts did not give as many finite vectors")
        records = [_digest(text) + vector.tobytes() for text, vector in zip(texts, vectors, strict=True)]
        with writing(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                head = vectors.shape[1].to_bytes(_HEAD, "little") if file.tell() == 0 else b""
                file.write(head + b"".join(records))
        self._vectors |= {_digest(text): vector for text, vector in zip(texts, vectors, strict=True)}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
