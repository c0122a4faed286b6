"""Tokens are counted by a vocabulary alone; what cannot be read is unknown and not zero."""

from __future__ import annotations

from pathlib import Path

from steelyard.providers.token_counts import count_tokens
from steelyard.quantities import Unknown


def test_a_file_that_is_no_model_gives_unknown(tmp_path: Path) -> None:
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"GGUF, but nothing behind it")
    assert isinstance(count_tokens(file, ["a text"]), Unknown)
