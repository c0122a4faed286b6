"""Files of terms are read whole or refused with all their mistakes."""

from __future__ import annotations

from datetime import date
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
    """Where nobody knows a model's terms, the catalogue says so."""
    for model in load_catalogue().models.values():
        for fact in model.terms:
            if not isinstance(fact, Unknown):
                found = load_licences().get(fact.value.id, fact.value.revision)
                assert not isinstance(found, Unknown), (model.id, found)


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


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ('domicile = ["UK"]', "'UK' is neither"),
        ('users_in = ["Europe"]', "'Europe' is neither"),
        ("monthly_active_over = 7", "go together"),
        ('commercial = true }\nquestion = "Is {fild} fine?"\nunless = { commercial = false', "only {field}"),
    ],
)
def test_a_slip_that_would_show_only_in_a_verdict_is_refused(tmp_path: Path, when: str, what: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(GOOD + f'[[clauses]]\nsection = "1"\neffect = "forbidden"\ntext = "t"\nwhen = {{ {when} }}\n')
    with pytest.raises(InputError, match=what):
        read_licences([path])


def test_one_name_cannot_mean_two_licences(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD, "utf-8")
    (tmp_path / "y.toml").write_text(GOOD.replace('id = "x"', 'id = "y"\nalso_called = ["X"]'), "utf-8")
    with pytest.raises(InputError, match="'x' is a name of x already"):
        read_licences([tmp_path / "x.toml", tmp_path / "y.toml"])


def test_licences_answer_to_every_name_and_without_a_revision_to_the_one_of_the_day() -> None:
    licences = load_licences()
    for name in ("MIT", "LicenseRef-mit", "mit"):
        found = licences.get(name)
        assert not isinstance(found, Unknown)
        assert found.id == "mit"
    by_day = [licences.get("gemma-terms", at=date.fromisoformat(day)) for day in ("2024-03-01", "2026-01-01")]
    assert [licence.revision for licence in by_day if not isinstance(licence, Unknown)] == ["2024-02-21", "2025-03-24"]


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


def test_every_clause_of_a_policy_is_found_in_one_policy() -> None:
    for revisions in load_licences().by_id.values():
        for licence in revisions:
            for document in {clause.document for clause in licence.clauses if clause.document}:
                assert licence.policy_called(document) is not None, (licence.id, document)
