"""How many tokens texts take in the vocabulary of a GGUF file, without its weights: counted in a process of its own.

`python -m steelyard.providers.token_counts FILE` reads a JSON list of texts from stdin and prints the sum.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from steelyard.providers.keys import without_keys
from steelyard.quantities import Unknown

SECONDS = 20.0


def count_tokens(weights: Path, texts: Sequence[str]) -> int | Unknown:
    """The sum over all texts; Unknown where llama.cpp is not installed or cannot read the file. No key goes along."""
    command = [sys.executable, "-m", "steelyard.providers.token_counts", str(weights)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(list(texts)).encode(),
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env=without_keys(os.environ),
        )
        return int(done.stdout)
    except (ValueError, OSError, subprocess.TimeoutExpired):
        return Unknown(f"the vocabulary of {weights.name} could not be read")


def _main() -> None:
    from steelyard.providers.llama_engine import Load, Model

    model = Model(Load(sys.argv[1], vocabulary_only=True))
    counted = sum(len(model.tokenise(text, leading=False)) for text in json.load(sys.stdin))
    sys.stdout.write(f"{counted}\n")


if __name__ == "__main__":
    _main()
