"""From a name as launchers, benchmarks and folders write it (`nvidia/Kimi-K2.5-NVFP4`) to the network behind it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from steelyard.catalogue.load import Catalogue, load_catalogue
from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown

_FORMAT = re.compile(
    r"[-_.](?:"
    r"(?:mx|nv)?fp(?:4|8|16|32)|bf16|f16|f32|w\d+a\d+(?:kv\d+)?|u?int[48]|[2-8]-?bit|nf4|(?:ud-)?i?q\d(?:-(?:k|[01]|nl|x{0,2}[sl]|m))*"
    r"|gguf|ggml|awq|gptq|mlx|bnb|exl[23]|onnx|marlin|quark|torchao|autoround"
    r"|static|dynamic|per-?tensor|per-?channel|block|kv|hf|mtp"
    r")$"
)
"""The end of a name that tells how weights are stored, not which they are."""

_MAKERS = re.compile(r"^(?:meta-(?=llama)|nvidia-(?=nemotron)|google[_-](?=gemma)|mistralai[_-])")
"""Makers' names that are written before the model's, or are not: repositories were renamed, copies repeat them."""


def model_of_path(text: str, catalogue: Catalogue | None = None) -> Model | Unknown:
    """The model whose network `text` names, by default of the catalogue that ships.

    `text` is an id, a repository (also a former name of it, or that of a copy in another format such as FP8, NVFP4,
    AWQ or GGUF), a name elsewhere (`ollama:NAME:TAG`), or a folder or file called like one of these. Base and tuned
    versions are never mixed up; where two models fit, it is Unknown which.

    Says what a model is made of, not what one may do with it: whoever publishes a copy may add terms, which only
    `Catalogue.model` looks after.

    >>> model_of_path("Qwen/Qwen3-235B-A22B-FP8").id
    'qwen3-235b-a22b'
    >>> model_of_path("/models/Meta-Llama-3.1-70B").id
    'llama-3.1-70b'
    """
    catalogue = catalogue or load_catalogue()
    exact = catalogue.model(text)
    if exact is not None:
        return exact
    path = text.rstrip("/").removesuffix(".gguf").removesuffix("_config.json").replace("--", "/")
    owner, _, last = path.rpartition("/")
    index = _index(catalogue)
    for name in _shorter(_plain(last)):
        found = index.get(name, ())
        mine = [model for model in found if _owner(model) == owner.rpartition("/")[2].lower()] or list(found)
        if len(mine) == 1:
            return mine[0]
        if mine:
            return Unknown(f"{text!r} may be any of {', '.join(model.id for model in mine)}")
    return Unknown(f"no model of the catalogue is called {text!r}")


@lru_cache(maxsize=4)
def _index(catalogue: Catalogue) -> Mapping[str, tuple[Model, ...]]:
    """Models by the plain names of their repositories and ids; an id only where no repository is called so."""
    found: defaultdict[str, dict[str, Model]] = defaultdict(dict)
    for model in catalogue.models.values():
        for name in _shorter(_plain(model.repository.rpartition("/")[2])):
            found[name][model.id] = model
    for model in catalogue.models.values():
        name = _plain(model.id)
        if name not in found:
            found[name][model.id] = model
    for model in catalogue.models.values():
        for edition in model.editions:
            name = _plain(edition.repository.rpartition("/")[2])
            if not any(short in found for short in _shorter(name)):
                found[name][model.id] = model
    return {name: tuple(models.values()) for name, models in found.items()}


def _shorter(name: str) -> list[str]:
    """The name, and what is left of it as its formats are taken off the end one by one."""
    names = [name] if name else []
    while names and (cut := _FORMAT.sub("", names[-1])) != names[-1]:
        names.append(cut)
    return names


def _plain(name: str) -> str:
    return _MAKERS.sub("", name.lower()).replace("_", "-").replace(" ", "-")


def _owner(model: Model) -> str:
    return model.repository.partition("/")[0].lower()
