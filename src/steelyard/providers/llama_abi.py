"""The part of llama.cpp's C interface (llama.h) that the worker needs, bound by ctypes.

xllamacpp's own Python interface gives neither logits nor copies of the key-value cache, but its shared
library exports the whole of llama.h. C structures carry no version, so `load` compares the library's default
parameters with the values known for the pinned release and refuses a library that answers otherwise.
Everything that is named `Llama...` mirrors a C structure: same fields, same order.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
from collections import deque
from collections.abc import Iterable
from ctypes import POINTER, Structure, c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path

from steelyard.errors import NotAvailable, Problem

POOLING_NONE = 0
SENTENCEPIECE = 1
BYTE_TOKEN = 1 << 5
FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}

# A library newer than our structures may return a longer structure than we made room for. The spare bytes
# keep that from overwriting foreign memory before `_check` has looked; a callee never reads them.
_SPARE = ("spare", ctypes.c_uint64 * 32)


class LlamaModelParams(Structure):
    """How to load a model."""

    _fields_ = [
        ("devices", c_void_p),
        ("tensor_buft_overrides", c_void_p),
        ("n_gpu_layers", c_int32),
        ("split_mode", c_int32),
        ("load_mode", c_int32),
        ("lazy_mode", c_int32),
        ("main_gpu", c_int32),
        ("tensor_split", c_void_p),
        ("progress_callback", c_void_p),
        ("progress_callback_user_data", c_void_p),
        ("kv_overrides", c_void_p),
        ("vocab_only", c_bool),
        ("check_tensors", c_bool),
        ("use_extra_bufts", c_bool),
        ("no_host", c_bool),
        ("no_alloc", c_bool),
        ("load_mtp", c_bool),
        _SPARE,
    ]


class LlamaContextParams(Structure):
    """How to make a context: room for tokens, sequences and outputs, threads, attention."""

    _fields_ = [
        ("n_ctx", c_uint32),
        ("n_batch", c_uint32),
        ("n_ubatch", c_uint32),
        ("n_seq_max", c_uint32),
        ("n_rs_seq", c_uint32),
        ("n_outputs_max", c_uint32),
        ("n_outputs_max_per_seq", c_uint32),
        ("n_threads", c_int32),
        ("n_threads_batch", c_int32),
        ("ctx_type", c_int32),
        ("rope_scaling_type", c_int32),
        ("pooling_type", c_int32),
        ("attention_type", c_int32),
        ("flash_attn_type", c_int32),
        ("rope_freq_base", c_float),
        ("rope_freq_scale", c_float),
        ("yarn_ext_factor", c_float),
        ("yarn_attn_factor", c_float),
        ("yarn_beta_fast", c_float),
        ("yarn_beta_slow", c_float),
        ("yarn_orig_ctx", c_uint32),
        ("defrag_thold", c_float),
        ("cb_eval", c_void_p),
        ("cb_eval_user_data", c_void_p),
        ("type_k", c_int32),
        ("type_v", c_int32),
        ("moe_cache_size", c_size_t),
        ("abort_callback", c_void_p),
        ("abort_callback_data", c_void_p),
        ("embeddings", c_bool),
        ("offload_kqv", c_bool),
        ("no_perf", c_bool),
        ("op_offload", c_bool),
        ("swa_full", c_bool),
        ("kv_unified", c_bool),
        ("samplers", c_void_p),
        ("n_samplers", c_size_t),
        ("ctx_other", c_void_p),
        _SPARE,
    ]


class LlamaBatch(Structure):
    """Tokens to decode: per token its id, position, the sequences it belongs to, whether logits are wanted."""

    _fields_ = [
        ("n_tokens", c_int32),
        ("token", c_void_p),
        ("embd", c_void_p),
        ("pos", c_void_p),
        ("n_seq_id", c_void_p),
        ("seq_id", c_void_p),
        ("logits", c_void_p),
    ]


class LlamaChatMessage(Structure):
    """One turn of a conversation, both fields UTF-8."""

    _fields_ = [("role", c_char_p), ("content", c_char_p)]


_FLOATS = POINTER(c_float)
_LOG_CALLBACK = ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
_LOG_ERROR = 4
complaints: deque[str] = deque(maxlen=8)
"""The latest errors in the library's log: why a file cannot be loaded is said nowhere else."""


def _note(level: int, text: bytes, user: int | None) -> None:
    if level == _LOG_ERROR:
        complaints.append(text.decode(errors="replace").strip())


_HEAR = _LOG_CALLBACK(_note)

