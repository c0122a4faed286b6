"""A verdict is the strictest thing that the terms say to this use; what is not known is asked, never assumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from steelyard.catalogue import Candidate, LicenceRef
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import FormerLicence, Model
from steelyard.catalogue.resolve import resolve
from steelyard.errors import Problem
from steelyard.licences import Verdict
from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge, judge_candidate, judge_model
from steelyard.licences.load import load_licences
from steelyard.quantities import Sourced, Unknown
from steelyard.usecase import Organisation, Use, Users

AT = date(2026, 11, 24)
NO_WORKLOAD = Unknown("not stated")
GERMAN = Organisation(kind="company", domicile=("DE",))
AMERICAN = Organisation(kind="company", domicile=("US",))
PROFESSOR = Organisation(kind="academic", domicile=("FR",))
PERSON = Organisation(kind="individual", domicile=("FR",))
SMALL = Users(monthly_active_at={"2024-09-25": 15_000, "2024-07-23": 15_000, "2024-12-06": 15_000})
HUGE = Users(monthly_active_at={"2024-08-31": 800_000_000})


def use(purpose: Any = "product", commercial: bool = True, **rest: Any) -> Use:
    return Use(purpose, commercial, **({"organisation": GERMAN, "field": "customer-support"} | rest))


def candidate(text: str, **rest: Any) -> Candidate:
    found = resolve(load_catalogue(), text, **rest)
    assert not isinstance(found, Problem), str(found)
    return found


def verdict(text: str, wanted: Use, *, purpose: Any = None, **rest: Any) -> Verdict:
    return judge_candidate(candidate(text, **rest), wanted, NO_WORKLOAD, AT, purpose=purpose)


MIT, APACHE = "phi-4", "gpt-oss-20b"
GEMMA, LLAMA, VISION = "gemma-3-270m", "llama-3.2-1b-instruct", "llama-3.2-11b-vision-instruct"
MNPL, MRL, QWEN = "codestral-22b", "mistral-large-2411", "qwen2.5-3b-instruct"


@pytest.mark.parametrize(
    ("model", "wanted", "status", "clause"),
    [
        (APACHE, use("product"), "allowed", "§2"),
        (APACHE, use("hosted-service", outputs_train="competing"), "allowed", "§2"),
        # keeping notices is a rule, not a condition: it is listed as a duty
        (APACHE, use(distribute="weights"), "allowed", "§2"),
        (MIT, use("internal"), "allowed", "first paragraph"),
        (MIT, use(distribute="application"), "allowed", "first paragraph"),
        ("linear", use("product"), "allowed", "first paragraph"),
        # Gemma: the policy was read and is a rule; hosting counts as distribution; outputs may make a derivative
        (GEMMA, use("internal"), "allowed", "§2.2"),
        (GEMMA, use("evaluate"), "allowed", "§2.2"),
        (GEMMA, use("hosted-service"), "conditional", "§3.1 with §1.1(b)"),
        (GEMMA, use("internal", outputs_train="competing"), "conditional", "§1.1(e)(iii)"),
        (GEMMA, use("internal", distribute="derivative"), "conditional", "§3.1"),
        # Llama 3.2: duties of a product, and the rule on multimodal models
        (LLAMA, use("product", users=SMALL), "conditional", "§1.b.i"),
        (LLAMA, use("internal", users=SMALL), "allowed", "§1.a"),
        (LLAMA, use("internal", users=HUGE), "forbidden", "§2"),
        (LLAMA, use("internal", users=HUGE, role="end-user"), "allowed", "§1.a"),
        (LLAMA, use("internal", users=Users(monthly_active=5)), "conditional", "§2"),
        (LLAMA, use("internal", users=SMALL, outputs_train="other-models"), "conditional", "§1.b.i, last sentence"),
        (VISION, use("product", users=SMALL), "forbidden", "last but one paragraph"),
        (VISION, use("evaluate", users=SMALL), "forbidden", "last but one paragraph"),
        (VISION, use("product", users=SMALL, role="end-user"), "allowed", "§1.a"),
        (VISION, use("product", users=SMALL, organisation=AMERICAN), "conditional", "§1.b.i"),
        # where it is established was not said: that decides, so it is conditional; unknown is for terms not read
        (VISION, use("product", users=SMALL, organisation=Organisation()), "conditional", "last but one paragraph"),
        # Mistral non-production: evaluation yes, employees and production no
        (MNPL, use("evaluate"), "allowed", "§2.1"),
        (MNPL, use("research"), "conditional", "§3.2"),
        (MNPL, use("internal"), "forbidden", "§3.2"),
        (MNPL, use("product"), "forbidden", "§3.2"),
        (MNPL, use("hosted-service", commercial=False), "forbidden", "§3.2"),
        (MNPL, use("internal", commercial=False, organisation=PERSON), "allowed", "§2.1"),
        (MNPL, use("internal", commercial=False, organisation=Organisation()), "conditional", "§3.2"),
        (MNPL, use("research", distribute="weights"), "forbidden", "§3.2, second bullet"),
        (MNPL, use("research", outputs_train="other-models"), "conditional", "§3.2 with §4.2"),
        (MNPL, use("product", already=("commercial-agreement",)), "conditional", "§3.2"),
        # Mistral research: not even a benchmark inside a company
        (MRL, use("evaluate"), "forbidden", "§3.2 with §9 (Research Purposes)"),
        (MRL, use("research", commercial=False), "forbidden", "§3.2"),
        (MRL, use("research", commercial=False, organisation=PROFESSOR), "allowed", "§2.1"),
        (MRL, use("internal", commercial=False, organisation=PROFESSOR), "forbidden", "§3.2"),
        (MRL, use("research", commercial=False, organisation=Organisation()), "conditional", "§3.2"),
        # Qwen research: a company may evaluate
        (QWEN, use("evaluate"), "allowed", "§2.a with §1.i"),
        (QWEN, use("internal"), "forbidden", "§2.a and b with §1.i"),
        (QWEN, use("research", outputs_train="other-models"), "conditional", "§4.b"),
        # Terms of an API: its policies were not read, competing models are barred
        ("gpt-5-mini", use("evaluate"), "conditional", "§3.3(a)"),
        ("gpt-5-mini", use("internal", outputs_train="competing"), "forbidden", "§3.3(e)"),
        # Terms that nobody here has read
        ("compatible:private", use("evaluate"), "unknown", ""),
    ],
)
def test_verdicts(model: str, wanted: Use, status: str, clause: str) -> None:
    found = verdict(model, wanted, base_url="http://127.0.0.1:1/v1" if ":" in model else "")
    assert found.status == status
    deciding = [reason.clause for reason in found.reasons if reason.effect == status]
    assert any(one == clause or one.startswith(f"{clause} ") for one in deciding), deciding
    assert found.reasons[0].effect == status


def test_an_undecided_restriction_asks_the_question_that_decides_it() -> None:
    found = verdict(VISION, use(organisation=Organisation()))
    assert any("use.organisation.domicile" in question for question in found.questions)
    assert any("use.users.monthly_active_at" in question for question in found.questions)


def test_where_the_users_are_does_not_move_a_rule_on_where_the_organisation_is() -> None:
    europeans = replace(SMALL, territories=("DE", "FR"))
    assert verdict(VISION, use(organisation=AMERICAN, users=europeans)).status == "conditional"


def test_todays_users_do_not_answer_a_question_about_the_release_date() -> None:
    today = Users(monthly_active=900_000_000)
    assert verdict(LLAMA, use("internal", users=today)).status == "conditional"
    assert verdict(LLAMA, use("internal", users=HUGE)).status == "forbidden"


def test_a_derivative_answers_to_its_own_terms_and_to_every_base_model() -> None:
    found = verdict("deepseek-r1-distill-llama-8b", use("product", users=SMALL))
    assert found.status == "conditional"
    assert found.licence_id == "mit AND llama-3.1"
    assert any("Built with Llama" in duty for duty in found.duties)


def test_who_licenses_a_derivative_of_a_model_of_its_own_frees_the_base_for_it() -> None:
    own = candidate("deepseek-r1")
    catalogue = load_catalogue()
    assert {catalogue.models[base].vendor for base in own.model.bases} == {own.model.vendor}
    other = replace(own, model=replace(own.model, vendor="Somebody Else"))
    untold = replace(own, model=replace(own.model, licence=Unknown("not read")))
    statuses = [judge_candidate(one, use("product"), NO_WORKLOAD, AT).status for one in (own, other, untold)]
    assert statuses == ["allowed", "conditional", "unknown"]
    assert judge_candidate(other, use("product"), NO_WORKLOAD, AT).licence_id == "mit AND deepseek-1.0"


def test_a_multimodal_model_stays_one_when_it_reads_text_alone() -> None:
    text = frozenset({"text"})
    facts = Facts(purpose="internal", field="customer-support", role="deployer", domicile=("DE",), modality=text)
    models = load_catalogue().models
    found = [judge_model(models[name], replace(facts, users_at_release=5), AT).status for name in (VISION, LLAMA)]
    assert found[0] == "forbidden"
    assert found[1] != "forbidden"
    derived = replace(models["phi-4"], bases=(VISION,))
    assert judge_model(derived, facts, AT).status == "forbidden"


def test_a_base_that_the_catalogue_does_not_have_is_unknown() -> None:
    orphan = replace(candidate(APACHE), model=replace(candidate(APACHE).model, bases=("nobody-has-it",)))
    found = judge_candidate(orphan, use(), NO_WORKLOAD, AT)
    assert found.status == "unknown"
    assert "nobody-has-it" in found.headline


def test_a_model_is_judged_by_all_its_terms_and_by_those_of_the_day() -> None:
    model = candidate(MIT).model
    under = LicenceRef("mistral-research-0.1", "0.1")
    both = replace(model, further_licences=(Sourced(under, "a test", "2026-11-24"),))
    changed = replace(model, former_licences=(FormerLicence(under, "2025-01-01", "a test", "2026-11-24"),))

    def status(one: Model, at: date = AT) -> str:
        return judge_candidate(replace(candidate(MIT), model=one), use("internal"), NO_WORKLOAD, at).status

    assert (status(model), status(both)) == ("allowed", "forbidden")
    assert (status(changed), status(changed, date(2024, 12, 31))) == ("allowed", "forbidden")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("phi-1.5", date(2024, 1, 20), date(2024, 2, 1)),
        ("phi-2", date(2023, 12, 28), date(2024, 1, 6)),
        ("phi-4", date(2024, 12, 20), date(2025, 1, 8)),
        ("yi-34b-chat", date(2024, 5, 29), date(2024, 5, 30)),
    ],
)
def test_a_model_that_came_under_freer_terms_was_not_free_before(name: str, before: date, after: date) -> None:
    found = [judge_candidate(candidate(name), use("product"), NO_WORKLOAD, at).status for at in (before, after)]
    assert found[0] != "allowed"
    assert found[1] == "allowed"


def test_evaluating_is_judged_without_what_comes_later() -> None:
    later = use("product", distribute="derivative", outputs_train="competing")
    assert verdict(MNPL, later).status == "forbidden"
    assert verdict(MNPL, later, purpose="evaluate").status == "allowed"
    assert verdict(MRL, later, purpose="evaluate").status == "forbidden"


@pytest.mark.parametrize(
    ("model", "options", "terms"),
    [
        ("azure:gpt-4o", {}, "Microsoft's terms for Azure OpenAI"),
        ("compatible:llama-3.3-70b-instruct", {"base_url": "https://api.novita.ai/openai"}, "the terms of NovitaAI"),
    ],
)
def test_a_price_list_is_no_contract(model: str, options: dict[str, str], terms: str) -> None:
    """Where a seller's offer is known and its terms were not read, they stay unread."""
    found = verdict(model, use(), **options)
    assert found.status == "unknown"
    assert terms in found.not_read


