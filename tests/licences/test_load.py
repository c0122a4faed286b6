"""Files of terms are read whole or refused with all their mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.errors import InputError
from steelyard.licences.load import load_licences, read_licences
from steelyard.quantities import Unknown

GOOD = """
id = "x"
name = "X"
steward = "someone"
read = "whole"
source = "a test"
as_of = "2026-11-24"
revisions = [{ id = "1" }]
"""


def test_every_licence_of_the_catalogue_is_encoded_at_its_revision() -> None:
    for model in load_catalogue().models.values():
        assert not isinstance(model.licence, Unknown)
        reference = model.licence.value
        assert not isinstance(load_licences().get(reference.id, reference.revision), Unknown), model.id


def test_every_read_licence_grants_something_and_every_clause_names_its_section() -> None:
    for licences in load_licences().by_id.values():
        for licence in licences:
            assert licence.read == "none" or any(clause.effect == "allowed" for clause in licence.clauses)
            assert all(clause.section for clause in licence.clauses)


def test_quotes_are_a_few_words() -> None:
    for licences in load_licences().by_id.values():
        for clause in licences[-1].clauses:
            assert len(clause.quote.split()) <= 12


def test_all_mistakes_of_a_file_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        GOOD + '[[clauses]]\nsection = "1"\neffect = "fine"\ntext = "t"\nwhen = { purpos = ["evaluate"] }\n', "utf-8"
    )
    with pytest.raises(InputError) as caught:
        read_licences([path])
    assert len(caught.value.problems) == 2
    assert "effect" in str(caught.value)
    assert "purpos" in str(caught.value)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("id = ", "utf-8")
    with pytest.raises(InputError, match=r"x\.toml"):
        read_licences([path])


def test_the_union_has_27_members() -> None:
    licence = load_licences().get("llama-3.2")
    assert not isinstance(licence, Unknown)
    countries = {code for clause in licence.clauses for code in clause.when.domicile}
    assert len(countries) == 27
    assert not countries & {"GB", "CH", "NO"}
