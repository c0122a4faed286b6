"""`steelyard cost`: before a run from estimates, after one from what was measured; every figure opens."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.decision.samples import sample_decision

from steelyard.cli.cost import command
from steelyard.cli.run import command as run
from steelyard.costs.outlook import CostOutlook
from steelyard.decision.store import from_json, to_json
from steelyard.errors import InputError
from steelyard.quantities import Unknown

STUDY = """name: s
question: Which?
data: {file: d.jsonl, input: message, target: intent, test: 50%}
task: {kind: classification, prompt: "Message: {message}\\nIntent:"}
use: {purpose: internal, commercial: true}
privacy: {class: public, may_send_to: any}
allow_ways: [self-hosted, api]
WORKLOAD
candidates: [linear, "openai:gpt-5-mini", "gemini:gemini-2.5-flash"]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rows = [{"message": f"message number {i} on {i % 2}", "intent": "ab"[i % 2]} for i in range(40)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    workload = "workload: {requests_per_day: 20_000, growth_per_month: 6%, horizon_months: 24}"
    (tmp_path / "study.yaml").write_text(STUDY.replace("WORKLOAD", workload))
    return tmp_path


def cost(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


def test_before_a_run_apis_are_priced_and_machines_named_with_their_reason(study: Path) -> None:
    result = cost(study)
    assert "openai:gpt-5-mini" in result.stdout
    assert "What the sticker price of openai:gpt-5-mini leaves out" in result.stdout
    assert "linear: the machines needed are unknown: it was not measured" in result.stderr


def test_json_holds_everything_with_a_version_and_lines_that_add_up(study: Path) -> None:
    document = json.loads(cost(study, "--json").stdout)
    assert document["schema_version"] == "1.0"
    for plan in document["plans"]:
        assert sum(line["month_usd"] for line in plan["lines"]) == pytest.approx(plan["month_usd"])
    assert len(document["scenarios"]) == 8
    assert document["tornado"]
    assert document["over_volume"]


@pytest.mark.parametrize("view", ["--break-even", "--scenarios", "--tornado", "--hybrid"])
def test_every_view_is_a_table_and_the_same_as_csv(study: Path, view: str) -> None:
    assert cost(study, view).exit_code == 0
    head, *rows = csv.reader(StringIO(cost(study, view, "--csv").stdout))
    assert all(len(row) == len(head) for row in rows)


def test_a_line_opens_into_formula_inputs_sources_and_dates(study: Path) -> None:
    told = cost(study, "--explain", "Output tokens").stdout
    assert "requests x output_tokens x tokenizer_ratio x output_rate / 1e6 x price" in told
    assert "output_rate" in told
    assert "estimated from the text" in told


def test_an_unknown_line_names_the_nearest(study: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'output tokens'"):
        cost(study, "--explain", "output token")


def test_without_a_workload_it_says_what_to_add(study: Path) -> None:
    (study / "study.yaml").write_text(STUDY.replace("WORKLOAD\n", ""))
    with pytest.raises(InputError, match="requests_per_day: 20_000"):
        cost(study)


def test_with_machines_only_and_no_run_it_says_what_to_do(study: Path) -> None:
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text.replace(', "openai:gpt-5-mini", "gemini:gemini-2.5-flash"', ""))
    with pytest.raises(InputError, match="so that rates are measured"):
        cost(study)


def test_an_older_decision_is_still_read_and_says_that_it_has_no_costs() -> None:
    document = json.loads(to_json(sample_decision()))
    del document["costs"]
    assert isinstance(from_json(json.dumps(document).encode()).costs, Unknown)


def test_a_decision_keeps_its_costs_to_the_last_figure(study: Path) -> None:
    from dataclasses import replace

    from pydantic import TypeAdapter

    costs = TypeAdapter(CostOutlook).validate_json(cost(study, "--json").stdout)
    decision = replace(sample_decision(), costs=costs)
    assert from_json(to_json(decision)) == decision


def test_after_a_run_its_measurements_count_and_a_changed_study_is_told_of(study: Path) -> None:
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text.replace("[self-hosted, api]", "[self-hosted]"))
    ran = CliRunner().invoke(run, [str(study), "--yes"], catch_exceptions=False)
    assert (study / ".steelyard" / "decision.json").exists(), ran.output
    first = cost(study)
    assert "linear" in first.stdout
    assert "gemini" not in first.stdout  # a gate rules it out
    assert "has changed" not in first.stderr
    assert "measured in a run" in cost(study, "--explain", "machines for the load").stdout
    assert "Costs in full" in (study / ".steelyard" / "report.html").read_text()
    with (study / "study.yaml").open("a") as file:
        file.write("# a remark\n")
    assert "has changed" in cost(study).stderr
