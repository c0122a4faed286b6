"""A model of llama.cpp and its contexts, as objects. Only the worker process imports this module.

A `Context` holds key-value cells that any of its sequences may share (unified cache): copying a sequence copies
no numbers, and a token may belong to many sequences at once, which is how a tree of continuations is decoded
in one go.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from steelyard.errors import Fault, ProviderError
from steelyard.providers import llama_abi as abi

Floats = npt.NDArray[np.float32]

CELLS_STEP = 1024


@dataclass(frozen=True)
class Load:
    """What to load and how. `context_tokens` 0 means as many as the model was trained for.

    Flash attention is off by default: on processors its kernels for few and for many tokens disagree by about 0.2
    in a label's log-probability (0.02 without it), for a quarter more speed in reading prompts.
    """

    weights: str
    adapter: str = ""
    threads: int = 1
    context_tokens: int = 0
    batch_items: int = 8
    sequences: int = 64
    micro_batch: int = 256
    flash_attention: str = "off"
    vocabulary_only: bool = False


class Model:
    """Weights and vocabulary."""

    def __init__(self, load: Load) -> None:
        """Raises ProviderError(NOT_FOUND) if the file cannot be loaded, BAD_REQUEST for impossible options."""
        self.library = abi.load()
        self.load = load
        params = self.library.llama_model_default_params()
        params.n_gpu_layers = 0
        params.vocab_only = self.load.vocabulary_only
        self.handle = self.library.llama_model_load_from_file(load.weights.encode(), params)
        if not self.handle:
            step = "fetch the weights again: steelyard models get ID; or name another GGUF file"
            what = f"llama.cpp cannot load {load.weights}{_why()}"
            raise ProviderError(Fault.NOT_FOUND, what, next_step=step)
        self.vocabulary = self.library.llama_model_get_vocab(self.handle)
        self.vocabulary_size = int(self.library.llama_vocab_n_tokens(self.vocabulary))
        self._check_bytes()
        self.width = int(self.library.llama_model_n_embd(self.handle))
        self.trained_tokens = int(self.library.llama_model_n_ctx_train(self.handle))
        if load.context_tokens > self.trained_tokens:
            raise ProviderError(
                Fault.BAD_REQUEST,
                f"context_tokens is {load.context_tokens}, but the model was trained for {self.trained_tokens}",
            )
        self.limit = load.context_tokens or self.trained_tokens
        self.name = self._metadata("general.name") or Path(load.weights).stem
        template = self.library.llama_model_chat_template(self.handle, None)
        self.chat_template: bytes | None = template or None
        self.adapter = None
        if load.adapter:
            self.adapter = self.library.llama_adapter_lora_init(self.handle, load.adapter.encode())
            if not self.adapter:
                raise ProviderError(Fault.NOT_FOUND, f"llama.cpp cannot load the adapter {load.adapter}{_why()}")

    def _check_bytes(self) -> None:
        """SentencePiece spells what it does not know in bytes; where one is missing, llama.cpp ends the process."""
        if self.library.llama_vocab_type(self.vocabulary) != abi.SENTENCEPIECE:
            return
        attributes = map(self.library.llama_vocab_get_attr, repeat(self.vocabulary), range(self.vocabulary_size))
        if sum(bool(attribute & abi.BYTE_TOKEN) for attribute in attributes) < 256:
            what = f"the tokenizer of {self.load.weights} has no tokens for single bytes: it cannot read every text"
            raise ProviderError(
                Fault.NOT_FOUND, what, next_step="take a GGUF file that was converted with its tokenizer"
            )

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(256)
        length = self.library.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace") if length > 0 else ""

    def tokenise(self, text: str, *, special: bool = False, leading: bool = True) -> list[int]:
        """Tokens of a whole text, with the leading token the model wants, if any (not without `leading`).

        `special` says whether control tokens spelt out in the text count as such; off for data, so that a
        message cannot close its own turn.
        """
        encoded = text.encode()
        room = len(encoded) + 8
        buffer = (ctypes.c_int32 * room)()
        count = self.library.llama_tokenize(self.vocabulary, encoded, len(encoded), buffer, room, leading, special)
        if count < 0:
            raise ProviderError(Fault.BAD_REQUEST, "the text cannot be tokenised")
        return buffer[:count]

    def piece(self, token: int) -> bytes:
        """The bytes of one token; may be part of a character. Control tokens have none."""
        buffer = ctypes.create_string_buffer(64)
        length = self.library.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = self.library.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(length, 0)]

    def ends(self, token: int) -> bool:
        """Whether the token ends a generation."""
        return bool(self.library.llama_vocab_is_eog(self.vocabulary, token))


def _why() -> str:
    """The library's first complaint: the later ones only pass it on."""
    found = re.sub(r"^\w+: (error loading model: )*", "", abi.complaints[0]) if abi.complaints else ""
    return f" ({found})" if found else ""


