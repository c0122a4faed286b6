"""What this machine has: versions of everything that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from steelyard import __version__

PACKAGES = ("numpy", "scipy", "aiohttp", "xllamacpp", "gguf", "scikit-learn", "torch", "transformers")


def versions() -> dict[str, str]:
    """Name -> version; what is not installed is left out."""
    found = {"steelyard": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
