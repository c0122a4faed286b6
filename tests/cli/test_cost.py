"""`steelyard cost`: before a run from estimates, after one from what was measured; every figure opens."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import TypeAdapter
from tests.decision.samples import sample_decision

from steelyard.cli.cost import TERMS, command
from steelyard.cli.cost_tables import explained, known_lines
from steelyard.cli.run import command as run
from steelyard.costs.outlook import CostOutlook
from steelyard.costs.placement import TENURES
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


def test_before_a_run_apis_are_priced_and_own_machines_estimated_and_said_to_be(study: Path) -> None:
    result = cost(study)
    assert "openai:gpt-5-mini" in result.stdout
    assert "What the sticker price of openai:gpt-5-mini leaves out" in result.stdout
    assert "What the sticker price of linear leaves out" in result.stdout
    assert "not measured; 850 a second" in cost(study, "--explain", "machines for the load").stdout


def test_a_total_opens_into_its_lines(study: Path) -> None:
    rows = list(csv.reader(StringIO(cost(study, "--explain", "in full", "--csv").stdout)))[1:]
    usd = [float(row[2].replace(",", "")) for row in rows[: next(i for i, row in enumerate(rows) if i and row[0])]]
    assert sum(usd[1:]) == pytest.approx(usd[0], abs=0.2)
    assert "output tokens" in {row[1] for row in rows}


def test_every_line_and_total_opens(study: Path) -> None:
    costs = TypeAdapter(CostOutlook).validate_json(cost(study, "--json").stdout)
    for name in known_lines(costs):
        rows = explained(costs, name).rows
        assert rows[0][1] == "="
        assert any(row[0] == "" and row[1] for row in rows)


def test_a_candidate_that_a_gate_bars_is_paired_with_nobody(study: Path) -> None:
    assert "openai:gpt-5-mini" in cost(study, "--hybrid").stdout
    open_, strict = "class: public, may_send_to: any", "class: restricted, may_send_to: own"
    (study / "study.yaml").write_text((study / "study.yaml").read_text().replace(open_, strict))
    assert "openai:gpt-5-mini" not in cost(study, "--hybrid").stdout
    assert "not priced: openai:gpt-5-mini: ruled out (privacy)" in cost(study).stderr


def test_json_holds_everything_with_a_version_and_lines_that_add_up(study: Path) -> None:
    document = json.loads(cost(study, "--json").stdout)
    assert document["schema_version"] == "1.1"
    for plan in document["plans"]:
        assert sum(line["month_usd"] for line in plan["lines"]) == pytest.approx(plan["month_usd"])
    assert len(document["scenarios"]) == 8
    assert document["tornado"]
    assert document["over_volume"]


@pytest.mark.parametrize("view", ["--break-even", "--scenarios", "--tornado", "--hybrid", "--rent-or-buy"])
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


def test_where_no_machine_has_a_price_it_says_which_have_and_what_to_do(study: Path) -> None:
    three = 'linear, "openai:gpt-5-mini", "gemini:gemini-2.5-flash"'
    text = (study / "study.yaml").read_text().replace(three, "smollm2-135m-instruct")
    (study / "study.yaml").write_text(text + "hosting: {term: 3-year, on: cpu-2}\n")
    with pytest.raises(InputError, match="cpu-2 on-demand") as raised:
        cost(study)
    assert "another `hosting` term" in str(raised.value)


def test_other_machines_may_be_asked_for_on_the_command_line(study: Path) -> None:
    text = (study / "study.yaml").read_text().replace("linear,", "smollm2-135m-instruct,")
    (study / "study.yaml").write_text(text)
    assert "cost of capital" in cost(study, "--on", "h100", "--term", "owned").stdout
    assert "cost of capital" not in cost(study).stdout
    with pytest.raises(InputError, match="abacus"):
        cost(study, "--on", "abacus")
    assert TERMS == TENURES


def test_a_machine_that_nobody_knows_is_told_before_anything_is_spent(study: Path) -> None:
    (study / "study.yaml").write_text((study / "study.yaml").read_text() + "hosting: {on: abacus}\n")
    with pytest.raises(InputError, match="abacus"):
        cost(study)


def test_an_older_decision_is_still_read_and_says_that_it_has_no_costs() -> None:
    document = json.loads(to_json(sample_decision()))
    del document["costs"]
    assert isinstance(from_json(json.dumps(document).encode()).costs, Unknown)


def test_a_decision_keeps_its_costs_to_the_last_figure(study: Path) -> None:
    from dataclasses import replace

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
    document = json.loads((study / ".steelyard" / "decision.json").read_text())
    full = document["costs"]["plans"][0]["month_usd"]
    assert f"in full, with people and all that no price list shows, it is ${full:,.0f} a month" in document["verdict"]
    assert len(json.dumps(document["costs"])) < 80_000  # inputs stand there once, not with every line
    with (study / "study.yaml").open("a") as file:
        file.write("# a remark\n")
    assert "has changed" in cost(study).stderr