def test_a_sellers_terms_that_were_read_are_judged_clause_by_clause() -> None:
    found = verdict("bedrock:anthropic.claude-haiku-4-5-20251001-v1:0", use())
    assert found.licence_id == "anthropic-api-terms AND bedrock-terms"
    assert any(reason.licence_id == "bedrock-terms" and reason.clause for reason in found.reasons)


def test_the_terms_of_an_api_grant_no_weights() -> None:
    """A model that is had only through its vendor's machines is not judged by its API's terms on own ones."""
    model = load_catalogue().models["gpt-5-mini"]
    at_home = judge_model(model, Facts(purpose="internal", way="self-hosted"), AT)
    assert at_home.status == "unknown"
    assert "own machines" in " ".join(at_home.not_read)
    assert judge_model(model, Facts(purpose="internal", way="api"), AT).status == "conditional"


def test_a_clause_that_a_model_and_its_base_share_is_told_once() -> None:
    reasons = verdict("llama-3.1-8b-instruct", use()).reasons
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("id", ["mistral-commercial", "contract-17", "mistral-research-0.1"])
def test_a_licence_that_was_signed_opens_what_it_opens_for_its_model_alone(id: str) -> None:
    catalogue = load_catalogue()
    public = catalogue.models["codestral-22b"]
    model = replace(public, licence=Sourced(LicenceRef(id, "", signed=True), "contract 17", "2026-09-01"))
    facts = Facts(purpose="product", commercial=True, way="self-hosted", kind="company")
    signed = judge_model(model, facts, AT)
    assert signed.status == "conditional"
    assert signed.questions or signed.duties
    assert judge_model(public, facts, AT).status == "forbidden"


