"""Requantising keeps everything but the precision, and leaves nothing half written."""

import hashlib

import pytest

from steelyard.catalogue.requantise import requantise
from steelyard.errors import InputError

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")


@pytest.fixture
def source(tmp_path):
    import numpy as np

    path = tmp_path / "source.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_1)
    writer.add_token_list(["a", "b"])
    numbers = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    four_bits = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.Q4_1)
    writer.add_tensor("weight", four_bits, raw_dtype=gguf.GGMLQuantizationType.Q4_1)
    writer.add_tensor("norm", np.ones(64, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_tensors_metadata_and_digest(source, tmp_path):
    destination = tmp_path / "new" / "model.gguf"
    digest = requantise(source, destination, "Q8_0")
    assert digest == hashlib.sha256(destination.read_bytes()).hexdigest()
    assert list(destination.parent.iterdir()) == [destination]
    old, new = gguf.GGUFReader(source), gguf.GGUFReader(destination)
    assert new.fields["general.name"].contents() == "tiny"
    assert new.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    assert new.fields["general.file_type"].contents() == gguf.LlamaFileType.MOSTLY_Q8_0
    types = {tensor.name: tensor.tensor_type.name for tensor in new.tensors}
    assert types == {"weight": "Q8_0", "norm": "F32"}
    before, after = (
        gguf.quants.dequantize(reader.tensors[0].data, reader.tensors[0].tensor_type) for reader in (old, new)
    )
    assert abs(before - after).max() < 0.005


def test_the_same_source_gives_the_same_file(source, tmp_path):
    assert requantise(source, tmp_path / "one.gguf", "Q4_0") == requantise(source, tmp_path / "two.gguf", "Q4_0")


def test_an_unknown_quantisation_is_refused_with_those_that_exist(source, tmp_path):
    with pytest.raises(InputError, match="Q8_0"):
        requantise(source, tmp_path / "model.gguf", "Q4_K_M")


def test_what_is_no_model_leaves_nothing_behind(tmp_path):
    source = tmp_path / "source.gguf"
    source.write_bytes(b"no model at all, but long enough to be read")
    with pytest.raises(InputError, match="not a readable GGUF file"):
        requantise(source, tmp_path / "new" / "model.gguf", "Q8_0")
    assert not (tmp_path / "new").exists()
