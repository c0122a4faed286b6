"""Which terms come with a model, by its own papers and by its bases, and where these do not agree.

A text decides over a tag, and a base's terms apply whatever text or tag says. What contradicts itself is not settled
here: all terms that are named apply, and the contradiction is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.model import Model
from steelyard.licences.clauses import Licence
from steelyard.licences.load import Licences
from steelyard.licences.papers import NO_FRONT, Kind, Named, Papers, Tag, Text
from steelyard.licences.recognise import PASSAGE, RUN, Recognised, fingerprints, runs_of, words_of
from steelyard.licences.tags import NO_NAME, Tags
from steelyard.quantities import Unknown

Status: TypeAlias = Literal["named", "contradictory", "unknown"]
Between: TypeAlias = Literal[
    "tag and text", "tag and base", "text and base", "policy and licence", "notice", "changed text"
]
SHORTEST_TITLE = 3
"""Words of a licence's title that say which one it is; "MIT License" is said of many things."""
SHORTEST_POLICY = 4
MOST_BESIDE = 40
"""More words beside a licence than a title and copyright lines have."""
RESTRICTING = frozenset({"not", "no", "non", "only", "except", "unless", "prohibited", "forbidden"}) | frozenset(
    {"commercial", "commercially", "noncommercial", "million", "billion"}
)
"""One of these beside a licence, and it may be a further restriction, however short."""
_REPOSITORY = re.compile(r"(?:https?://)?(?:www\.)?huggingface\.co/([\w.-]+/[\w.-]+)")
_OWNED = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class TextAnswer:
    """What a text is: licences it names, or why none.

    `name` tells the revision too where there are several (gemma-2024-04-01 of gemma-terms). `of_text` and `of_licence`
    are shares of a recognised one, `places` and `words` where it differs from it, `beside` counts the words that are
    not of it, and `restricting` holds those of them that may restrict a use. `nearest` are those that a text without
    a name may be. The licences of a notice or a policy are those that it speaks of by title.
    """

    file: str
    kind: Kind
    licences: tuple[str, ...]
    name: str = ""
    of_text: float | None = None
    of_licence: float | None = None
    places: int = 0
    words: tuple[str, ...] = ()
    beside: int = 0
    restricting: tuple[str, ...] = ()
    reason: str = ""
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagAnswer:
    """What a tag stands for: one licence, several that share the name, or none that is known here."""

    file: str
    field: str
    value: str
    licences: tuple[str, ...]


@dataclass(frozen=True)
class ModelAnswer:
    """The terms by the catalogue of a model that is named (with its bases'), or why they are not known."""

    file: str
    field: str
    model: str
    itself: bool
    known_as: str
    licences: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Contradiction:
    """Two papers that cannot both be right, or one that is not what it passes for."""

    between: Between
    what: str


@dataclass(frozen=True)
class Provenance:
    """All that is said, what applies by it, and what is open. `licences` are all only where nothing is open."""

    place: str
    status: Status
    licences: tuple[str, ...]
    contradictions: tuple[Contradiction, ...]
    open: tuple[str, ...]
    texts: tuple[TextAnswer, ...]
    tags: tuple[TagAnswer, ...]
    models: tuple[ModelAnswer, ...]

    @property
    def expression(self) -> str:
        """The terms as `licence judge --licence` takes them; with `unknown` among them where something is open."""
        return " AND ".join((*self.licences, *(("unknown",) if self.open or not self.licences else ())))


