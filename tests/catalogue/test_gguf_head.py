"""The head of a GGUF file is read without the rest; a damaged one ends in words, soon."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from steelyard.catalogue.gguf_head import read_general


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def head(*pairs: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


LICENCE = pair("general.license", 8, text("mit"))
TOKENS = pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("bc"))
SCORES = pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 2) + bytes(8))


def test_texts_are_found_behind_numbers_and_arrays_and_only_general_ones(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    number = pair("llama.context_length", 4, struct.pack("<I", 512))
    file.write_bytes(head(number, TOKENS, SCORES, pair("tokenizer.ggml.model", 8, text("llama")), LICENCE) + b"weights")
    assert read_general(file) == {"general.license": "mit"}


def test_a_file_of_the_gguf_package_is_read(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_name("Some model")
    writer.add_license("llama3.1")
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, "Llama 3.1 8B")
    writer.add_token_list(["a", "b"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    found = read_general(tmp_path / "model.gguf")
    assert (found["general.license"], found["general.base_model.0.name"]) == ("llama3.1", "Llama 3.1 8B")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "does not begin"),
        (b"GGUF", "ends within"),
        (head(LICENCE)[:-1], "ends within"),
        (head(LICENCE, version=1), "version 1"),
        (head(pair("general.x", 8, struct.pack("<Q", 2**62))), "longer than a text"),
        (head(pair("a", 9, struct.pack("<IQ", 0, 2**62))), "longer than what is read"),
        (head(pair("a", 9, struct.pack("<IQ", 8, 2**62))), "kind 8"),
        (head(pair("a", 99, b"")), "kind 99"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**62), "ends within"),
    ],
)
def test_a_damaged_file_is_told_in_words(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "model.gguf").write_bytes(raw)
    with pytest.raises(ValueError, match=reason):
        read_general(tmp_path / "model.gguf")
