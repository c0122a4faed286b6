"""decision.json goes out and comes back unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from tests.decision.evidence import decided, measured, scores, unmeasured
from tests.decision.samples import sample_decision

from steelyard.costs import Cost
from steelyard.decision import Decision, Standing
from steelyard.decision.store import decision_json_schema, from_json, load, save, to_json
from steelyard.errors import InputError
from steelyard.quantities import Money, Unknown
from steelyard.stats import Estimate, Estimated, Interval


def slug(error: pytest.ExceptionInfo[InputError]) -> str:
    return error.value.problems[0].slug


@pytest.mark.parametrize(
    "decision",
    [
        sample_decision(),
        decided(),
        decided(measured("a", [1.0]), unmeasured("openai:x"), n_test=1),
        decided(measured("a", scores(170, 240), cost=Unknown("no price")), measured("b", scores(90, 240, 9))),
    ],
    ids=["sample", "empty", "one sample", "unknown cost"],
)
def test_a_decision_comes_back_equal(decision: Decision):
    assert from_json(to_json(decision)) == decision


reals = st.floats(allow_nan=False, allow_infinity=False)
intervals = st.builds(Interval, reals, reals, reals)
unknowns = st.builds(Unknown, st.text())
estimates = st.builds(Estimate, reals, intervals | unknowns, st.none() | st.integers(0, 10**6), st.text(), st.text())


@settings(max_examples=50)
@given(
    estimates | unknowns,
    st.builds(Cost, st.text(), *[estimates | unknowns] * 3, st.just(()), st.just(()), st.none() | st.integers(1, 9))
    | unknowns,
    st.builds(Money, st.decimals(allow_nan=False, allow_infinity=False)) | unknowns,
)
def test_an_unknown_stays_unknown_and_a_number_keeps_every_digit(quality: Estimated, cost, spent):
    for value, kind in ((quality, Estimated), (cost, Cost | Unknown), (spent, Money | Unknown)):
        adapter: TypeAdapter = TypeAdapter(kind)
        assert adapter.validate_json(adapter.dump_json(value)) == value


def test_money_is_a_decimal_string_and_an_unknown_an_object_with_its_reason():
    document = json.loads(to_json(sample_decision()))
    assert document["schema_version"] == "1.0"
    assert document["would_need"][0]["cost_to_find_out"] == {"usd": "0.054"}
    assert document["standings"][-1]["quality"] == {"reason": "the licence forbids this use"}


@pytest.mark.parametrize("version", ["1.1", "2.0", None])
def test_another_schema_version_is_refused_not_guessed(version):
    document = json.loads(to_json(sample_decision())) | {"schema_version": version}
    with pytest.raises(InputError) as error:
        from_json(json.dumps(document).encode())
    assert slug(error) == "decision-version"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"schema_version": "1.0"}'])
def test_what_is_no_decision_is_an_input_error(data: bytes):
    with pytest.raises(InputError) as error:
        from_json(data)
    assert slug(error) in ("decision-unreadable", "decision-version")


def test_save_leaves_one_file_and_load_reads_it(tmp_path):
    path = save(sample_decision(), tmp_path / "new")
    assert [entry.name for entry in path.parent.iterdir()] == ["decision.json"]
    assert load(path.parent) == sample_decision()
    save(decided(), path.parent)
    assert load(path.parent) == decided()


def test_before_the_first_run_there_is_no_decision(tmp_path):
    with pytest.raises(InputError, match="steelyard run") as error:
        load(tmp_path)
    assert slug(error) == "no-decision"


def test_the_published_schema_names_every_field_of_a_standing():
    schema = decision_json_schema()
    assert set(schema["$defs"]["Standing"]["properties"]) == set(Standing.__dataclass_fields__)
    assert {"winner", "verdict", "schema_version"} <= set(schema["properties"])