@dataclass(frozen=True)
class Knowledge:
    """What papers are held against."""

    licences: Licences
    catalogue: Catalogue
    tags: Tags

    @property
    def with_text(self) -> frozenset[str]:
        """Licences whose text would have been recognised."""
        return frozenset(self.id_of(one.licence) for one in fingerprints())

    def id_of(self, name: str) -> str:
        """One id for all names and revisions of the same terms."""
        return self.licences.names.get(name.casefold(), (name, ""))[0]

    def licence(self, id: str) -> Licence | None:
        """The terms, where they are encoded."""
        found = self.licences.get(id)
        return None if isinstance(found, Unknown) else found

    def model(self, name: str) -> Model | None:
        """A model by its repository's name or address, by an id, or by a title without an owner."""
        address = _REPOSITORY.match(name)
        wanted = address[1] if address else name
        found = self.catalogue.model(wanted)
        if found is None and "/" not in wanted:
            found = self.catalogue.models.get("-".join(wanted.lower().split()))
        return found

    def terms(self, model: Model) -> tuple[tuple[str, ...], str]:
        """All licences of a model and its bases, and why some are not known."""
        lineage, ids, reason = [model], dict[str, None](), ""
        for one in lineage:
            for fact in one.terms:
                if isinstance(fact, Unknown):
                    reason = f"the terms of {one.id} are not known: {fact.reason}"
                else:
                    ids[self.id_of(fact.value.id)] = None
            lineage += [base for id in one.bases if (base := self.catalogue.models[id]) not in lineage]
        return tuple(ids), reason


def provenance(papers: Papers, knowledge: Knowledge) -> Provenance:
    """What the papers say together."""
    texts = tuple(_text(text, knowledge) for text in papers.texts)
    tags = tuple(_tag(tag, knowledge) for tag in papers.tags)
    models = tuple(answer for named in papers.models if (answer := _model(named, knowledge)))
    contradictions = (
        *_tags_and_texts(texts, tags, models, knowledge),
        *_bases(texts, tags, models, knowledge),
        *_beside(texts, tags, models, knowledge),
        *_changed(texts, tags, models),
    )
    still_open = tuple(_open(papers, texts, tags, models))
    exact = {text.licences[0]: text.name for text in texts if text.name}
    licences = tuple(exact.get(id, id) for id in dict.fromkeys(_applying(texts, tags, models)))
    status: Status = "unknown" if still_open or not licences else "named"
    if contradictions:
        status = "contradictory"
    if not licences and not still_open:
        still_open = ("nothing here names a licence",)
    return Provenance(papers.place, status, licences, contradictions, still_open, texts, tags, models)


def _text(text: Text, knowledge: Knowledge) -> TextAnswer:
    answer = text.answer
    if text.kind != "licence":
        return TextAnswer(text.file, text.kind, tuple(_spoken_of(text, knowledge)))
    if isinstance(answer, Recognised):
        named = (knowledge.id_of(answer.licence),)
        beside = _words_beside(text.content, answer.licence)
        shares, changes = (answer.of_text, answer.of_licence), (answer.places, answer.words)
        return TextAnswer(
            text.file, text.kind, named, answer.licence, *shares, *changes, len(beside), _restricting(beside)
        )
    nearest = tuple(dict.fromkeys(map(knowledge.id_of, answer.nearest)))
    some_revision = len(answer.nearest) > len(nearest) == 1  # which one of the same terms is open, not which terms
    return TextAnswer(text.file, text.kind, nearest if some_revision else (), reason=answer.reason, nearest=nearest)


def _words_beside(content: str, licence: str) -> tuple[str, ...]:
    """The words that are in no run of the licence: titles, copyright lines, and perhaps terms of somebody's own."""
    words = words_of(content)
    runs = runs_of(words)
    known = frozenset().union(*(one.known for one in fingerprints() if one.licence == licence))
    of_it: set[int] = set()
    for is_known, stretch in groupby(range(len(runs)), lambda start: runs[start] in known):
        places = list(stretch)
        if is_known and len(places) >= PASSAGE:
            of_it.update(range(places[0], places[-1] + RUN))
    return tuple(word for place, word in enumerate(words) if place not in of_it)


def _restricting(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word in RESTRICTING))


