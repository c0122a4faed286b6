"""What is known of one use of one model. None and () mean not said; everything in `licences` is judged on this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from steelyard.catalogue.model import Candidate, Model, Way
from steelyard.licences.clauses import Modality, OrganisationKind
from steelyard.quantities import Unknown
from steelyard.usecase.case import Already, Distribute, OutputsTrain, Purpose, Role, Use, Workload


@dataclass(frozen=True)
class Facts:
    """The use, the organisation, the users and the way the model is run, each possibly not said.

    `field` "" is not said. Users: `users_product` of the product now; `users_at` (ISO date, number) pairs of the
    group; `users_at_release` of the group at the model's own release, whatever its date. Revenues in US dollars;
    `affiliates_included` says whether those of the group have all affiliates in them. `contracted`: a contract with
    whoever runs the model. `growth_per_month` 0.06 is 6 %.
    """

    purpose: Purpose | None = None
    commercial: bool | None = None
    distribute: Distribute | None = None
    outputs_train: OutputsTrain | None = None
    role: Role | None = None
    kind: OrganisationKind | None = None
    way: Way | None = None
    tuned: bool | None = None
    recipe: str = ""
    modality: frozenset[str] = frozenset()
    field: str = ""
    domicile: tuple[str, ...] = ()
    users_in: tuple[str, ...] = ()
    qualified_non_profit: bool | None = None
    users_product: int | None = None
    users_at: tuple[tuple[str, int], ...] = ()
    users_at_release: int | None = None
    annual_revenue: int | None = None
    monthly_revenue: int | None = None
    product_revenue: int | None = None
    affiliates_included: bool | None = None
    already: tuple[Already, ...] = ()
    already_said: bool = True
    contracted: bool = False
    growth_per_month: float = 0.0


def facts_of(use: Use, candidate: Candidate, workload: Workload | Unknown) -> Facts:
    """What a study says. A head on a model's own embeddings may or may not count as tuning: that is not said."""
    tuned = use.tuned
    if tuned is None and candidate.recipe != "head":
        tuned = bool(candidate.recipe)
    return replace(
        facts_of_use(use),
        way=candidate.way,
        tuned=tuned,
        recipe=candidate.recipe,
        modality=modality_of(candidate.model),
        contracted=candidate.custody == "contracted",
        growth_per_month=0.0 if isinstance(workload, Unknown) else workload.growth_per_month,
    )


def facts_of_use(use: Use) -> Facts:
    """The use alone: nothing is said of the model and how it is run."""
    organisation, users = use.organisation, use.users
    return Facts(
        purpose=use.purpose,
        commercial=use.commercial,
        distribute=use.distribute,
        outputs_train=use.outputs_train,
        role=use.role,
        kind=organisation.kind,
        tuned=use.tuned,
        field=use.field,
        domicile=organisation.domicile,
        users_in=users.territories,
        qualified_non_profit=organisation.qualified_non_profit,
        users_product=users.monthly_active,
        users_at=tuple(users.monthly_active_at.items()),
        users_at_release=users.monthly_active_at_release,
        annual_revenue=organisation.annual_revenue_usd,
        monthly_revenue=organisation.monthly_revenue_usd,
        product_revenue=organisation.product_monthly_revenue_usd,
        affiliates_included=organisation.affiliates_included,
        already=use.already,
    )


def modality_of(model: Model) -> frozenset[str]:
    """In the words that terms are encoded in: what reads images is "vision", what makes them "image"."""
    words = {word for word in (*model.kinds, *model.modalities) if word in get_args(Modality)}
    return frozenset(words | {"vision"} if "image" in model.modalities else words)
