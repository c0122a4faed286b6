"""Uses as lines of JSON, each judged alone. A line that cannot be read answers unknown, in its place."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Candidate, Model, Way
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.whole import whole
from steelyard.licences.clauses import Modality, OrganisationKind
from steelyard.licences.combine import all_of, with_hidden_bases
from steelyard.licences.expression import judge_expression, unknown
from steelyard.licences.facts import Facts
from steelyard.licences.hosts import Host, host_at_large, host_of
from steelyard.licences.judge import judge_model
from steelyard.licences.load import Licences
from steelyard.licences.verdict import Reason, Verdict
from steelyard.quantities import Unknown
from steelyard.usecase.case import Already, Distribute, OutputsTrain, Purpose, Role


def _kind(value: object) -> object:
    return "academic" if value == "university" else value


def _listed(value: object) -> object:
    """One word where a list may stand; null is an empty list."""
    return [] if value is None else [value] if isinstance(value, str) else value


def _said(value: object) -> object:
    return None if value is None else _listed(value)


def _codes(value: object) -> object:
    listed = _listed(value)
    if not isinstance(listed, list | tuple):
        return listed
    return [code.strip().upper() if isinstance(code, str) else code for code in listed]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[Annotated[int, Field(ge=0, strict=True)] | None, BeforeValidator(_whole)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Codes = Annotated[tuple[str, ...], BeforeValidator(_codes)]


class Line(BaseModel):
    """One use of one model. Absent and null mean not said. Keys that are not known here are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    licence: str | None = None
    licence_expression: str | None = None
    model: str | None = None
    lineage: Names = ()
    revision: str | None = None
    at: date | None = None
    way: Way | None = None
    tuned: Annotated[bool | None, Field(strict=True)] = None
    modality: Annotated[tuple[Modality, ...], BeforeValidator(_listed)] = ()
    purpose: Purpose | None = None
    commercial: Annotated[bool | None, Field(strict=True)] = None
    distribute: Distribute | None = None
    outputs_train: OutputsTrain | None = None
    field: str | None = None
    role: Role | None = None
    organisation_kind: Annotated[OrganisationKind | None, BeforeValidator(_kind)] = None
    qualified_non_profit: Annotated[bool | None, Field(strict=True)] = None
    established_in: Codes = ()
    users_in: Codes = ()
    mau_product: Count = None
    mau_group_at_release: Count = None
    revenue_year_group_usd: Count = None
    revenue_month_group_usd: Count = None
    revenue_month_product_usd: Count = None
    already: Annotated[tuple[Already, ...] | None, BeforeValidator(_said)] = None
    growth_per_month: Annotated[float, Field(ge=-0.9, le=1)] | None = None

    def facts(self) -> Facts:
        """What the line says. A group's revenue is one with all affiliates."""
        return Facts(
            purpose=self.purpose,
            commercial=self.commercial,
            distribute=self.distribute,
            outputs_train=self.outputs_train,
            role=self.role,
            kind=self.organisation_kind,
            way=self.way,
            tuned=self.tuned,
            modality=frozenset(self.modality),
            field=(self.field or "").strip(),
            domicile=self.established_in,
            users_in=self.users_in,
            qualified_non_profit=self.qualified_non_profit,
            users_product=self.mau_product,
            users_at_release=self.mau_group_at_release,
            annual_revenue=self.revenue_year_group_usd,
            monthly_revenue=self.revenue_month_group_usd,
            product_revenue=self.revenue_month_product_usd,
            affiliates_included=True,
            already=self.already or (),
            already_said=self.already is not None,
            growth_per_month=self.growth_per_month or 0.0,
        )


def judge_text(text: str, today: date, catalogue: Catalogue, licences: Licences) -> Verdict:
    """One line as it was written."""
    try:
        line = Line.model_validate_json(text)
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(str(step) for step in mistake['loc']) or 'the line'}: {mistake['msg']}"
            for mistake in error.errors(include_url=False, include_input=False)
        ]
        reason = Reason("unknown", "", f"the line cannot be read: {'; '.join(mistakes)}", "no terms read")
        return Verdict("unknown", (reason,), questions=("What should the line say?",))
    return judge_line(line, today, catalogue, licences)


def judge_line(line: Line, today: date, catalogue: Catalogue, licences: Licences) -> Verdict:
    """All terms that the line names apply: the model's, the licence's or expression's, those of its lineage."""
    facts, at, revision = line.facts(), line.at or today, line.revision or ""
    own = [
        judge_expression(text, facts, at, licences, revision)
        for text in (line.licence, line.licence_expression)
        if text is not None
    ]
    if line.model is not None:
        found = _model(line.model, catalogue)
        if found is None:
            own.append(unknown(line.model, "no model of the catalogue has this name"))
        else:
            model, host = found
            host = host if line.way == "api" else None
            own.append(
                judge_model(model, facts, at, catalogue=catalogue, licences=licences, revision=revision, host=host)
            )
    if not own and not line.lineage:
        return unknown("", "the line names no licence and no model")
    bases = [judge_expression(name, facts, at, licences) for name in line.lineage]
    verdict = all_of((*own, *bases))
    tag = line.licence_expression if line.licence is None else line.licence
    if tag is None or not _permissive(tag, licences):
        return verdict
    hidden = [base for name, base in zip(line.lineage, bases, strict=True) if not _permissive(name, licences)]
    return with_hidden_bases(verdict, tag, hidden)


def _model(name: str, catalogue: Catalogue) -> tuple[Model, Host] | None:
    """By id, repository or Ollama name, as a candidate is written, or one of the snapshot; and who would serve it."""
    found = catalogue.model(name) or catalogue.model(f"ollama:{name}")
    if found is not None:
        return found, host_at_large(found, catalogue.offers_of(found.id))
    wider = whole(catalogue)
    if ":" not in name:
        listed = wider.model(name)
        return None if listed is None else (listed, host_at_large(listed, wider.offers_of(listed.id)))
    candidate = resolve(catalogue, name)
    if not isinstance(candidate, Candidate) or candidate.model.id not in wider.models:
        return None
    return candidate.model, host_of(candidate)


def _permissive(name: str, licences: Licences) -> bool:
    terms = licences.get(name)
    return not isinstance(terms, Unknown) and terms.is_permissive