def _spoken_of(text: Text, knowledge: Knowledge) -> Iterator[str]:
    """Licences whose title stands in a notice, or whose policy's title in a policy."""
    said = f" {' '.join(words_of(text.content[:20_000]))} "
    for id, revisions in knowledge.licences.by_id.items():
        if text.kind == "policy":
            titles = [words_of(policy.name) for policy in revisions[-1].policies]
            titles = [title for title in titles if len(title) >= SHORTEST_POLICY]
        else:
            titles = [words_of(revisions[-1].name)]
        if any(len(title) >= SHORTEST_TITLE and f" {' '.join(title)} " in said for title in titles):
            yield id


def _tag(tag: Tag, knowledge: Knowledge) -> TagAnswer:
    ids = knowledge.tags.licences(tag.value)
    if not ids and (address := _REPOSITORY.match(tag.value)):
        model = knowledge.catalogue.model(address[1])
        ids = () if model is None or isinstance(model.licence, Unknown) else (model.licence.value.id,)
    return TagAnswer(tag.file, tag.field, tag.value, tuple(dict.fromkeys(map(knowledge.id_of, ids))))


def _model(named: Named, knowledge: Knowledge) -> ModelAnswer | None:
    """None for a name of the thing itself that is a path or a title and tells nothing."""
    model = knowledge.model(named.model)
    if model is None:
        if named.itself and not _OWNED.fullmatch(named.model):
            return None
        reason = f"{named.model} is not in the catalogue: its terms are not known"
        return ModelAnswer(named.file, named.field, named.model, named.itself, "", (), reason)
    ids, reason = knowledge.terms(model)
    return ModelAnswer(named.file, named.field, named.model, named.itself, model.id, ids, reason)


def _tags_and_texts(
    texts: Iterable[TextAnswer], tags: tuple[TagAnswer, ...], models: Iterable[ModelAnswer], knowledge: Knowledge
) -> Iterator[Contradiction]:
    """A text is named by a tag, or is a base's; but a permissive tag must not hide any. No tag names another text."""
    claimed = {id for tag in tags for id in tag.licences}
    inherited = {id for model in models for id in model.licences}
    for text in texts:
        if text.kind != "licence" or not claimed:
            continue
        hidden = _permissive(claimed, knowledge) and not _permissive(text.licences, knowledge)
        if text.licences and not {*text.licences} & (claimed if hidden else claimed | inherited):
            yield Contradiction("tag and text", f"{text.file} is {_or(text.licences)}, {_said(tags)}")
        elif not text.licences and _is_long(text) and not {*text.nearest} & claimed and claimed <= knowledge.with_text:
            yield Contradiction("tag and text", f"{text.file} is another text than {_or(claimed)}, {_said(tags)}")


def _is_long(text: TextAnswer) -> bool:
    return "too few" not in text.reason


def _bases(
    texts: Iterable[TextAnswer], tags: tuple[TagAnswer, ...], models: Iterable[ModelAnswer], knowledge: Knowledge
) -> Iterator[Contradiction]:
    """A permissive tag or text over a base that is not; or one version of a house's terms over another version."""
    tagged = {id for tag in tags for id in tag.licences}
    written = {id for text in texts if text.kind == "licence" for id in text.licences}
    for model in models:
        for id in model.licences:
            base = knowledge.licence(id)
            if base is None or base.is_permissive or id in (tagged or written):
                continue
            theirs = f"{model.model} ({model.field}) comes under {id}"
            if tagged and all(_hides(one, base, knowledge) for one in tagged):
                yield Contradiction("tag and base", f"{theirs}, {_said(tags)}")
            elif not tagged and written and all(_hides(one, base, knowledge) for one in written):
                yield Contradiction("text and base", f"{theirs}, the text here is {_or(written)}")


def _permissive(ids: Iterable[str], knowledge: Knowledge) -> bool:
    found = [knowledge.licence(id) for id in ids]
    return all(licence is not None and licence.is_permissive for licence in found)


def _hides(id: str, base: Licence, knowledge: Knowledge) -> bool:
    own = knowledge.licence(id)
    return own is not None and (own.is_permissive or own.steward == base.steward)


