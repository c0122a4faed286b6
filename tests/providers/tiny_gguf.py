"""A language model of one layer and a few hundred tokens, written on the spot: its answers mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

WIDTH, INNER, CONTEXT = 32, 64, 256
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:!?'-_"
PIECES = (*LETTERS, "\u2581", "\u2581a", "th", "er", "re", "fu", "nd")
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def write_tiny(
    path: Path,
    *,
    pieces: Sequence[str] = PIECES,
    bytes_too: bool = True,
    tokenizer: str = "llama",
    context: int = CONTEXT,
    finite: bool = True,
) -> Path:
    """A llama model whose tokenizer knows these pieces, and all bytes as a way out unless `bytes_too` is false."""
    import gguf
    import numpy as np

    words = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    words += [(f"<0x{byte:02X}>", BYTE) for byte in range(256 if bytes_too else 0)]
    words += [(piece, NORMAL) for piece in pieces]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // 2)
    if tokenizer:
        writer.add_tokenizer_model(tokenizer)
        writer.add_token_list([word for word, _ in words])
        writer.add_token_scores([-float(number) for number in range(len(words))])
        writer.add_token_types([kind for _, kind in words])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
    rng = np.random.default_rng(0)
    shapes = {
        "token_embd.weight": (len(words), WIDTH),
        "output_norm.weight": (WIDTH,),
        "output.weight": (len(words), WIDTH),
    }
    shapes |= {f"blk.0.{name}.weight": (WIDTH, WIDTH) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {f"blk.0.{name}.weight": (WIDTH,) for name in ("attn_norm", "ffn_norm")}
    shapes |= {f"blk.0.{name}.weight": (INNER, WIDTH) for name in ("ffn_gate", "ffn_up")}
    shapes |= {"blk.0.ffn_down.weight": (WIDTH, INNER)}
    for name, shape in shapes.items():
        tensor = rng.standard_normal(shape).astype(np.float32)
        writer.add_tensor(name, tensor if finite or name != "output.weight" else np.full_like(tensor, np.nan))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
