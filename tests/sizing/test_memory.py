"""Whether a model fits: against published sizes of files, and by what splitting does."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Model
from steelyard.cli.size import command
from steelyard.errors import InputError
from steelyard.quantities import Unknown
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.layout import Parallel, Precision
from steelyard.sizing.memory import Memory, memory, smallest_fit, weight_lines
from steelyard.sizing.tensors import Tensors, tensors_of


def model(id: str) -> Model:
    found = load_catalogue().model(id)
    assert found is not None
    return found


def weights(id: str, precision: Precision, parallel: Parallel | None = None) -> float:
    counted = tensors_of(model(id))
    assert isinstance(counted, Tensors)
    return sum(line.memory_bytes for line in weight_lines(model(id), counted, precision, parallel or Parallel())) / 1e9


def fits(id: str, on: str, precision: Precision = "bf16", context: int = 8192, batch: int = 1) -> Memory:
    found = smallest_fit(model(id), accelerator(on), precision, context=context, batch=batch)
    assert isinstance(found, Memory)
    return found


@pytest.mark.parametrize(
    ("id", "precision", "published_gb"),
    [
        ("llama-3.1-8b", "q4_k_m", 4.9),
        ("llama-3.1-70b", "q4_k_m", 43.1),
        ("llama-3.1-405b", "q4_k_m", 249.1),
        ("llama-3.1-8b", "fp32", 32.1),
        ("gpt-oss-120b", "mxfp4", 65.3),
    ],
)
def test_weights_are_as_large_as_the_published_files(id: str, precision: Precision, published_gb: float) -> None:
    """llama.cpp's table of sizes (tools/quantize/README.md); gpt-oss-120b: 60.8 GiB (docs/log.md)."""
    assert weights(id, precision) == pytest.approx(published_gb, rel=0.02)


def test_only_the_experts_of_gpt_oss_are_in_four_bits() -> None:
    assert published_precision("gpt-oss-20b") == "mxfp4"
    assert published_precision("deepseek-r1") == "fp8"
    assert published_precision("llama-3.1-8b") == "bf16"
    all_in_four = 20.9 * 0.53125
    assert weights("gpt-oss-20b", "mxfp4") > 1.2 * all_in_four


def test_it_takes_the_fewest_accelerators_that_hold_it() -> None:
    assert fits("llama-3.1-8b-instruct", "h100").parallel.gpus == 1
    assert fits("llama-3.1-70b-instruct", "h100").parallel.gpus == 2
    assert fits("llama-3.1-405b-instruct", "h100").parallel == Parallel(tp=8, pp=2)
    assert fits("deepseek-r1", "h200", "fp8").parallel.gpus == 8


def test_a_longer_context_leaves_room_for_fewer_sequences() -> None:
    short, long = fits("llama-3.1-8b-instruct", "h100"), fits("llama-3.1-8b-instruct", "h100", context=65536)
    assert short.max_batch > 7 * long.max_batch > 0


@pytest.mark.parametrize("batch", [1, 7])
def test_the_largest_batch_and_context_fit_and_one_more_does_not(batch: int) -> None:
    eight, card, one = model("llama-3.1-8b-instruct"), accelerator("l4"), Parallel()
    found = memory(eight, card, one, context=4096, batch=batch)
    assert isinstance(found, Memory) and found.fits
    for context, most, inside in (
        (4096, found.max_batch, True),
        (4096, found.max_batch + 1, False),
        (found.max_context, batch, True),
        (found.max_context + 1, batch, False),
    ):
        again = memory(eight, card, one, context=context, batch=most)
        assert isinstance(again, Memory) and again.fits is inside


def test_attention_in_parallel_copies_attention_and_spreads_experts() -> None:
    dense, spread = Parallel(tp=8), Parallel(attention_dp=8, moe_ep=8)
    whole = memory(model("deepseek-r1"), accelerator("b200"), dense, "fp8", batch=64)
    apart = memory(model("deepseek-r1"), accelerator("b200"), spread, "fp8", batch=64)
    assert isinstance(whole, Memory) and isinstance(apart, Memory)
    by_name = [{line.name: line.memory_bytes for line in one.lines} for one in (whole, apart)]
    assert by_name[0]["weights: experts"] == by_name[1]["weights: experts"]
    assert by_name[1]["weights: attention"] == pytest.approx(8 * by_name[0]["weights: attention"], rel=0.001)
    assert by_name[0]["cache"] == pytest.approx(8 * by_name[1]["cache"], rel=0.001)


def test_what_does_not_fit_says_how_much_it_would_take() -> None:
    found = smallest_fit(model("llama-3.1-70b-instruct"), accelerator("raspberry_pi_5"), "q4_k_m")
    assert isinstance(found, Unknown) and "do not go into 8.0 GB" in found.reason


def test_a_model_without_an_architecture_is_unknown_with_the_reason() -> None:
    found = smallest_fit(model("gpt-5-mini"), accelerator("h100"))
    assert isinstance(found, Unknown) and "architecture of gpt-5-mini" in found.reason


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_the_command_shows_a_line_an_accelerator_and_every_line_of_one() -> None:
    text = run("show", "llama-3.1-8b-instruct").stdout
    assert any(line.startswith("h100_sxm") and " bf16 " in line for line in text.splitlines())
    assert any(line.startswith("apple_m4 ") and "q4_k_m" in line for line in text.splitlines())
    one = run("show", "llama-3.1-8b-instruct", "--on", "h100").stdout
    assert "weights: attention: 2.68 GB" in one and "cache: 1.07 GB" in one


def test_the_command_gives_one_json_document() -> None:
    document = json.loads(run("show", "gpt-oss-20b", "--on", "h100", "--on", "pi5", "--json").stdout)
    assert [row["fits"] for row in document["on"]] == [True, False]
    assert document["tensors"]["experts"] > 19e9
    assert document["on"][0]["memory"]["lines"]


def test_the_command_says_what_it_does_not_know() -> None:
    assert "architecture of gpt-5-mini is not known" in run("show", "gpt-5-mini").stdout
    for arguments in (
        ("show", "llama-3.1-8b", "--on", "h10"),
        ("show", "nonesuch"),
        ("show", "qwen3-8b", "--precision", "x"),
    ):
        assert isinstance(run(*arguments).exception, InputError)


def fitting(id: str, gigabytes: float, bits: int | None = None) -> str:
    from datetime import UTC, datetime

    from steelyard.catalogue.selection import choice_of
    from steelyard.cli.models.fitting import fits
    from steelyard.quantities import Bytes

    choice = choice_of(model(id), (), True, datetime.now(UTC))
    return fits(Bytes(int(gigabytes * 1e9)), bits)(choice)


def test_the_filter_of_the_list_counts_weights_the_cache_of_one_sequence_and_the_runtime() -> None:
    """Llama 3.1 8B in 16 bits: 16.06 GB of weights and 1.07 GB of cache at 8,192 tokens, and a little for the rest."""
    assert (fitting("llama-3.1-8b", 17.0, 16), fitting("llama-3.1-8b", 18.0, 16)) == ("no", "yes")
    assert (fitting("llama-3.1-8b", 5.5, 4), fitting("llama-3.1-8b", 6.6, 4)) == ("no", "yes")
    assert fitting("gpt-oss-20b", 16.0) == "yes"


def test_where_the_network_was_not_read_the_filter_is_rough_or_does_not_know() -> None:
    assert fitting("gpt-5-mini", 1000.0) == "unknown"