def _beside(
    texts: tuple[TextAnswer, ...], tags: Iterable[TagAnswer], models: Iterable[ModelAnswer], knowledge: Knowledge
) -> Iterator[Contradiction]:
    """Policies and notices that belong to terms that nothing else names."""
    elsewhere = {id for text in texts if text.kind == "licence" for id in text.licences + text.nearest}
    elsewhere |= {id for answers in (tags, models) for answer in answers for id in answer.licences}
    if not elsewhere:
        return
    for text in texts:
        if text.kind == "policy" and text.licences and not {*text.licences} & elsewhere:
            what = f"{text.file} is the policy of {_or(text.licences)}; named here: {', '.join(sorted(elsewhere))}"
            yield Contradiction("policy and licence", what)
        for id in text.licences if text.kind == "notice" else ():
            spoken = knowledge.licence(id)
            if spoken is not None and not spoken.is_permissive and id not in elsewhere:
                yield Contradiction("notice", f"{text.file} speaks of {id}, which nothing else here names")


def _changed(
    texts: Iterable[TextAnswer], tags: Iterable[TagAnswer], models: Iterable[ModelAnswer]
) -> Iterator[Contradiction]:
    """Texts that are a licence but for some places, or not the licence that they are said to be."""
    said = {id for answers in (tags, models) for answer in answers for id in answer.licences}
    for text in texts:
        if text.kind != "licence":
            continue
        if text.places:
            words = f" ({', '.join(text.words)})" if text.words else ""
            yield Contradiction(
                "changed text",
                f"{text.file} is {text.name} but for {text.places} place{'s' if text.places > 1 else ''}{words}",
            )
        elif not text.licences and len(text.nearest) == 1 and text.nearest[0] in said:
            what = f"{text.file} is close to {text.nearest[0]} and not the same: {text.reason}"
            yield Contradiction("changed text", f"{what}; a changed copy, or a sibling that is not known here")


def _open(
    papers: Papers, texts: Iterable[TextAnswer], tags: Iterable[TagAnswer], models: Iterable[ModelAnswer]
) -> Iterator[str]:
    """Why the licences named may not be all, or not the right ones."""
    yield from (f"{paper.file}: {paper.reason}" for paper in papers.not_read if paper.reason != NO_FRONT)
    settled = {id for text in texts if text.kind == "licence" for id in text.licences}
    settled |= {id for model in models for id in model.licences}
    single = {tag.licences[0] for tag in tags if len(tag.licences) == 1}
    for text in texts:
        told_by_tag = len(text.nearest) > 1 and {*text.nearest} & single
        too_short = bool(single) and not _is_long(text)
        if text.kind == "licence" and not (text.licences or told_by_tag or too_short):
            yield f"{text.file}: {text.reason}"
        if text.beside > MOST_BESIDE or text.restricting:
            said = f" ({', '.join(text.restricting)})" if text.restricting else ""
            yield f"{text.file}: it holds more than {text.name}; what else it says was not recognised{said}"
    for tag in tags:
        named = tag.value.casefold() not in NO_NAME and not tag.field.endswith("link")
        if len(tag.licences) > 1 and not {*tag.licences} & (settled | single):
            yield f"{tag.file} {tag.field}: {tag.value} may be {_or(tag.licences)}"
        elif not tag.licences and named and not settled:
            yield f"{tag.file} {tag.field}: {tag.value} is no name of terms known here"
    yield from (model.reason for model in models if model.reason)


def _applying(texts: Iterable[TextAnswer], tags: Iterable[TagAnswer], models: Iterable[ModelAnswer]) -> Iterator[str]:
    yield from (id for text in texts if text.kind == "licence" for id in text.licences)
    yield from (tag.licences[0] for tag in tags if len(tag.licences) == 1)
    yield from (id for model in models for id in model.licences)


def _said(tags: Iterable[TagAnswer]) -> str:
    said = (f"{tag.field} in {tag.file} says {tag.value}" for tag in tags if tag.licences)
    return "; ".join(dict.fromkeys(said))


def _or(ids: Iterable[str]) -> str:
    return " or ".join(sorted(ids))
