"""Write a GGUF model again in another quantisation.

Some quantisations are slow on processors without a kernel for them: Q4_1 reads prompts at about half the speed
of Q8_0. Going up to Q8_0 keeps the numbers of the source almost exactly (8 bits of what 4 bits said); nothing
is won back that the first quantisation lost.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.errors import InputError, NotAvailable, Problem

if TYPE_CHECKING:
    from gguf import GGUFReader, GGUFWriter

QUANTISATIONS = ("Q8_0", "Q4_0", "Q5_0", "F16")


def requantise(source: Path, destination: Path, quantisation: str) -> str:
    """Write `source` to `destination` with every quantised tensor as `quantisation`; the result's SHA-256.

    The destination appears whole or not at all. Tensors kept in full precision (norms) stay so. Raises
    InputError for a quantisation that cannot be written or a file that is not GGUF, NotAvailable without the
    `gguf` package.
    """
    if quantisation not in QUANTISATIONS:
        raise InputError(
            Problem(
                slug="unknown-quantisation",
                what=f"cannot write the quantisation {quantisation!r}",
                allowed=", ".join(QUANTISATIONS),
            )
        )
    try:
        from gguf import GGUFReader
    except ImportError:
        raise NotAvailable(
            Problem(
                slug="local-extra-missing",
                what="requantising weights needs the package gguf, which is not installed",
                next_step="pip install 'steelyard[local]'",
            )
        ) from None
    try:
        reader = GGUFReader(source)
    except (OSError, ValueError) as error:
        raise InputError(
            Problem(
                slug="weights-unreadable",
                what=f"not a readable GGUF file ({error})",
                where=str(source),
                next_step="fetch the weights again: steelyard models get ID",
            )
        ) from None
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".{destination.name}.part")  # one name, so that a kill leaves no more than one
    try:
        _write(reader, partial, quantisation)
        digest = _sha256(partial)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    return digest


def _write(reader: GGUFReader, path: Path, quantisation: str) -> None:
    from gguf import GGUFWriter, LlamaFileType

    file_types = {
        "Q8_0": LlamaFileType.MOSTLY_Q8_0,
        "Q4_0": LlamaFileType.MOSTLY_Q4_0,
        "Q5_0": LlamaFileType.MOSTLY_Q5_0,
        "F16": LlamaFileType.MOSTLY_F16,
    }
    architecture = reader.fields["general.architecture"].contents()
    writer = GGUFWriter(path, architecture, use_temp_file=False)
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = int(file_types[quantisation]) if key == "general.file_type" else field.contents()
        writer.add_key_value(key, value, field.types[0], field.types[1] if len(field.types) > 1 else None)
    _add_tensors(reader, writer, quantisation)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tensors(reader: GGUFReader, writer: GGUFWriter, quantisation: str) -> None:
    """Tensors in full precision as they are; the others in the new quantisation."""
    import numpy as np
    from gguf import GGMLQuantizationType, quants

    wanted = GGMLQuantizationType[quantisation]
    for tensor in reader.tensors:
        shape = [int(size) for size in reversed(tensor.shape)]
        if tensor.tensor_type == GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, np.asarray(tensor.data, np.float32).reshape(shape))
            continue
        if tensor.tensor_type == wanted:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=wanted)
            continue
        numbers = quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        writer.add_tensor(tensor.name, quants.quantize(numbers, wanted), raw_dtype=wanted)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