class Batch:
    """Tokens for one decode, gathered one by one; `add` gives back the row at which to ask for logits."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.positions: list[int] = []
        self.sequences: list[Sequence[int]] = []
        self.wanted: list[bool] = []

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, token: int, position: int, sequences: Sequence[int], wanted: bool) -> int:
        """One token at a position of one or more sequences."""
        self.tokens.append(token)
        self.positions.append(position)
        self.sequences.append(sequences)
        self.wanted.append(wanted)
        return len(self.tokens) - 1

    def extend(self, tokens: Sequence[int], position: int, sequences: Sequence[int], wanted: bool) -> int:
        """Consecutive tokens from a position on; `wanted` holds for the last one only. Gives its row."""
        for offset, token in enumerate(tokens):
            self.add(token, position + offset, sequences, wanted and offset == len(tokens) - 1)
        return len(self.tokens) - 1


class Context:
    """Key-value cells for a number of sequences; grows on demand, and then forgets what it held."""

    def __init__(self, model: Model, *, embeddings: bool = False) -> None:
        self.model = model
        self.library = model.library
        self.embeddings = embeddings
        self.cells = 0
        self.epoch = 0
        self.handle: int | None = None
        self.memory: int | None = None

    def reserve(self, cells: int) -> None:
        """Make room for so many tokens over all sequences. Growing forgets what was held, in a new `epoch`."""
        if cells <= self.cells:
            return
        self.close()
        self.epoch += 1
        params = self.library.llama_context_default_params()
        load = self.model.load
        self.cells = -(-cells // CELLS_STEP) * CELLS_STEP
        params.n_ctx = self.cells
        params.n_batch = min(self.cells, 2048)
        params.n_ubatch = min(params.n_batch, load.micro_batch)
        params.n_seq_max = load.sequences
        params.n_threads = params.n_threads_batch = load.threads
        params.flash_attn_type = abi.FLASH_ATTENTION[load.flash_attention]
        params.embeddings = self.embeddings
        params.pooling_type = abi.POOLING_NONE
        params.kv_unified = True
        params.swa_full = True
        self.handle = self.library.llama_init_from_model(self.model.handle, params)
        if not self.handle:
            raise ProviderError(Fault.SERVER, f"llama.cpp cannot make a context of {self.cells} tokens")
        self.memory = self.library.llama_get_memory(self.handle)
        self.batch_tokens = int(params.n_batch)
        if self.model.adapter:
            adapters = (ctypes.c_void_p * 1)(self.model.adapter)
            scales = (ctypes.c_float * 1)(1.0)
            if self.library.llama_set_adapters_lora(self.handle, adapters, 1, scales) != 0:
                raise ProviderError(Fault.BAD_REQUEST, "the adapter does not fit the model")

    def close(self) -> None:
        """Give the cells back."""
        if self.handle:
            self.library.llama_free(self.handle)
        self.handle, self.cells = None, 0

    def copy(self, source: int, destination: int, tokens: int) -> None:
        """Let a sequence share the first `tokens` positions of another."""
        if tokens:
            self.library.llama_memory_seq_cp(self.memory, source, destination, 0, tokens)

    def forget(self, sequence: int, start: int = 0) -> None:
        """Drop a sequence from a position on."""
        self.library.llama_memory_seq_rm(self.memory, sequence, start, -1)

    def decode(self, batch: Batch) -> None:
        """Run the model over a batch of at most `batch_tokens`; raises ProviderError(SERVER) if it cannot."""
        count = len(batch)
        token = np.array(batch.tokens, np.int32)
        position = np.array(batch.positions, np.int32)
        wanted = np.array(batch.wanted, np.int8)
        widths = np.array([len(sequences) for sequences in batch.sequences], np.int32)
        flat = np.array([one for sequences in batch.sequences for one in sequences], np.int32)
        starts = np.concatenate(([0], np.cumsum(widths[:-1]))).astype(np.uint64)
        pointers = np.uint64(flat.ctypes.data) + starts * np.uint64(flat.itemsize)
        native = abi.LlamaBatch(
            count,
            token.ctypes.data,
            None,
            position.ctypes.data,
            widths.ctypes.data,
            pointers.ctypes.data,
            wanted.ctypes.data,
        )
        status = self.library.llama_decode(self.handle, native)
        if status != 0:
            raise ProviderError(Fault.SERVER, f"llama_decode of {count} tokens failed with status {status}")

    def logits(self, row: int) -> Floats:
        """The logits after one token of the last batch; a view that the next decode overwrites."""
        pointer = self.library.llama_get_logits_ith(self.handle, row)
        return np.ctypeslib.as_array(pointer, (self.model.vocabulary_size,))

    def hidden(self, row: int) -> Floats:
        """The last hidden state of one token of the last batch; a view that the next decode overwrites."""
        pointer = self.library.llama_get_embeddings_ith(self.handle, row)
        return np.ctypeslib.as_array(pointer, (self.model.width,))