def test_open_weights_at_somebody_elses_host_answer_to_the_host_as_well() -> None:
    hosted = verdict(APACHE, use(), base_url="https://host.example/v1")
    assert hosted.status == "unknown"
    assert hosted.not_read == ("the terms of host.example",)
    assert verdict(APACHE, use(), base_url="https://host.example/v1", contracted=True).status == "conditional"
    assert verdict(APACHE, use(), base_url="http://127.0.0.1:1/v1").status == "allowed"


def test_a_contract_of_ones_own_turns_unread_terms_into_a_duty() -> None:
    contracted = candidate("gpt-5-mini", contracted=True)
    unread = Sourced(LicenceRef("azure-openai-terms", ""), "a test", "2026-11-24")
    model = replace(contracted.model, licence=unread)
    found = judge_candidate(replace(contracted, model=model), use(), NO_WORKLOAD, AT)
    assert found.status == "conditional"
    assert "contract with Microsoft" in found.duties[0]
    assert found.not_read == ("Microsoft's terms for Azure OpenAI",)


def test_a_registration_that_is_done_leaves_nothing_to_do() -> None:
    licence = load_licences().get("glm-4")
    assert not isinstance(licence, Unknown)
    open_still = judge(licence, use("internal"), candidate(MIT), NO_WORKLOAD, AT)
    done = judge(licence, use("internal", already=("registered",)), candidate(MIT), NO_WORKLOAD, AT)
    assert (open_still.status, done.status) == ("conditional", "allowed")
    assert any("register" in duty for duty in open_still.duties)


