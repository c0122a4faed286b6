"""Parameters are counted from a network's numbers and agree with what was published; caches grow as they should."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from steelyard.catalogue.architecture import Architecture, LatentAttention, Layers, Recurrent
from steelyard.catalogue.load import load_catalogue
from steelyard.quantities import Sourced, Unknown
from steelyard.sizing.cache import cache_bytes, flops
from steelyard.sizing.tensors import Tensors, active_ratio, tensors, tensors_of

PLAIN = Architecture("decoder", 32, 4096, 32, 8, 128, 14336, 128256, False, (Layers("full", 32),))


def of(model_id: str) -> Tensors:
    model = load_catalogue().model(model_id)
    assert model is not None
    counted = tensors_of(model)
    assert not isinstance(counted, Unknown)
    return counted


def network(model_id: str) -> Architecture:
    model = load_catalogue().model(model_id)
    assert model is not None and isinstance(model.architecture, Sourced)
    return model.architecture.value


def test_the_catalogue_s_models_have_as_many_parameters_as_was_published() -> None:
    """Nine of ten models that read text only agree within 2 %; the median is off by less than 0.02 %."""
    errors = []
    for model in load_catalogue().models.values():
        counted = tensors_of(model)
        if isinstance(counted, Tensors) and isinstance(counted.error, float) and model.modalities == ("text",):
            errors.append(abs(counted.error))
    assert len(errors) > 300
    assert median(errors) < 0.0002
    assert sum(error <= 0.01 for error in errors) >= 0.8 * len(errors)
    assert sum(error <= 0.025 for error in errors) >= 0.9 * len(errors)


@pytest.mark.parametrize(
    ("model", "billions"),
    [("llama-3.1-8b", 8.030), ("llama-3.1-405b", 405.9), ("mixtral-8x7b-instruct-v0.1", 46.70), ("qwen3-8b", 8.191)],
)
def test_totals_are_those_of_the_published_tensors(model: str, billions: float) -> None:
    assert of(model).total / 1e9 == pytest.approx(billions, rel=0.001)


@pytest.mark.parametrize(
    ("model", "billions"), [("mixtral-8x7b-instruct-v0.1", 12.9), ("deepseek-r1", 37.0), ("qwen3-235b-a22b", 22.0)]
)
def test_active_parameters_are_those_their_makers_state(model: str, billions: float) -> None:
    assert of(model).active / 1e9 == pytest.approx(billions, rel=0.02)


def test_grouped_queries_make_the_cache_eight_times_smaller() -> None:
    """Llama 3.1 70B: 2 x 80 layers x 8 heads x 128 x 2 bytes; all 64 heads would take eight times that."""
    seventy = network("llama-3.1-70b")
    assert cache_bytes(seventy, 1) == 327_680
    assert cache_bytes(replace(seventy, kv_heads=64), 1) == 8 * 327_680


def test_linear_layers_do_not_grow_with_the_context() -> None:
    """Qwen3-Next: a quarter of the layers keeps tokens. As if all did, the cache would be four times as large."""
    hybrid = network("qwen3-next-80b-a3b-instruct")
    one, two = cache_bytes(hybrid, 100_000), cache_bytes(hybrid, 200_000)
    whole = cache_bytes(replace(hybrid, mixers=(Layers("full", 48),)), 100_000)
    assert isinstance(one, float) and isinstance(two, float) and isinstance(whole, float | int)
    assert two - one == pytest.approx(whole / 4)
    assert 0.25 < one / whole < 0.30


def test_a_sliding_window_bounds_what_is_kept() -> None:
    windowed = replace(PLAIN, mixers=(Layers("sliding", 32, window=4096),))
    assert cache_bytes(windowed, 4096) == cache_bytes(windowed, 100_000) == cache_bytes(PLAIN, 4096)


def test_a_latent_cache_is_small_and_every_accelerator_holds_all_of_it() -> None:
    """DeepSeek-R1: (512 + 64) numbers x 61 layers x 2 bytes a token."""
    latent = network("deepseek-r1")
    assert cache_bytes(latent, 1) == 70_272
    assert cache_bytes(latent, 1, tp=8) == 70_272


def test_key_heads_are_never_split() -> None:
    assert cache_bytes(PLAIN, 1, tp=8) == cache_bytes(PLAIN, 1, tp=16) == 131_072 / 8


def test_layers_whose_kinds_were_not_read_are_counted_as_the_most_they_can_be() -> None:
    assert cache_bytes(replace(PLAIN, mixers=Unknown("not read")), 9) == cache_bytes(PLAIN, 9)


def test_arithmetic_of_a_token_is_twice_its_matrices_and_grows_with_the_context() -> None:
    counted = tensors(PLAIN)
    assert isinstance(counted, Tensors)
    near, far = flops("decode", PLAIN, counted, 0), flops("decode", PLAIN, counted, 8192)
    assert near == 2 * (counted.total - counted.embedding - counted.norms)
    assert isinstance(near, float) and isinstance(far, float)
    assert far - near == 4 * 32 * 128 * 8192 * 32
    read_in = flops("prefill", PLAIN, counted, 1000)
    assert isinstance(read_in, float)
    assert read_in == pytest.approx(1000 * (near - 2 * counted.head) + 2 * counted.head + 4 * 32 * 128 * 32 * 500_000)


def test_what_is_missing_is_said() -> None:
    heads = tensors(replace(PLAIN, heads=Unknown("not read")))
    state = cache_bytes(replace(PLAIN, mixers=(Layers("linear", 32),)), 10)
    assert isinstance(heads, Unknown) and "heads" in heads.reason
    assert isinstance(state, Unknown) and "linear" in state.reason


def test_a_count_far_above_the_published_total_is_a_misread_network() -> None:
    assert isinstance(tensors(PLAIN, Sourced(5 * 10**9, "x", "2026-01-01")), Unknown)


def test_a_tower_is_what_the_published_total_has_beyond_the_network() -> None:
    counted = tensors(PLAIN, Sourced(8_500_000_000, "x", "2026-01-01"), tower=True)
    assert isinstance(counted, Tensors)
    assert counted.total == 8_500_000_000 and counted.other > 400_000_000


def test_state_and_latent_layers_together_are_counted() -> None:
    mixed = replace(
        PLAIN,
        mixers=(Layers("full", 8), Layers("linear", 24)),
        latent=LatentAttention(0, 512, 64, 128, 128),
        recurrent=Recurrent(32, 32, 128, 128, 4),
    )
    one = cache_bytes(mixed, 1000)
    assert isinstance(one, float)
    assert one == 8 * 576 * 1000 * 2 + 24 * (32 * 128 * 128 * 4 + (2 * 32 * 128 + 32 * 128) * 3 * 2)


def test_values_shorter_than_keys_take_less_cache_and_fewer_parameters() -> None:
    """MiMo V2 Flash: keys of 192, values of 128; 9 full layers of 4 heads, 39 of 8 heads in a window of 128."""
    known = network("mimo-v2-flash")
    expected = 9 * 4 * (192 + 128) * 10_000 * 2 + 39 * 8 * (192 + 128) * 128 * 2
    assert cache_bytes(known, 10_000) == expected


@pytest.mark.parametrize("name", ["qwen2-57b-a14b-instruct", "qwen1.5-moe-a2.7b-chat"])
def test_a_large_shared_expert_is_counted(name: str) -> None:
    model = load_catalogue().models[name]
    counted = tensors_of(model)
    assert isinstance(counted, Tensors) and isinstance(counted.error, float)
    assert abs(counted.error) < 1e-4
    assert active_ratio(model, counted) == pytest.approx(1, abs=0.05)
