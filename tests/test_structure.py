"""The rules of the house, held by machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "steelyard"
FILES = sorted(SOURCE.rglob("*.py"))
ATTIC = {"models", "types", "utils", "util", "helpers", "helper", "common", "misc", "core"}
HEAVY = ("numpy", "scipy", "aiohttp", "torch", "sklearn", "pydantic", "rich", "starlette")


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_has_at_most_60_lines(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 60
    ]
    assert not long


def test_no_room_is_an_attic() -> None:
    """`cli/models` is a verb (`steelyard models`), not a room."""
    rooms = [path for path in FILES if SOURCE / "cli" not in path.parents]
    assert not [path for path in rooms if path.stem in ATTIC or path.parent.name in ATTIC]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_public_class_and_public_function_says_what_it_is(path: Path) -> None:
    """Methods of a Protocol and dunder methods are described by their class."""
    tree = ast.parse(path.read_text())
    silent = [] if ast.get_docstring(tree) else ["module"]
    for node in tree.body:
        public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if public and not node.name.startswith("_") and not ast.get_docstring(node):
            silent.append(node.name)
    assert not silent


def slugs() -> set[str]:
    found: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            found |= {
                word.value.value
                for word in node.keywords
                if word.arg == "slug" and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
            }
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            if called == "Problem" and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def test_every_message_has_a_heading_in_the_docs_and_every_heading_a_message() -> None:
    headings = set(re.findall(r"^## (\S+)$", (ROOT / "docs" / "messages.md").read_text(), re.MULTILINE))
    assert slugs() == headings


@pytest.mark.parametrize("arguments", [["-c", "import steelyard"], ["-m", "steelyard", "--help"]], ids=" ".join)
def test_importing_and_help_load_nothing_heavy(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "steelyard" in loaded
    assert not loaded & set(HEAVY)


def test_public_names_exist() -> None:
    import importlib

    for path in FILES:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if "__all__" not in path.read_text() or name.endswith("__main__"):
            continue
        module = importlib.import_module(name)
        assert [word for word in module.__all__ if not hasattr(module, word)] == []


def test_the_locks_name_no_index_and_no_torch() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-demo.lock"):
        text = lock.read_text()
        assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|torch\b)", text, re.MULTILINE)
        assert "--hash=sha256:" in text


def test_the_base_install_has_at_most_40_packages() -> None:
    """Walks the installed requirements of steelyard without extras."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    seen: set[str] = set()
    todo = ["steelyard"]
    while todo:
        for text in requires(todo.pop()) or []:
            needed = Requirement(text)
            if needed.marker and not needed.marker.evaluate({"extra": ""}):
                continue
            if needed.name.lower() not in seen:
                seen.add(needed.name.lower())
                todo.append(needed.name)
    assert 5 < len(seen) <= 40
