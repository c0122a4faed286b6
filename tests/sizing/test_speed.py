"""The speed of a model nobody measured: what it must follow, what it must refuse, and how it is told in bulk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.paths import model_of_path
from steelyard.cli.size.batch import batch_command
from steelyard.cli.size.rows import read_load
from steelyard.errors import InputError
from steelyard.quantities import Sourced, Unknown
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.layout import Arithmetic, Parallel, Precision
from steelyard.sizing.speed import Speed, speed, speeds, step_time
from steelyard.sizing.terms import Load
from steelyard.stats import Estimate, Interval

ROOT = Path(__file__).parents[2]
HEAD = (
    "id,model_path,system,precision,backend,isl,osl,batch_size,tp_size,attention_dp_size,moe_tp_size,moe_ep_size,gpus"
)
LLAMA = "meta-llama/Llama-3.1-70B"


def of(**changes: object) -> Load:
    model = model_of_path(LLAMA)
    assert not isinstance(model, Unknown)
    usual = Load(model, accelerator("h200"), "fp8", "vllm", 1024, 1024, 16, Parallel(tp=4))
    return replace(usual, **changes)  # type: ignore[arg-type]


def figures(load: Load) -> Speed:
    found = speeds([load])[0]
    assert isinstance(found, Speed)
    return found


def batch(tmp_path: Path, *lines: str, json_too: bool = True) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    done = CliRunner().invoke(batch_command, [str(path), *(["--json"] if json_too else [])], catch_exceptions=False)
    return done.output


def test_a_small_batch_is_bound_by_reading_the_weights_once_a_token() -> None:
    tpot = figures(of(batch=1)).tpot.value
    reading = 70e9 / 4 / 4.8e12
    assert reading < tpot < 3 * reading


@pytest.mark.parametrize(
    "slower",
    [{"batch": 128}, {"osl": 1024, "isl": 8192}, {"accelerator": accelerator("h100")}, {"precision": "bf16"}],
)
def test_more_clients_longer_prompts_a_narrower_memory_and_wider_weights_take_longer(slower: dict[str, object]) -> None:
    assert figures(of(**slower)).tpot.value > figures(of()).tpot.value


def test_more_accelerators_answer_faster_and_give_less_each() -> None:
    few, many = figures(of(parallel=Parallel(tp=2))), figures(of(parallel=Parallel(tp=8)))
    assert many.tpot.value < few.tpot.value
    assert many.output_tokens_per_second_per_gpu.value < few.output_tokens_per_second_per_gpu.value


def test_clients_that_do_not_fit_into_the_cache_wait_for_the_first_token() -> None:
    alone = of(parallel=Parallel(tp=1), isl=1024, osl=8192)
    assert figures(replace(alone, batch=128)).ttft.value > 60 > 5 > figures(replace(alone, batch=8)).ttft.value


def test_throughput_is_what_the_two_times_say() -> None:
    one = figures(of())
    assert one.output_tokens_per_second_per_gpu.value == pytest.approx(
        16 * 1024 / (one.ttft.value + 1023 * one.tpot.value) / 4
    )


def test_outside_the_data_of_the_fit_the_interval_is_wider_and_says_so() -> None:
    def wide(found: Speed) -> float:
        assert not isinstance(found.tpot.interval, Unknown)
        return found.tpot.interval.high / found.tpot.interval.low

    known, other = figures(of()), figures(of(precision="bf16", accelerator=accelerator("l40s"), backend="other"))
    assert wide(known) <= 4 and not known.notes
    assert wide(other) > wide(known) and len(other.notes) == 3


def test_one_run_written_down_in_two_ways_gets_one_answer() -> None:
    usual = {"id": "a", "model_path": "deepseek-ai/DeepSeek-R1", "system": "h200_sxm", "precision": "fp8"}
    usual |= {"backend": "trtllm", "isl": "1024", "osl": "1024", "tp_size": "1"}
    plain = {"batch_size": "16", "attention_dp_size": "8", "moe_tp_size": "1", "moe_ep_size": "8", "gpus": "8"}
    twice = {"batch_size": "2", "attention_dp_size": "64", "moe_tp_size": "8", "moe_ep_size": "8", "gpus": "64"}
    loads = [read_load(usual | ways) for ways in (plain, twice)]
    assert all(isinstance(load, Load) for load in loads)
    one, other = (figures(load) for load in loads if isinstance(load, Load))
    assert one.tpot.value == pytest.approx(other.tpot.value)
    assert one.ttft.value == pytest.approx(other.ttft.value)


def test_an_encoder_and_a_machine_without_bandwidth_are_unknown() -> None:
    encoder = model_of_path("BAAI/bge-small-en-v1.5")
    assert not isinstance(encoder, Unknown)
    assert isinstance(speed(encoder, accelerator("h100")), Unknown)
    blind = replace(accelerator("h100"), bandwidth=Unknown("never read"))
    answer = speeds([of(accelerator=blind)])[0]
    assert isinstance(answer, Unknown) and "never read" in answer.reason


def test_a_step_takes_longer_with_prompts_sequences_and_cache() -> None:
    model = model_of_path(LLAMA)
    assert not isinstance(model, Unknown)
    step = step_time(model, accelerator("h200"), "fp8", "vllm", Parallel(tp=4))
    assert not isinstance(step, Unknown)
    assert 0 < step(0, 1, 1000) < step(0, 64, 64_000) < step(0, 64, 640_000) < step(8192, 64, 640_000)
    assert step(4096, 0, 0) < step(8192, 0, 0)
    assert hash(step) == hash(step)


def test_rows_come_back_in_order_and_an_unknown_model_or_system_is_no_error(tmp_path: Path) -> None:
    told = json.loads(
        batch(
            tmp_path,
            f"b,{LLAMA},h200_sxm,fp8,vllm,1024,1024,16,4,1,1,1,4",
            "a,nobody/Nothing-7B,h200_sxm,fp8,vllm,1024,1024,16,1,1,1,1,1",
            f"c,{LLAMA},abacus,fp8,vllm,1024,1024,16,1,,,,",
        )
    )
    assert told["schema_version"] == "1.0"
    assert [row["id"] for row in told["rows"]] == ["b", "a", "c"]
    first, *others = told["rows"]
    assert first["tpot_ms_low"] < first["tpot_ms"] < first["tpot_ms_high"]
    assert first["ttft_ms_low"] < first["ttft_ms"] < first["ttft_ms_high"]
    assert first["out_tok_s_per_gpu_low"] < first["out_tok_s_per_gpu"] < first["out_tok_s_per_gpu_high"]
    assert all(row["tpot_ms"] is None and row["unknown"] for row in others)


def test_without_json_the_same_stands_as_csv(tmp_path: Path) -> None:
    lines = batch(tmp_path, f"b,{LLAMA},h200_sxm,fp8,vllm,1024,1024,16,4,1,1,1,4", json_too=False).splitlines()
    assert lines[0].startswith("id,ttft_ms,ttft_ms_low,ttft_ms_high,tpot_ms") and lines[1].startswith("b,")


@pytest.mark.parametrize("cell", ["many", "-4", "nan", "1.5"])
def test_a_cell_that_is_no_number_is_told_with_its_line(tmp_path: Path, cell: str) -> None:
    with pytest.raises(InputError, match=r"rows\.csv, line 3"):
        batch(
            tmp_path,
            f"a,{LLAMA},h200_sxm,fp8,vllm,1024,1024,16,4,1,1,1,4",
            f"b,{LLAMA},h200_sxm,fp8,vllm,{cell},1024,16,4,1,1,1,4",
        )


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,model_path\n")
    with pytest.raises(InputError, match="columns are missing: system"):
        CliRunner().invoke(batch_command, [str(path)], catch_exceptions=False)


@pytest.mark.skipif("STEELYARD_SILICON" not in os.environ, reason="names the measured rows, which are not shipped")
def test_on_models_that_the_fit_had_not_seen_the_bar_holds() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "throughput.py"), "--data", os.environ["STEELYARD_SILICON"]],
        capture_output=True,
        text=True,
        check=True,
    )
    pooled = next(line.split() for line in done.stdout.splitlines() if line.startswith("all"))
    median, p90, covered, width, first = (float(word.rstrip("%")) for word in pooled[2:])
    assert median <= 15 and p90 <= 40 and covered >= 87 and width <= 4 and first >= 80


def processor(bandwidth: float, **flops: float) -> Accelerator:
    known = {name: Sourced(value, "a test", "2026") for name, value in flops.items()}
    one = replace(accelerator("laptop"), bandwidth=Sourced(bandwidth, "a test", "2026"))
    return replace(one, flops=cast(Mapping[Arithmetic, Sourced[float]], known))


def on_processor(name: str, machine: Accelerator, precision: Precision, batch: int = 1) -> Load:
    return Load(load_catalogue().models[name], machine, precision, "llama.cpp", 20, 160, batch)


@pytest.mark.parametrize(("name", "rate"), [("smollm2-135m-instruct", 95), ("smollm2-135m-instruct", 126)])
def test_a_processor_writes_at_the_share_of_its_bandwidth_that_was_measured(name: str, rate: float) -> None:
    """llama.cpp on one and two threads of 31.7 GB/s and 102 GFLOP/s (float32), Q8_0: tokens a second (docs/log.md)."""
    found = figures(on_processor(name, processor(31.7e9, fp32=102e9), "q8_0"))
    assert isinstance(found.tpot.interval, Interval)
    assert found.tpot.interval.low < 1 / rate < found.tpot.interval.high
    assert 0.7 < found.tpot.value * rate < 1.4
    assert found.tpot.interval.high < 8 * found.tpot.interval.low


def test_without_arithmetic_a_token_waits_for_memory_and_a_prompt_is_unknown() -> None:
    found = figures(on_processor("qwen3-8b", processor(1e11), "q4_k_m"))
    assert isinstance(found.ttft, Unknown)
    assert "operations a second" in found.ttft.reason
    assert isinstance(found.output_tokens_per_second_per_gpu, Unknown)
    faster = figures(on_processor("qwen3-8b", processor(2e11), "q4_k_m"))
    assert found.tpot.value == pytest.approx(2 * faster.tpot.value)
    assert isinstance(speeds([on_processor("qwen3-8b", processor(1e11), "q4_k_m", 64)])[0], Unknown)


def test_a_row_whose_arithmetic_was_not_read_has_its_time_a_token_and_blanks(tmp_path: Path) -> None:
    row = json.loads(batch(tmp_path, "a,Qwen/Qwen3-8B,a10g,bf16,vllm,512,128,1,1,1,1,1,1"))["rows"][0]
    assert row["ttft_ms"] is None
    assert row["tpot_ms_low"] < row["tpot_ms"] < row["tpot_ms_high"]


def test_stages_of_a_pipeline_answer_side_by_side_and_none_of_them_sooner() -> None:
    whole, staged = figures(of(batch=64)), figures(of(batch=64, parallel=Parallel(tp=4, pp=2)))
    assert staged.tpot.value < whole.tpot.value, "each stage works on half of the sequences"
    assert rate(staged) < rate(whole) < 2 * rate(staged), "on twice the accelerators, more in all and less on each"
    assert figures(of(batch=1, parallel=Parallel(tp=4, pp=2))).tpot.value >= figures(of(batch=1)).tpot.value


def rate(found: Speed) -> float:
    assert isinstance(found.output_tokens_per_second_per_gpu, Estimate)
    return found.output_tokens_per_second_per_gpu.value


@pytest.mark.parametrize("name", ["deepseek-v4-flash", "deepseek-v4-pro", "mistral-large-3-675b-instruct-2512"])
def test_a_network_that_counts_far_more_active_parameters_than_published_has_no_speed(name: str) -> None:
    found = speeds([replace(of(), model=load_catalogue().models[name])])[0]
    assert isinstance(found, Unknown)
    assert "published are" in found.reason


def test_far_fewer_active_parameters_than_published_widen_the_interval() -> None:
    model = load_catalogue().models["qwen3-30b-a3b"]
    few = replace(model, parameters_active=Sourced(9_000_000_000, "a test", "2026"))
    known, doubted = (figures(replace(of(), model=one)).tpot for one in (model, few))
    assert isinstance(known.interval, Interval) and isinstance(doubted.interval, Interval)
    assert doubted.value == known.value
    assert doubted.interval.high > 1.3 * known.interval.high


@pytest.mark.parametrize(
    ("name", "precision", "rate"), [("smollm2-135m-instruct", "q8_0", 165.2), ("llama-3.1-8b-instruct", "int4", 19.14)]
)
def test_what_others_measured_on_an_edge_device_lies_in_the_interval(
    name: str, precision: Precision, rate: float
) -> None:
    """Jetson Orin Nano Super, one request at a time: smolhub.com (llama.cpp, 25 W) and NVIDIA's blog (MLC, 4 bits)."""
    found = figures(on_processor(name, accelerator("jetson_orin_nano"), precision)).tpot.interval
    assert isinstance(found, Interval)
    assert found.low < 1 / rate < found.high