_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "llama_version": (c_char_p, []),
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [_LOG_CALLBACK, c_void_p]),
    "llama_model_default_params": (LlamaModelParams, []),
    "llama_context_default_params": (LlamaContextParams, []),
    "llama_model_load_from_file": (c_void_p, [c_char_p, LlamaModelParams]),
    "llama_model_get_vocab": (c_void_p, [c_void_p]),
    "llama_model_n_ctx_train": (c_int32, [c_void_p]),
    "llama_model_n_embd": (c_int32, [c_void_p]),
    "llama_model_meta_val_str": (c_int32, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "llama_model_chat_template": (c_char_p, [c_void_p, c_char_p]),
    "llama_init_from_model": (c_void_p, [c_void_p, LlamaContextParams]),
    "llama_free": (None, [c_void_p]),
    "llama_adapter_lora_init": (c_void_p, [c_void_p, c_char_p]),
    "llama_set_adapters_lora": (c_int32, [c_void_p, POINTER(c_void_p), c_size_t, _FLOATS]),
    "llama_get_memory": (c_void_p, [c_void_p]),
    "llama_memory_clear": (None, [c_void_p, c_bool]),
    "llama_memory_seq_rm": (c_bool, [c_void_p, c_int32, c_int32, c_int32]),
    "llama_memory_seq_cp": (None, [c_void_p, c_int32, c_int32, c_int32, c_int32]),
    "llama_decode": (c_int32, [c_void_p, LlamaBatch]),
    "llama_get_logits_ith": (_FLOATS, [c_void_p, c_int32]),
    "llama_get_embeddings_ith": (_FLOATS, [c_void_p, c_int32]),
    "llama_vocab_n_tokens": (c_int32, [c_void_p]),
    "llama_vocab_type": (c_int32, [c_void_p]),
    "llama_vocab_get_attr": (c_int32, [c_void_p, c_int32]),
    "llama_vocab_is_eog": (c_bool, [c_void_p, c_int32]),
    "llama_tokenize": (
        c_int32,
        [c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool],
    ),
    "llama_token_to_piece": (c_int32, [c_void_p, c_int32, c_char_p, c_int32, c_int32, c_bool]),
    "llama_chat_apply_template": (
        c_int32,
        [c_char_p, POINTER(LlamaChatMessage), c_size_t, c_bool, c_char_p, c_int32],
    ),
}


def installed() -> bool:
    """Whether xllamacpp can be found; imports nothing."""
    return importlib.util.find_spec("xllamacpp") is not None


def load() -> ctypes.CDLL:
    """The library with its functions typed, its structures checked and its log silenced but for `complaints`.

    Raises NotAvailable when xllamacpp is missing or its structures are not those written here.
    """
    spec = importlib.util.find_spec("xllamacpp")
    if spec is None or spec.origin is None:
        raise missing()
    shared = sorted(Path(spec.origin).parent.glob("xllamacpp*.so"))
    if not shared:
        raise _mismatch("its shared library was not found")
    os.environ["GGML_NO_BACKTRACE"] = "1"  # a debugger started by a failed assertion buries what it says
    library = ctypes.CDLL(str(shared[0]))
    for name, (result, arguments) in _FUNCTIONS.items():
        if not hasattr(library, name):
            raise _mismatch(f"it exports no {name}")
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    _check(_read(library.llama_context_default_params(), _CONTEXT_DEFAULTS), _CONTEXT_DEFAULTS)
    _check(_read(library.llama_model_default_params(), _MODEL_DEFAULTS), _MODEL_DEFAULTS)
    library.llama_log_set(_HEAR, None)
    library.llama_backend_init()
    return library


def missing() -> NotAvailable:
    """What to raise where xllamacpp is not installed."""
    return NotAvailable(
        Problem(
            slug="local-extra-missing",
            what="models on this machine need the package xllamacpp, which is not installed",
            next_step="pip install 'steelyard[local]'",
        )
    )


# The defaults of the pinned release, spread over the structures so that a field that was added, removed or
# moved shifts at least one of them.
_CONTEXT_DEFAULTS: dict[str, float] = {
    "n_ctx": 512,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_seq_max": 1,
    "pooling_type": -1,
    "flash_attn_type": -1,
    "yarn_ext_factor": -1.0,
    "type_k": 1,
    "type_v": 1,
    "embeddings": 0,
    "offload_kqv": 1,
    "no_perf": 1,
    "op_offload": 1,
    "swa_full": 1,
    "kv_unified": 0,
    "n_samplers": 0,
}
_MODEL_DEFAULTS: dict[str, float] = {"vocab_only": 0, "use_extra_bufts": 1, "no_alloc": 0}


def _read(structure: Structure, names: Iterable[str]) -> dict[str, float]:
    return {name: float(getattr(structure, name)) for name in names}


def _check(found: dict[str, float], known: dict[str, float]) -> None:
    """Raise NotAvailable if any default differs from the known one."""
    wrong = [f"{name} is {found[name]:g}, not {value:g}" for name, value in known.items() if found[name] != value]
    if wrong:
        raise _mismatch("its default parameters differ: " + "; ".join(wrong))


def _mismatch(reason: str) -> NotAvailable:
    try:
        version = importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    return NotAvailable(
        Problem(
            slug="llama-abi-mismatch",
            what=f"xllamacpp {version} is not the release that this Steelyard was written for: {reason}",
            next_step="pip install 'steelyard[local]'",
        )
    )