def test_a_head_is_a_question_only_where_the_licence_makes_it_one() -> None:
    plain, head = candidate("smollm2-135m-instruct"), candidate("smollm2-135m-instruct+head")
    wanted = use("product", users=SMALL)
    assert judge_candidate(plain, wanted, NO_WORKLOAD, AT) == judge_candidate(head, wanted, NO_WORKLOAD, AT)
    llama = replace(head, model=candidate(LLAMA).model)
    assert any("head" in question for question in judge_candidate(llama, wanted, NO_WORKLOAD, AT).questions)


def test_only_the_first_gemma_terms_ask_for_the_latest_version() -> None:
    licences = load_licences()
    for revision, owed in (("2024-02-21", True), ("2024-04-01", False), ("2025-03-24", False)):
        licence = licences.get("gemma-terms", revision)
        assert not isinstance(licence, Unknown)
        duties = judge(licence, use("internal"), candidate(GEMMA), NO_WORKLOAD, AT).duties
        assert any("latest version" in duty for duty in duties) is owed


def test_terms_that_were_not_read_are_named() -> None:
    assert any("modified on 2026-04-01" in text for text in verdict(GEMMA, use()).not_read)


def test_a_field_that_was_not_said_is_asked_for_and_one_that_the_policy_bars_is_forbidden() -> None:
    unsaid, said, barred, near = (
        verdict(LLAMA, use("internal", users=SMALL, field=field))
        for field in ("", "customer-support", "Military", "military history")
    )
    assert [one.status for one in (unsaid, said, barred, near)] == ["allowed", "allowed", "forbidden", "conditional"]
    assert "What is the field of use? (use.field)" in unsaid.questions
    assert any(question.startswith("Does military history count as") for question in near.questions)
    assert said.questions == ()
    assert any("Acceptable Use Policy" in duty for duty in unsaid.duties)


