"""From the basis of a decision to its certainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from steelyard.decision.basis import Basis
from steelyard.decision.certainty import Against, Certainty, CorpusFigure, NextSamples, SliceFigure
from steelyard.decision.choose import cost_of_line, quality_of
from steelyard.decision.compare import ALPHA, separable_in
from steelyard.decision.figures import quality_of_scores, scored
from steelyard.decision.record import Standing
from steelyard.decision.sentences import counted, listed, points, sentence
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated, NonInferiority, holm, noninferiority, not_beaten
from steelyard.stats.paired import score_test
from steelyard.visible import visible

CHANCE = 0.7
NO_MARGIN = Unknown("the study states no margin")
TOO_FAR = 20
"""More than so many times the samples there are is no plan for anybody."""
MOST_PARTS = 30
"""A column with more values than this is no slice; its rarest are put together."""
OTHERS = "all others"
LONGEST_PART = 60  # characters


@dataclass(frozen=True)
class Groups:
    """What is known of the samples, by id: `clusters` one each, `slices` a value for every column, right answers."""

    clusters: Mapping[str, str] | None = None
    slices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)

    def clusters_of(self, samples: Sequence[str]) -> list[str] | None:
        """A sample without a cluster stands alone."""
        return None if self.clusters is None else [self.clusters.get(sample) or sample for sample in samples]


def certainty(basis: Basis, groups: Groups) -> Certainty:
    """Everything is about those that were measured; the best is the most accurate of those that passed every gate."""
    measured = [line for line in basis.lines if isinstance(line.quality, Estimate)]
    passed = sorted((line for line in measured if line.passed), key=lambda line: -quality_of(line))
    leader = max(passed or measured, key=quality_of, default=None)
    separable = separable_in(basis.comparisons)
    quality = {line.candidate: quality_of(line) for line in measured}
    unbeaten = not_beaten(list(quality), lambda a, b: separable(a, b) and quality[a] < quality[b])
    against = _against(basis, groups, leader, measured) if leader else ()
    following = _next(basis, groups, passed or measured)
    slices = _slices(basis, groups, passed or measured)
    return Certainty(
        best=leader.candidate if leader else "",
        not_beaten=tuple(unbeaten),
        margin=NO_MARGIN if basis.case.margin is None else basis.case.margin,
        against=against,
        next_samples=following,
        slices=slices,
        sentences=tuple(sentence(text) for text in _sentences(basis, leader, unbeaten, against, following)),
        slice_warnings=tuple(sentence(text) for text in _warnings(basis, slices)),
        corpus=_corpus(basis, groups, leader, measured) if leader else (),
    )


def _common(basis: Basis, first: str, second: str) -> tuple[list[str], list[float], list[float]]:
    ours, theirs = (scored(basis.measurements[one]) for one in (first, second))
    both = [sample for sample in ours if sample in theirs]
    return both, [ours[sample] for sample in both], [theirs[sample] for sample in both]


def _against(basis: Basis, groups: Groups, best: Standing, lines: Sequence[Standing]) -> tuple[Against, ...]:
    """Without a margin the differences alone; with one, claims over all candidates together (Holm)."""
    margin = basis.case.margin
    found: list[tuple[Standing, NonInferiority]] = []
    for line in lines:
        if line is best:
            continue
        both, ours, theirs = _common(basis, line.candidate, best.candidate)
        compared = noninferiority(ours, theirs, margin or 0.0, groups.clusters_of(both), basis.data.n_test)
        if isinstance(compared, NonInferiority):
            found.append((line, compared))
    items, traffic = (holm([getattr(one, p) for _, one in found]) for p in ("p_items", "p_traffic"))
    return tuple(
        Against(
            candidate=line.candidate,
            items=one.items,
            traffic=one.traffic,
            within_items=NO_MARGIN if margin is None else on_items < ALPHA,
            within_traffic=NO_MARGIN if margin is None else on_traffic < ALPHA,
            cheaper=_cheaper(line, best),
        )
        for (line, one), on_items, on_traffic in zip(found, items, traffic, strict=True)
    )


def _cheaper(line: Standing, best: Standing) -> bool:
    """Known to be: a cost that nobody knows is not a high one."""
    ours, theirs = cost_of_line(line), cost_of_line(best)
    return isinstance(ours, Estimate) and isinstance(theirs, Estimate) and ours.value < theirs.value


def _next(basis: Basis, groups: Groups, lines: Sequence[Standing]) -> NextSamples | Unknown:
    """For the first two by accuracy, at the level that Holm leaves for pairs not told apart yet."""
    from steelyard.stats.power import TOO_MANY, more_items

    if len(lines) < 2:
        return Unknown("there are no two to tell apart")
    first, second = sorted(lines, key=lambda line: -quality_of(line))[:2]
    if separable_in(basis.comparisons)(first.candidate, second.candidate):
        return Unknown("the first two are told apart")
    both, ours, theirs = _common(basis, first.candidate, second.candidate)
    test = score_test(ours, theirs, groups.clusters_of(both))
    if isinstance(test, Unknown):
        return test
    open_pairs = sum(not pair.separable for pair in basis.comparisons)
    more = more_items(test.wins, test.losses, test.count, max(1, open_pairs), CHANCE)
    samples = None if more is None else _round_up(more * len(both) / test.count)
    if samples is None or samples > TOO_FAR * len(both):
        far = Unknown(f"more than {counted(min(TOO_FAR * len(both), TOO_MANY), 'sample')}")
        return NextSamples(first.candidate, second.candidate, far, CHANCE)
    return NextSamples(first.candidate, second.candidate, samples, CHANCE)


def _round_up(count: float) -> int:
    """To two digits: nobody labels 387 samples because of the 7."""
    step = max(1, 10 ** (len(str(int(count))) - 2))
    return int(-(-count // step) * step)


def _slices(basis: Basis, groups: Groups, lines: Sequence[Standing]) -> tuple[SliceFigure, ...]:
    from steelyard.stats.slices import Slice, shrunken

    found: list[tuple[str, str, Slice]] = []
    for column in dict.fromkeys(name for parts in groups.slices.values() for name in parts):
        for line in lines:
            scores = scored(basis.measurements[line.candidate])
            samples = [sample for sample in scores if column in groups.slices.get(sample, {})]
            parts = _parts([groups.slices[sample][column] or "(none)" for sample in samples])
            by_part: dict[str, list[str]] = {part: [] for part, _ in Counter(parts).most_common()}
            for part, sample in zip(parts, samples, strict=True):
                by_part[part].append(sample)
            if len(by_part) < 2:
                continue
            raw = {
                part: quality_of_scores([scores[sample] for sample in inside], groups.clusters_of(inside))
                for part, inside in by_part.items()
            }
            values, clusters = [scores[sample] for sample in samples], groups.clusters_of(samples)
            found += [(column, line.candidate, one) for one in shrunken(values, parts, raw, clusters)]
    adjusted = holm([one.p_value for _, _, one in found])
    return tuple(
        SliceFigure(column, one.name, name, one.n, one.raw, one.shrunk, p, one.small, p < ALPHA)
        for (column, name, one), p in zip(found, adjusted, strict=True)
    )


def _corpus(basis: Basis, groups: Groups, best: Standing, lines: Sequence[Standing]) -> tuple[CorpusFigure, ...]:
    """The metrics that the study names, for all measured, over the samples that have a score."""
    if not basis.case.also:
        return ()
    from steelyard.stats.corpus import METRICS, corpus_difference, corpus_metric

    answers = {}
    for line in lines:
        measurement = basis.measurements[line.candidate]
        rows = zip(measurement.samples, measurement.answers, measurement.scores, strict=True)
        answers[line.candidate] = {sample: said for sample, said, score in rows if not isinstance(score, Unknown)}
    found: list[CorpusFigure] = []
    for name in basis.case.also:
        for line in lines:
            ours, theirs = answers[line.candidate], answers[best.candidate]
            samples = [sample for sample in ours if sample in groups.targets]
            right = [groups.targets[sample] for sample in samples]
            clusters = groups.clusters_of(samples)
            value = corpus_metric(METRICS[name], right, [ours[s] for s in samples], _grouped(clusters))
            less: Estimated = Unknown("the best itself")
            p = 1.0
            if line is not best:
                both = [sample for sample in samples if sample in theirs]
                compared = corpus_difference(
                    METRICS[name],
                    [groups.targets[sample] for sample in both],
                    [ours[sample] for sample in both],
                    [theirs[sample] for sample in both],
                    _grouped(groups.clusters_of(both)),
                )
                less = compared if isinstance(compared, Unknown) else compared.estimate
                p = 1.0 if isinstance(compared, Unknown) else compared.p_value
            found.append(CorpusFigure(name, line.candidate, value, less, p))
    adjusted = iter(holm([one.p_adjusted for one in found if one.candidate != best.candidate]))
    return tuple(one if one.candidate == best.candidate else replace(one, p_adjusted=next(adjusted)) for one in found)


def _grouped(clusters: list[str] | None) -> list[str] | None:
    """Clusters of one sample each are none; without any the bootstrap counts equal samples together."""
    return clusters if clusters is not None and len(set(clusters)) < len(clusters) else None


def _parts(values: list[str]) -> list[str]:
    """The rarest values of a column with many are put together."""
    common = Counter(values).most_common()
    if len(common) <= MOST_PARTS:
        return values
    kept = {value for value, _ in common[: MOST_PARTS - 1]}
    return [value if value in kept else OTHERS for value in values]


def _sentences(
    basis: Basis,
    best: Standing | None,
    unbeaten: Sequence[str],
    against: Sequence[Against],
    following: NextSamples | Unknown,
) -> list[str]:
    names = {line.candidate: line.name for line in basis.lines}
    said = []
    if best is not None and len(names) > 1 and basis.comparisons:
        others = [names[candidate] for candidate in unbeaten]
        if len(others) > 1:
            said.append(f"Not shown to be worse than any other, all pairs together at 95 %: {listed(others)}")
        elif others:
            said.append(f"Shown to be better than every other, all pairs together at 95 %: {others[0]}")
    said += _margin_words(basis, best, against, names)
    if isinstance(following, NextSamples):
        pair = f"{names[following.first]} and {names[following.second]}"
        if isinstance(following.samples, Unknown):
            said.append(
                f"To tell {pair} apart with probability {CHANCE:g} would take {following.samples.reason} more: "
                "take them for equally good and let something else decide"
            )
        else:
            said.append(
                f"About {counted(following.samples, 'more labelled sample')} would tell {pair} apart with "
                f"probability {following.chance:g}"
            )
    return said


def _margin_words(
    basis: Basis, best: Standing | None, against: Sequence[Against], names: Mapping[str, str]
) -> list[str]:
    margin, cheaper = basis.case.margin, [one for one in against if one.cheaper]
    if margin is None or best is None:
        return []
    if not cheaper:
        return [f"None is known to cost less than {best.name}: nothing is to be gained from the margin"]
    here = f"these {counted(basis.data.n_test, 'sample')}"
    width = f"{points(margin)} points worse than {best.name}"
    shown = [names[one.candidate] for one in cheaper if one.within_traffic is True]
    only = [names[one.candidate] for one in cheaper if one.within_traffic is False and one.within_items is True]
    said = []
    if shown:
        said.append(f"Cheaper, and shown to be less than {width} on traffic like this: {listed(shown)}")
    if only:
        said.append(
            f"Cheaper, and less than {width} on {here}, which are too few to show it for traffic like this: "
            f"{listed(only)}"
        )
    if not shown and not only:
        said.append(f"No cheaper candidate is shown to be less than {width}")
    return said


def _warnings(basis: Basis, slices: Sequence[SliceFigure]) -> list[str]:
    if not slices:
        return []
    names = {line.candidate: line.name for line in basis.lines}
    small = {(one.column, one.part) for one in slices if one.small}
    said = [
        f"{counted(len(slices), 'figure')} of slices were looked at: by chance alone about one in 20 lies outside its "
        "own 95 % interval, so take one for real only if it stands out after correction"
    ]
    if small:
        whole = len({(one.column, one.part) for one in slices})
        said.append(
            f"{len(small)} of {counted(whole, 'slice')} {'has' if len(small) == 1 else 'have'} fewer than 30 samples: "
            "those figures are mostly the whole's"
        )
    out = [
        f"{names[one.candidate]} on {one.column} = {visible(one.part, LONGEST_PART)}"
        for one in slices
        if one.stands_out
    ]
    said.append(f"Standing out after correction: {listed(out)}" if out else "None stands out after correction")
    return said
