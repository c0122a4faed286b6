"""Each line of a batch answers in its place; what a line does not say, or says wrongly, never permits anything."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from steelyard.cli.licence import command

SAID = {
    "way": "self-hosted",
    "tuned": False,
    "modality": "text",
    "purpose": "internal",
    "commercial": True,
    "distribute": "none",
    "outputs_train": "none",
    "field": "customer-support",
    "role": "deployer",
    "organisation_kind": "company",
    "established_in": ["DE"],
    "users_in": ["EU"],
    "mau_product": 40_000,
    "mau_group_at_release": 40_000,
    "revenue_year_group_usd": 500_000,
    "revenue_month_group_usd": 40_000,
    "revenue_month_product_usd": 40_000,
    "at": "2026-11-24",
}


def judge(folder: Path, *lines: dict[str, Any] | str) -> list[dict[str, Any]]:
    file = folder / "batch.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    result = CliRunner().invoke(command, ["judge", "--batch", str(file), "--json"], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["schema_version"] == "1.0"
    return list(document["verdicts"])


def one(folder: Path, **said: Any) -> dict[str, Any]:
    (found,) = judge(folder, SAID | said)
    return found


def words(row: dict[str, Any]) -> str:
    return " / ".join(reason["text"] for reason in row["reasons"])


def test_a_line_that_cannot_be_read_answers_unknown_in_its_place(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        SAID | {"licence": "mit"},
        "{broken",
        "[1, 2]",
        SAID | {"licence": "mit", "purpose": "prodct"},
        SAID | {"licence": "mit", "commercial": "yes"},
        SAID | {"licence": "mit", "mau_product": -1},
        SAID | {"licence": "nobody-knows-it"},
        SAID | {"licence": "unknown"},
        SAID,
        SAID | {"licence": "mit"},
    )
    assert [row["verdict"] for row in found] == ["allowed", *["unknown"] * 8, "allowed"]
    assert "purpose" in words(found[3])
    assert all(row["reasons"] and row["questions"] for row in found[1:-1])


def test_every_reason_says_which_licence_section_source_and_day(tmp_path: Path) -> None:
    reason = one(tmp_path, licence="mistral-research-0.1")["reasons"][0]
    assert reason["licence"] == "mistral-research-0.1"
    assert reason["section"].startswith("§3.2")
    assert reason["as_of"] == "2026-11-24"
    assert reason["source"]


def test_absent_and_null_are_the_same(tmp_path: Path) -> None:
    for name in SAID:
        line = SAID | {"licence": "llama-3.2"}
        absent = {key: value for key, value in line.items() if key != name}
        first, second = judge(tmp_path, absent, line | {name: None})
        assert first == second


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", "allowed"),
        ("LicenseRef-mit", "allowed"),
        ("MIT AND Apache-2.0", "allowed"),
        ("MIT AND mistral-research-0.1", "forbidden"),
        ("MIT OR mistral-research-0.1", "allowed"),
        ("mistral-research-0.1 AND (MIT OR Apache-2.0)", "forbidden"),
        ("(mistral-research-0.1 or nobody-knows-it) and MIT", "unknown"),
        ("openrail++-m AND MIT", "allowed"),
        ("MIT AND", "unknown"),
        ("( )", "unknown"),
        ("MIT OR ( AND Apache-2.0", "unknown"),
        ("MIT AND NOT Apache-2.0", "unknown"),
        ("MIT MIT", "unknown"),
        ("", "unknown"),
        ("proprietary-api", "unknown"),
    ],
)
def test_expressions(tmp_path: Path, expression: str, verdict: str) -> None:
    assert one(tmp_path, licence_expression=expression)["verdict"] == verdict


def test_a_choice_of_licences_says_which_one_to_choose(tmp_path: Path) -> None:
    found = one(tmp_path, licence_expression="mistral-research-0.1 OR MIT")
    assert "you may choose the terms: MIT License rather than Mistral AI Research" in words(found)
    assert found["licence"] == "mit"


def test_an_exception_nobody_has_read_loosens_nothing_for_copies_that_are_handed_on(tmp_path: Path) -> None:
    kept, given = (
        one(tmp_path, licence_expression="Apache-2.0 WITH LLVM-exception", distribute=distribute)
        for distribute in ("none", "weights")
    )
    assert (kept["verdict"], given["verdict"]) == ("allowed", "unknown")


def test_lineage_binds_and_a_permissive_tag_over_a_stricter_base_is_pointed_out(tmp_path: Path) -> None:
    alone = one(tmp_path, licence="mit", purpose="product")
    derived = one(tmp_path, licence="mit", purpose="product", lineage=["llama-3.1"])
    assert (alone["verdict"], derived["verdict"]) == ("allowed", "conditional")
    assert {reason["licence"] for reason in derived["reasons"]} == {"mit", "llama-3.1"}
    assert "hides a base" in words(derived)
    assert "hides a base" not in words(one(tmp_path, licence="mit", lineage=["apache-2.0"]))
    assert "hides a base" not in words(one(tmp_path, licence="gemma-2025-03-24", lineage=["llama-3.1"]))


def test_a_model_is_judged_by_its_own_terms_and_its_bases(tmp_path: Path) -> None:
    found = one(tmp_path, model="deepseek-r1-distill-llama-8b", purpose="product")
    assert found["licence"] == "mit AND llama-3.1"
    assert "hides a base" in words(found)
    assert one(tmp_path, model="no-such-model")["verdict"] == "unknown"


def test_a_revision_that_was_published_later_did_not_exist(tmp_path: Path) -> None:
    early = one(tmp_path, licence="gemma-2025-03-24", at="2024-06-01")
    assert (early["verdict"], early["reasons"][0]["text"]) == (
        "unknown",
        "this revision is dated 2025-03-24: on 2024-06-01 it did not exist",
    )
    assert one(tmp_path, licence="gemma-terms", at="2024-06-01")["revision"] == "2024-04-01"
    assert one(tmp_path, licence="gemma-terms", revision="2024-02-21")["revision"] == "2024-02-21"


def test_a_signed_agreement_opens_what_needs_one(tmp_path: Path) -> None:
    for terms in ("mistral-research-0.1", "proprietary-api"):
        found = one(tmp_path, licence=terms, already=["commercial-agreement"])
        assert found["verdict"] == "conditional"
        assert found["questions"]


def test_whether_a_duty_is_done_is_asked_where_nothing_was_said_of_it(tmp_path: Path) -> None:
    for already, asked in ((None, True), ([], False), (["registered"], False)):
        found = one(tmp_path, licence="glm-4", already=already)
        assert ("Is this done already: registered? (use.already)" in found["questions"]) == asked


def test_the_union_stands_for_its_members_and_a_place_nobody_knows_for_none(tmp_path: Path) -> None:
    found = [
        one(tmp_path, licence="llama-3.2", modality="vision", established_in=places)["verdict"]
        for places in (["EU"], ["US", "DE"], ["us"], ["Atlantis"], [])
    ]
    assert found == ["forbidden", "forbidden", "allowed", "conditional", "conditional"]


def test_what_cannot_change_the_verdict_is_not_asked(tmp_path: Path) -> None:
    (bare,) = judge(tmp_path, {"licence": "mit"})
    assert (bare["verdict"], bare["questions"]) == ("allowed", [])
    (forbidden,) = judge(tmp_path, {"licence": "mistral-research-0.1", "purpose": "product", "commercial": True})
    assert (forbidden["verdict"], forbidden["questions"]) == ("forbidden", [])


def test_a_fact_not_said_decides_nothing_if_every_answer_forbids(tmp_path: Path) -> None:
    """A company may not even research under these terms, whether commercially or not."""
    found = one(tmp_path, licence="mistral-research-0.1", purpose="research", commercial=None)
    assert (found["verdict"], found["questions"]) == ("forbidden", [])


def test_five_thousand_uses_take_less_than_a_second(tmp_path: Path) -> None:
    from datetime import date

    from steelyard.catalogue.load import load_catalogue
    from steelyard.licences.batch import Line, judge_line
    from steelyard.licences.load import load_licences

    catalogue, licences = load_catalogue(), load_licences()
    uses = [Line.model_validate(SAID | {"licence": id, "mau_product": None}) for id in licences.by_id]
    for use in uses:
        judge_line(use, date(2026, 11, 24), catalogue, licences)
    started = time.process_time()
    for number in range(1_000):
        judge_line(uses[number % len(uses)], date(2026, 11, 24), catalogue, licences)
    assert (time.process_time() - started) * 5 < 1


@pytest.mark.parametrize("name", ["openai:gpt-4o", "gemini-2.5-pro", "hf:openai/gpt-oss-20b"])
def test_a_model_may_be_written_as_a_candidate_and_may_be_one_of_the_snapshot(tmp_path: Path, name: str) -> None:
    (answer,) = judge(tmp_path, {"model": name, "purpose": "product", "way": "api"})
    assert "no model of the catalogue" not in answer["reasons"][0]["text"]
    (stranger,) = judge(tmp_path, {"model": f"{name}-that-nobody-knows", "purpose": "product"})
    assert stranger["verdict"] == "unknown"


def test_an_open_model_through_an_api_has_a_host_whose_contract_nobody_read(tmp_path: Path) -> None:
    said = SAID | {"model": "gpt-oss-20b"}
    api, own, contract, terms = judge(
        tmp_path,
        said | {"way": "api"},
        said,
        said | {"way": "api", "already": ["commercial-agreement"]},
        SAID | {"licence": "apache-2.0", "way": "api"},
    )
    assert [row["verdict"] for row in (api, own, contract, terms)] == ["unknown", "allowed", "conditional", "allowed"]
    assert "the terms of whoever serves it" in api["not_read"]


@pytest.mark.parametrize("model", ["gpt-5-mini", "claude-2.1", "palantir-foundry-aip"])
def test_a_model_is_judged_with_the_same_host_in_a_batch_and_alone(tmp_path: Path, model: str) -> None:
    options = ["--purpose", "internal", "--kind", "company", "--domicile", "DE", "--field", "customer-support"]
    alone = CliRunner().invoke(command, ["judge", model, *options, "--json"], catch_exceptions=False)
    listed = one(tmp_path, model=model, way="api")
    (verdict,) = json.loads(alone.stdout)["verdicts"]
    assert listed["verdict"] == verdict["verdict"]
    assert set(listed["licence"].split(" AND ")) == set(verdict["licence_id"].split(" AND "))


def test_a_candidate_of_a_seller_is_judged_with_the_seller(tmp_path: Path) -> None:
    found = one(tmp_path, model="compatible:gpt-oss-20b", way="api")
    assert found["verdict"] == "unknown"


def test_a_base_that_a_tag_hides_is_cited_with_its_clause(tmp_path: Path) -> None:
    found = one(tmp_path, licence="mit", lineage=["mistral-research-0.1"])
    hidden = next(reason for reason in found["reasons"] if "hides a base" in reason["text"])
    assert hidden["section"].startswith("§3.2")
    assert hidden["licence"] == "mistral-research-0.1"
