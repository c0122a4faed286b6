"""From the text of a candidate id to a Candidate: which model, which route, whose machines."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from steelyard.catalogue.ids import CandidateId, nearest, parse_id
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Candidate, Model, Offer, Openness, Weights
from steelyard.errors import Problem
from steelyard.providers.protocol import MaySendTo, Option
from steelyard.quantities import Bytes, Unknown

LOCAL_ROUTES = frozenset({"hf", "llama-cpp", "transformers", "linear", "scripted", "recorded"})
"""Routes whose model runs on own machines, unless a `base_url` says where else."""

OLLAMA = "http://127.0.0.1:11434/v1"
"""Where Ollama listens unless it was told otherwise."""

NO_OPTIONS: Mapping[str, Option] = MappingProxyType({})


def resolve(
    catalogue: Catalogue,
    text: str,
    *,
    base_url: str = "",
    key_env: str = "",
    contracted: bool = False,
    options: Mapping[str, Option] = NO_OPTIONS,
) -> Candidate | Problem:
    """The candidate that `text` names, or what is wrong with it.

    Without a route: a baseline runs here, an open model with GGUF weights under llama.cpp, a `base_url` is an
    OpenAI-compatible server, a proprietary model goes to its first offer. `contracted` says that a processing
    agreement with the vendor exists. A candidate may come back that cannot run here: see `why_not_runnable`.
    """
    parts = parse_id(text)
    if isinstance(parts, Problem):
        return parts
    catalogue, model = _found(catalogue, parts, base_url)
    if model is None:
        if not parts.route:
            return Problem(
                slug="unknown-model",
                what=f"no model is called {parts.model!r}{nearest(parts.model, tuple(catalogue.models))}",
                next_step="`steelyard models list` shows all; for any other write ROUTE:MODEL, e.g. "
                "compatible:NAME with a base_url",
            )
        model = _stranger(parts)
    route = parts.route or _default_route(catalogue, model, base_url)
    route = "compatible" if route == "hf" and base_url else route
    base_url = base_url or (OLLAMA if route == "ollama" else "")
    offer = _offer(catalogue, route, parts, model, base_url)
    weights = _weights(model, parts, route)
    base_url = base_url or ("" if isinstance(offer, Unknown) else offer.base_url)
    if isinstance(weights, Problem):
        return weights
    mistake = _mistake(parts, model, route, base_url)
    if mistake is not None:
        return mistake
    own = is_loopback(base_url) if base_url else route in LOCAL_ROUTES
    if model.openness in ("proprietary", "unknown"):
        own = False  # nobody runs it but its vendor: a server here can only be a gateway that passes the data on
    if route == "ollama" and parts.model.endswith("cloud"):
        own = False  # the server here hands such tags on to its maker's machines
    return Candidate(
        id=text,
        route=route,
        model=model,
        revision=parts.revision or model.revision,
        weights=weights,
        recipe=parts.recipe,
        way="self-hosted" if own or route == "vllm" else "api",
        offer=offer,
        custody=_custody(own, contracted),
        base_url=base_url,
        key_env=key_env or ("" if isinstance(offer, Unknown) else offer.key_env),
        options=MappingProxyType(dict(options)),
    )


def is_loopback(base_url: str) -> bool:
    """Whether the address names this machine itself. A name in a private network is not proof of ownership."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _by_served_name(catalogue: Catalogue, parts: CandidateId) -> Model | None:
    if parts.route == "compatible":
        return None  # many sellers have that route, and their names are their own
    for offer in catalogue.offers:
        if offer.route == parts.route and offer.served_as == parts.model:
            return catalogue.models[offer.model]
    return None


def _found(catalogue: Catalogue, parts: CandidateId, base_url: str) -> tuple[Catalogue, Model | None]:
    """The model, from the snapshot where nobody has described it by hand, and the catalogue that it stands in."""
    if parts.route == "ollama":
        return catalogue, catalogue.model(f"ollama:{parts.model}")
    model = _by_served_name(catalogue, parts) or catalogue.model(parts.model)
    if parts.route in LOCAL_ROUTES or (model is not None and _is_enough(catalogue, model, parts.route, base_url)):
        return catalogue, model
    from steelyard.catalogue.whole import whole

    wider = whole(catalogue)
    return wider, _by_served_name(wider, parts) or wider.model(parts.model)