@pytest.mark.parametrize(
    ("organisation", "status"),
    [
        (Organisation(monthly_revenue_usd=21_000_000), "forbidden"),
        (Organisation(monthly_revenue_usd=20_000_000, affiliates_included=True), "allowed"),
        (Organisation(monthly_revenue_usd=1_000, affiliates_included=None), "conditional"),
        (Organisation(), "conditional"),
    ],
)
def test_above_its_threshold_a_modified_mit_grants_nothing_not_even_evaluation(
    organisation: Organisation, status: str
) -> None:
    licence = load_licences().get("mistral-modified-mit-20m")
    assert not isinstance(licence, Unknown)
    wanted = use("evaluate", organisation=organisation)
    assert judge(licence, wanted, candidate(MIT), NO_WORKLOAD, AT).status == status


def test_a_licence_or_revision_that_is_not_encoded_is_unknown() -> None:
    for reference in (LicenceRef("nobody-read-this", ""), LicenceRef("gemma-terms", "2031-01-01")):
        model = replace(candidate(GEMMA).model, licence=Sourced(reference, "a test", "2026-11-24"))
        found = judge_candidate(replace(candidate(GEMMA), model=model), use(), NO_WORKLOAD, AT)
        assert found.status == "unknown"
        assert found.questions


def test_terms_dated_after_the_day_of_judging_are_unknown() -> None:
    assert judge_candidate(candidate(GEMMA), use("internal"), NO_WORKLOAD, date(2025, 1, 1)).status == "unknown"


def test_a_baseline_fitted_on_own_data_raises_no_licence_question() -> None:
    found = verdict("linear", use("product"))
    assert (found.duties, found.questions) == ((), ())


# What a table of one word a clause got wrong, read again in the texts.


def test_hosting_gemma_is_never_simply_allowed() -> None:
    assert verdict(GEMMA, use("hosted-service")).status == "conditional"


@pytest.mark.parametrize("model", [LLAMA, "llama-3.1-8b-instruct", "llama-3.3-70b-instruct"])
def test_a_product_on_llama_must_display_where_it_comes_from(model: str) -> None:
    assert any("Built with Llama" in duty for duty in verdict(model, use("product", users=SMALL)).duties)


def test_qwen_research_asks_for_its_name_on_models_improved_with_it() -> None:
    assert any("Built with Qwen" in duty for duty in verdict(QWEN, use("research", outputs_train="competing")).duties)


def test_a_reason_cites_the_document_in_which_its_clause_stands() -> None:
    terms = load_licences().get("openai-api-terms")
    assert not isinstance(terms, Unknown)
    reasons = verdict("gpt-5-mini", use()).reasons
    for document, address in (("Usage Policies", "/usage-policies"), ("supported countries", "supported-count")):
        cited = [reason for reason in reasons if reason.licence.endswith(document)]
        assert cited
        assert all(address in reason.source for reason in cited)
    assert any(reason.source == terms.source for reason in reasons)
