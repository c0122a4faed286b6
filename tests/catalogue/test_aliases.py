"""A name of another library stands for a record or for terms; none of them turns out permissive by accident."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import pytest

from steelyard.catalogue import LicenceRef, Model
from steelyard.catalogue.load import load_catalogue, read_catalogue
from steelyard.errors import InputError
from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge_model
from steelyard.licences.load import load_licences
from steelyard.quantities import Unknown

LIBRARY = os.environ.get("STEELYARD_OLLAMA_NAMES", "")
"""A CSV file with a column `model`: the names of the library."""

TODAY = date(2026, 11, 24)
COMMERCIAL = Facts(purpose="product", commercial=True)


def named(name: str) -> Model:
    model = load_catalogue().model(f"ollama:{name}")
    assert model is not None, name
    return model


def terms(name: str) -> set[str]:
    """The ids of all terms that bind a name: its own and those of everything it derives from."""
    catalogue, found = load_catalogue(), [named(name)]
    for model in found:
        found += [catalogue.models[base] for base in model.bases]
    return {"unknown" if isinstance(fact, Unknown) else fact.value.id for model in found for fact in model.terms}


@pytest.mark.parametrize(
    ("name", "licences"),
    [
        ("qwen2.5:7b", {"apache-2.0"}),
        ("qwen2.5:3b", {"qwen-research"}),
        ("qwen2.5:3b-instruct-q4_K_M", {"qwen-research"}),
        ("qwen2.5:72b", {"qwen-2024"}),
        ("qwen2-math:72b", {"tongyi-qianwen"}),
        ("deepseek-r1:70b", {"mit", "llama-3.3"}),
        ("deepseek-r1:32b", {"mit", "apache-2.0"}),
        ("hermes3:8b", {"llama-3.1"}),
        ("hermes3:3b", {"llama-3.2"}),
        ("llama2-chinese", {"apache-2.0", "llama-2"}),
        ("mistral-small:24b", {"apache-2.0"}),
        ("mistral-small:22b", {"mistral-research-0.1"}),
    ],
)
def test_a_tag_brings_the_terms_of_its_own_size(name: str, licences: set[str]) -> None:
    assert terms(name) == licences


def test_a_name_without_a_tag_is_bound_by_the_terms_of_all_its_tags() -> None:
    assert terms("qwen2.5") >= {"apache-2.0", "qwen-research", "qwen-2024"}
    assert terms("deepseek-r1") >= {"mit", "apache-2.0", "llama-3.1", "llama-3.3"}
    assert terms("qwen2.5:no-such-size") == terms("qwen2.5") == terms("qwen2.5:latest")


def test_a_tag_that_names_a_record_is_that_record() -> None:
    assert named("llama3.1:8b") is load_catalogue().models["llama-3.1-8b-instruct"]
    assert named("LLAMA3.1:8B") is named("llama3.1:8b")


def test_terms_are_carried_with_the_revision_they_are_encoded_under() -> None:
    licences = load_licences()
    unread = {
        reference.id
        for alias in load_catalogue().aliases.values()
        for tag in (alias.default, *alias.tags)
        for reference in tag.licences
        if isinstance(licences.get(reference.id, reference.revision, TODAY), Unknown)
    }
    assert unread == {
        "benevolentjoker-use-agreement",
        "nexusflow-personal-use",
        "nexusraven-v2",
        "opencoder",
        "poolside-acceptable-use",
        "whiterabbitneo-terms",
    }


def test_a_name_that_is_not_listed_is_nobody() -> None:
    assert load_catalogue().model("ollama:no-such-name") is None
    assert load_catalogue().model("hub:qwen2.5") is None


def test_a_name_without_a_tag_is_never_softer_than_any_of_its_tags_and_the_unread_is_never_allowed() -> None:
    strictest_first = ("forbidden", "unknown", "conditional", "allowed")
    for alias in load_catalogue().aliases.values():
        names = [alias.name, *(f"{alias.name}:{tag.match}" for tag in alias.tags)]
        found = [named(name.removeprefix("ollama:")) for name in names]
        status = [strictest_first.index(judge_model(model, COMMERCIAL, TODAY).status) for model in found]
        assert status[0] == min(status), names
        if any(isinstance(fact, Unknown) for fact in found[0].terms):
            assert strictest_first[status[0]] in ("forbidden", "unknown")


@pytest.mark.skipif(not LIBRARY, reason="STEELYARD_OLLAMA_NAMES names no file")
def test_every_name_of_the_library_resolves_and_nine_in_ten_to_terms() -> None:
    with Path(LIBRARY).open(encoding="utf-8") as file:
        names = [row["model"] for row in csv.DictReader(file)]
    assert len(names) > 300
    known = [name for name in names if terms(name) != {"unknown"}]
    assert len(known) >= 0.9 * len(names), sorted(set(names) - set(known))


HEAD = '[sources.a]\nsource = "a test"\nas_of = "2026-11-24"\n'


def test_own_names_come_with_a_plug_in(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    alias = '[[aliases]]\nname = "house:ours"\nlicences = [{ id = "mit" }, { id = "llama-2" }]\nfrom = "a"\n'
    path.write_text(HEAD + alias, "utf-8")
    model = read_catalogue([path]).model("house:ours:latest")
    assert model is not None
    assert [fact.value for fact in model.terms if not isinstance(fact, Unknown)] == [
        LicenceRef("mit", ""),
        LicenceRef("llama-2", ""),
    ]


@pytest.mark.parametrize(
    ("says", "mistake"),
    [
        ("", "exactly one of model, licences and unknown"),
        ('unknown = "why"\nlicences = [{ id = "mit" }]\n', "exactly one of model, licences and unknown"),
        ('model = "gone"\n', "stands for 'gone', which is not in the catalogue"),
    ],
)
def test_a_name_stands_for_one_thing_that_is_there(tmp_path: Path, says: str, mistake: str) -> None:
    path = tmp_path / "names.toml"
    path.write_text(f'{HEAD}[[aliases]]\nname = "house:ours"\n{says}from = "a"\n', "utf-8")
    with pytest.raises(InputError, match=mistake):
        read_catalogue([path])
