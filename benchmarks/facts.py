"""How much of what sizing and licences need is known of sixty much used open models.

    python benchmarks/facts.py            # one line a fact, and the models that lack most
    python benchmarks/facts.py --missing  # each fact that is missing, with the reason

The models and the source of their ranking: benchmarks/most_used.toml. A fact counts when it has a value, a source and
a date; what its reason says is unknown does not. Exit code 1 below 90 %.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from steelyard.catalogue.architecture import Architecture, Experts
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Model
from steelyard.quantities import Sourced, Unknown

HERE = Path(__file__).parent
LEAST = 0.90
PLAIN = ("parameters", "parameters_active", "context_tokens", "released", "lineage", "tokenizer")
NUMBERS = ("layers", "hidden_size", "heads", "kv_heads", "head_size", "vocabulary", "mixers")


def facts(model: Model) -> Iterator[tuple[str, str]]:
    """Each fact that is needed of a model, and why it is not known ("" where it is)."""
    for name in PLAIN:
        yield name, _why(getattr(model, name))
    yield "licence id and revision", _why(model.licence)
    yield "repository", "" if model.repository else "not read"
    yield "modalities", "" if model.modalities else "not read"
    if isinstance(model.architecture, Unknown):
        yield from ((f"architecture: {name}", model.architecture.reason) for name in (*NUMBERS, "feed_forward"))
    else:
        yield from _numbers(model.architecture.value)


def _numbers(network: Architecture) -> Iterator[tuple[str, str]]:
    for name in NUMBERS:
        yield f"architecture: {name}", _why(getattr(network, name))
    if network.shape == "decoder":
        yield "architecture: tied_embeddings", _why(network.tied_embeddings)
    inner = network.experts.size if isinstance(network.experts, Experts) else network.feed_forward
    yield "architecture: feed_forward", _why(inner)


def _why(fact: object) -> str:
    if isinstance(fact, Unknown):
        return fact.reason
    if isinstance(fact, Sourced):
        assert fact.source and fact.as_of
    return ""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--missing", action="store_true", help="name each fact that is missing")
    missing_too = asked.parse_args().missing
    rows = tomllib.loads((HERE / "most_used.toml").read_text("utf-8"))["models"]
    catalogue = load_catalogue()
    needed: Counter[str] = Counter()
    present: Counter[str] = Counter()
    lacking: Counter[str] = Counter()
    for row in rows:
        model = catalogue.model(row["repository"])
        if model is None:
            sys.exit(f"{row['repository']} is not in the catalogue")
        for name, why in facts(model):
            needed[name] += 1
            present[name] += not why
            lacking[model.id] += bool(why)
            if why and missing_too:
                print(f"{model.id}: {name}: {why}")
    for name in needed:
        print(f"{name:32} {present[name]:3} of {needed[name]}")
    share = present.total() / needed.total()
    worst = ", ".join(f"{name} lacks {count}" for name, count in lacking.most_common(5) if count)
    print(
        f"{len(rows)} models, {present.total()} of {needed.total()} facts: {share:.1%}"
        + (f"; {worst}" if worst else "")
    )
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
