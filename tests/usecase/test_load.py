"""The study file: what a good one means, and how the mistakes of a bad one are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError, Problem
from steelyard.quantities import Unknown
from steelyard.usecase import Organisation, Privacy, UseCase, Workload
from steelyard.usecase.load import claim_output, load_study
from steelyard.usecase.schema import study_json_schema

ROOT = Path(__file__).parents[2]
Load = Callable[..., UseCase]
Fail = Callable[..., dict[str, Problem]]


def test_a_minimal_study_gets_the_stated_defaults(load: Load, tmp_path: Path) -> None:
    case = load()
    assert case.name == "inbox"
    assert case.folder == tmp_path.resolve()
    assert case.data.file == tmp_path.resolve() / "inbox.jsonl"
    assert case.data.test_share == 0.4
    assert (case.task.shots, case.task.calibration, case.task.metric) == ((0, 12, 24), "auto", "accuracy")
    assert case.workload == Workload(20_000, 4, 0, 12)
    assert case.allow_ways == ("api", "self-hosted", "on-device")
    assert [(candidate.id, candidate.where) for candidate in case.candidates] == [
        ("linear", "line 12"),
        ("smollm2-135m-instruct", "line 13"),
    ]


def test_a_margin_is_a_share_and_nothing_unless_stated(load: Load) -> None:
    assert load().margin is None
    case = load(("name: inbox", "name: inbox\ndecide: {margin: 2%, also: [macro_f1]}"))
    assert (case.margin, case.also) == (0.02, ("macro_f1",))


def test_every_field_arrives_where_it_belongs(load: Load) -> None:
    case = load(
        ("test: 40%}", "test: 0.25, id: id, cluster: customer, language: lang, slices: [a], max_test: 100, seed: 3}"),
        (
            "commercial: true",
            "commercial: true\n  distribute: weights\n  outputs_train: competing\n  field: farming\n  role: end-user\n"
            "  already: [subscription]\n"
            "  organisation: {kind: company, domicile: NO, annual_revenue_usd: 12_000_000, affiliates_included: true}\n"
            "  tuned: true\n"
            "  users: {territories: [NO, FR], monthly_active: 1e6, monthly_active_at_release: 7, "
            "monthly_active_at: {2024-09-25: 15_000}}",
        ),
        ("20_000}", "20_000, peak_to_mean: 3, growth_per_month: 6%, horizon_months: 36}"),
        ("  - linear", "  - {id: linear, contracted: true, options: {threads: 2}}"),
    )
    assert (case.data.id, case.data.cluster, case.data.slices, case.data.max_test) == ("id", "customer", ("a",), 100)
    assert (case.use.distribute, case.use.role, case.use.already) == ("weights", "end-user", ("subscription",))
    assert case.use.organisation == Organisation("company", ("NO",), 12_000_000, affiliates_included=True)
    assert (case.use.tuned, case.use.users.monthly_active) == (True, 1_000_000)
    assert case.use.users.monthly_active_at_release == 7
    assert case.use.users.monthly_active_at == {"2024-09-25": 15_000}
    assert case.workload == Workload(20_000, 3, 0.06, 36)
    assert case.candidates[0].contracted
    assert case.candidates[0].options == {"threads": 2}


@pytest.mark.parametrize(("written", "places"), [("EU", ("EU",)), ("[DE, US, DE]", ("DE", "US")), ("[]", ())])
def test_an_organisation_may_be_established_in_several_places(
    load: Load, written: str, places: tuple[str, ...]
) -> None:
    case = load(("commercial: true", f"commercial: true\n  organisation: {{domicile: {written}}}"))
    assert case.use.organisation.domicile == places


@pytest.mark.parametrize(
    ("written", "may_send_to"),
    [
        ("{class: public}", "any"),
        ("{class: internal}", "contracted"),
        ("{class: confidential}", "own"),
        ("{class: restricted}", "own"),
        ("{class: restricted, may_send_to: any}", "any"),
    ],
)
def test_where_data_may_go_follows_from_their_class_unless_it_is_said(
    load: Load, written: str, may_send_to: str
) -> None:
    assert load(("{class: public}", written)).privacy.may_send_to == may_send_to


def test_without_a_word_on_privacy_data_are_internal(load: Load) -> None:
    assert load(("privacy: {class: public}\n", "")).privacy == Privacy("internal", "contracted")


def test_without_a_workload_it_is_unknown_and_not_zero(load: Load) -> None:
    assert isinstance(load(("workload: {requests_per_day: 20_000}\n", "")).workload, Unknown)


def test_two_given_files_are_taken_as_they_are(load: Load, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("message,intent\n")
    case = load(("file: inbox.jsonl", "train: inbox.jsonl"), ("test: 40%", "test: t.csv"))
    assert case.data.test == tmp_path.resolve() / "t.csv"
    assert (case.data.file, case.data.test_share) == (None, None)


def test_all_mistakes_are_told_at_once_each_with_its_line(fail: Fail) -> None:
    problems = fail(
        ("name: inbox", "nam: inbox"),
        ("purpose: product", "purpose: prodct"),
        ("commercial: true", "commercial: yes"),
        ("accuracy: ", "acuracy: "),
        ("{message}", "{massage}"),
        ("  - linear", "  - opnai:gpt"),
    )
    assert {where: problem.slug for where, problem in problems.items()} == {
        "study.yaml:1 (name)": "study-missing-field",
        "study.yaml:1 (nam)": "study-unknown-field",
        "study.yaml:3 (task.prompt)": "study-bad-prompt",
        "study.yaml:5 (use.purpose)": "study-bad-value",
        "study.yaml:6 (use.commercial)": "study-bad-value",
        "study.yaml:9 (require.acuracy)": "study-unknown-field",
        "study.yaml:12 (candidates[0].id)": "unknown-route",
    }
    assert "did you mean 'name'" in problems["study.yaml:1 (nam)"].what
    assert "did you mean 'product'" in problems["study.yaml:5 (use.purpose)"].what
    assert "hosted-service" in problems["study.yaml:5 (use.purpose)"].allowed
    assert "did you mean 'accuracy'" in problems["study.yaml:9 (require.acuracy)"].what


@pytest.mark.parametrize(
    ("old", "new", "place", "hint"),
    [
        ("test: 40%", "test: 40", "2 (data.test)", "40%"),
        ("test: 40%", "test: 0%", "2 (data.test)", "between 0 and 1"),
        (", test: 40%", "", "2 (data.test)", "missing"),
        ("file: inbox.jsonl", "file: inbx.jsonl", "2 (data.file)", "did you mean 'inbox.jsonl'"),
        ("file: inbox.jsonl", "file: inbox.xlsx", "2 (data.file)", "JSONL"),
        ("file: inbox.jsonl, ", "", "2 (data)", "neither"),
        ("file: inbox.jsonl", "file: inbox.jsonl, train: inbox.jsonl", "2 (data)", "both"),
        ("target: intent", "target: message", "2 (data.target)", "same column"),
        ("test: 40%", "test: 40%, max_test: 1", "2 (data.max_test)", "2 or more"),
        ("Message: {message}", "Message", "3 (task.prompt)", "no model would see the input"),
        ("{message}", "{message} {intent}", "3 (task.prompt)", "give the answer away"),
        ('"Message: {message}"', "{message}", "3 (task.prompt)", "quotes"),
        ("classification,", "generation,", "3 (task.kind)", "classification"),
        ("classification,", "classification, shots: many,", "3 (task.shots)", "[N, ...]"),
        ("purpose: product", "purpose:", "5 (use.purpose)", "empty"),
        ("commercial: true", "commercial: 1", "6 (use.commercial)", "true or false"),
        ("commercial: true", "commercial: true\n  users: {territories: [de]}", "7 (use.users.territories[0])", "DE"),
        (
            "commercial: true",
            "commercial: true\n  users: {monthly_active_at: {x: 1}}",
            "7 (use.users.monthly_active_at.x",
            "2024-09-25",
        ),
        ("20_000", "0", "8 (workload.requests_per_day)", "greater than 0"),
        ("20_000", '"20"', "8 (workload.requests_per_day)", "without quotes"),
        ("20_000", "1e300", "8 (workload.requests_per_day)", "at most 1,000,000,000,000"),
        ("test: 40%", "test: 40%, seed: -1", "2 (data.seed)", "0 or more"),
        ("test: 40%", "test: 40%, seed: 1e30", "2 (data.seed)", "at most 4,294,967,295"),
        ("- linear", "- [linear]", "12 (candidates[0])", "[ROUTE:]MODEL"),
        ("- linear", "- {id: linear, options: {threads: 1e30}}", "12 (candidates[0].options.threads)", "a number"),
        ("purpose: product", "purpose: !x product", "5", "leave the tag out"),
        ("purpose: product", 'purpose: "\\ud800"', "5", "half a character"),
        ("20_000", "1, horizon_months: 0", "8 (workload.horizon_months)", "1"),
        ("20_000", "1, peak_to_mean: 0.5", "8 (workload.peak_to_mean)", "1"),
        ("20_000", "1, growth_per_month: 6", "8 (workload.growth_per_month)", "6%"),
        ("name: inbox", "name: inbox\ndecide: {margin: 2}", "2 (decide.margin)", "2 points are 2%"),
        ("name: inbox", "name: inbox\ndecide: {margin: 0}", "2 (decide.margin)", "less than 50%"),
        ("{class: public}", "3", "7 (privacy)", "key: value"),
        ("[quality, cost]", "[quality, price]", "10 (prefer)", "time_to_market"),
        ("- linear", "- smollm2-135m-instruct", "13 (candidates[1])", "twice"),
        ("- linear", "- a b", "12 (candidates[0].id)", "[ROUTE:]MODEL"),
        ("- linear", "- {id: linear, base_url: host}", "12 (candidates[0].base_url)", "http://"),
        ("name: inbox", "name: my inbox", "1 (name)", "hyphens"),
        ("name: inbox", "name: 2024", "1 (name)", 'name: "2024"'),
        ("name: inbox", "name: inbox\nname: outbox", "2", "twice"),
    ],
)
def test_a_single_mistake_is_told_alone_with_a_hint(fail: Fail, old: str, new: str, place: str, hint: str) -> None:
    problems = fail((old, new))
    ((where, problem),) = problems.items()
    assert where.startswith(f"study.yaml:{place}")
    assert hint in f"{problem.what} {problem.allowed} {problem.next_step}"


def test_a_key_pasted_into_the_file_is_not_repeated_on_the_screen(fail: Fail) -> None:
    (problem,) = fail(("- linear", "- {id: linear, key_env: sk-secret}")).values()
    assert "sk-secret" not in str(problem)


@pytest.mark.parametrize("content", [b"", b"- a", b"name", b"\xff\xfe\x00"])
def test_a_file_that_is_no_study_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.yaml").write_bytes(content)
    with pytest.raises(InputError, match="study-not-yaml"):
        load_study(tmp_path)


def test_a_missing_study_names_the_verb_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="steelyard init"):
        load_study(tmp_path / "nowhere")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("a{}:@0% ", max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["data", "file", "train", "test", "task", "prompt", "input", "use", "users", "candidates", "id"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_stands_in_the_file_only_input_errors_come_out(tmp_path: Path, study: object) -> None:
    import json

    (tmp_path / "study.yaml").write_text(json.dumps(study))
    with pytest.raises(InputError):
        load_study(tmp_path)


def test_the_output_folder_belongs_to_one_study_and_is_ignored_by_git(load: Load, tmp_path: Path) -> None:
    claim_output(load())
    claim_output(load())
    assert (tmp_path / ".steelyard" / ".gitignore").read_text() == "*\n"
    with pytest.raises(InputError, match="belong to the study 'inbox', not to 'outbox'"):
        claim_output(load(("name: inbox", "name: outbox")))


def test_an_output_folder_that_cannot_be_used_says_why_and_what_to_do(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".steelyard").touch()
    with pytest.raises(InputError) as caught:
        claim_output(load())
    (problem,) = caught.value.problems
    assert problem.what == "cannot be used: File exists"
    assert problem.next_step
    (tmp_path / ".steelyard").unlink()
    (tmp_path / ".steelyard").mkdir()
    (tmp_path / ".steelyard" / "owner").write_bytes(b"\xff")
    with pytest.raises(InputError, match="its file `owner` is not text"):
        claim_output(load())


def test_a_list_without_entries_is_told_in_plain_words(fail: Fail) -> None:
    (problem,) = fail(("candidates:\n  - linear\n  - smollm2-135m-instruct\n", "candidates: []\n")).values()
    assert (problem.what, problem.next_step) == ("`candidates` is an empty list", "name at least one")


def test_the_schema_names_every_field_and_requires_those_without_default() -> None:
    schema = study_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["name", "data", "task", "use", "candidates"]
    assert isinstance(schema["properties"], dict)
    assert "class" in schema["$defs"]["PrivacyPart"]["properties"]  # type: ignore[index]


def test_every_field_of_the_schema_is_explained_in_the_reference() -> None:
    page = (ROOT / "docs" / "study-file.md").read_text("utf-8")
    schema = study_json_schema()
    parts = [schema, *schema["$defs"].values()]  # type: ignore[attr-defined]
    mappings = [form for part in parts for form in (part, *part.get("anyOf", ())) if "properties" in form]
    fields = {name for form in mappings for name in form["properties"]}
    assert fields
    assert not {name for name in fields if f"`{name}`" not in page}


def test_the_examples_in_the_reference_load(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "study-file.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(name:.*?)```", page, re.DOTALL)
    assert examples
    for name in ("inbox.jsonl", "train.csv", "test.csv"):
        (tmp_path / name).touch()
    for example in examples:
        (tmp_path / "study.yaml").write_text(example)
        load_study(tmp_path)


def test_the_shipped_example_loads() -> None:
    case = load_study(ROOT / "examples" / "support-inbox")
    assert case.name == "support-inbox"
    assert {"linear", "codestral-22b"} <= {candidate.id for candidate in case.candidates}