def _is_enough(catalogue: Catalogue, model: Model, route: str, base_url: str) -> bool:
    """Whether the offers written by hand answer: an own server needs none, a route and a vendor's model need theirs."""
    routes = {offer.route for offer in catalogue.offers_of(model.id)}
    if route == "compatible" or (base_url and not route):
        return is_loopback(base_url)
    return route in {*routes, "vllm"} if route else bool(routes) or model.openness != "proprietary"


def _default_route(catalogue: Catalogue, model: Model, base_url: str) -> str:
    if model.openness == "baseline":
        return "linear"
    if base_url:
        return "compatible"
    formats = {weights.format for weights in model.weights}
    if "gguf" in formats:
        return "llama-cpp"
    routes = [offer.route for offer in catalogue.offers_of(model.id)]
    if routes and (model.openness != "open" or "compatible" not in routes):  # nobody is sent to some host of weights
        return next((route for route in routes if route != "compatible"), "compatible")
    return "transformers" if "transformers" in formats else "hf"


def _offer(catalogue: Catalogue, route: str, parts: CandidateId, model: Model, base_url: str) -> Offer | Unknown:
    """That under the name that was written, else the first of this route. Sellers of one route differ by address."""
    if route in LOCAL_ROUTES:
        return Unknown("runs on own machines: no price list applies")
    offers = [offer for offer in catalogue.offers_of(model.id) if offer.route == route]
    if route == "compatible":
        offers = [offer for offer in offers if base_url and offer.base_url.rstrip("/") == base_url.rstrip("/")]
    for offer in offers:
        if offer.served_as == parts.model:
            return offer
    return offers[0] if offers else Unknown(f"no price is known for {route}:{parts.model}")


def _weights(model: Model, parts: CandidateId, route: str) -> Weights | Problem | None:
    """The weights to run: those named behind `#`, else the first of a format that the route can load."""
    wanted = {"llama-cpp": "gguf", "transformers": "transformers"}.get(route)
    usable = [weights for weights in model.weights if weights.format == wanted]
    if not parts.weights:
        return usable[0] if usable else None
    for weights in usable:
        if weights.requantise == parts.weights:
            return weights
        if weights.name == parts.weights:
            return replace(weights, requantise="")
    names = [name for weights in usable for name in (weights.name, weights.requantise) if name]
    return Problem(
        slug="unknown-weights",
        what=f"{parts}: no weights of {model.id} are called {parts.weights!r}{nearest(parts.weights, tuple(names))}",
        allowed=", ".join(names) or f"none are known for the route {route}",
        next_step=f"`steelyard models show {model.id}` lists them",
    )


def _mistake(parts: CandidateId, model: Model, route: str, base_url: str) -> Problem | None:
    if parts.recipe == "head" and (route != "llama-cpp" or not model.weights):
        return Problem(
            slug="recipe-needs-local-weights",
            what=f"{parts}: +head is fitted on a model's own embeddings, and this one does not run here",
            allowed="open models with GGUF weights, e.g. smollm2-135m-instruct+head",
            next_step="leave out +head, or take a model that `steelyard models list` shows with weights",
        )
    if route == "compatible" and not base_url:
        return Problem(
            slug="base-url-missing",
            what=f"{parts}: an OpenAI-compatible server has no address of its own",
            next_step="write the candidate as a mapping: {id: ..., base_url: http://127.0.0.1:8000/v1}",
        )
    return None


def _custody(own: bool, contracted: bool) -> MaySendTo:
    if own:
        return "own"
    return "contracted" if contracted else "any"


def _stranger(parts: CandidateId) -> Model:
    """A model that the catalogue does not know: everything about it is unknown, its licence first of all."""
    unknown = Unknown(f"{parts.model} is not in the catalogue")
    local_file = parts.route == "llama-cpp" and parts.model.endswith(".gguf")
    openness: Openness = "open" if parts.route in LOCAL_ROUTES | {"vllm", "ollama", "compatible"} else "proprietary"
    return Model(
        id=parts.model,
        name=parts.model,
        family="",
        vendor="unknown",
        openness=openness,
        kinds=("text",),
        licence=unknown,
        ways=(),
        chat=True,
        parameters=unknown,
        parameters_active=unknown,
        context_tokens=unknown,
        languages=unknown,
        released=unknown,
        retired=unknown,
        repository=parts.model if parts.route == "hf" else "",
        weights=(Weights("file", "gguf", "path", "", Bytes(0), members=(parts.model,)),) if local_file else (),
    )
