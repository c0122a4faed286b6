"""The search finds the exact argmax, with and without priors, whatever the labels look like."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.providers.label_trie import Search, Trie

tokens = st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple)
label_sets = st.lists(tokens, min_size=1, max_size=12)


def next_token(path, seed):
    """A made-up model: log-probabilities of the tokens 0 to 3 after a path."""
    rng = random.Random(repr((path, seed)))
    weights = [rng.random() ** 4 + 1e-6 for _ in range(4)]
    return [math.log(weight / sum(weights)) for weight in weights]


def brute_force(labels, seed, priors):
    scores = []
    for label, prior in zip(labels, priors, strict=True):
        total = 0.0
        for place, token in enumerate(label):
            total += next_token(label[:place], seed)[token]
        scores.append(total - prior)
    return scores


def run(search, seed, width=1):
    while runs := search.next_runs(width):
        for one in runs:
            rows = []
            for node in one.nodes:
                after = next_token(tuple(step.token for step in node.path()), seed)
                rows.append([after[token] for token in node.children])
            search.tell(one, rows)


@given(label_sets, st.integers(0, 10**6), st.integers(1, 4), st.data())
def test_the_best_label_is_that_of_brute_force(labels, seed, width, data):
    priors = data.draw(
        st.one_of(
            st.just([0.0] * len(labels)),
            st.lists(st.floats(-20, 0), min_size=len(labels), max_size=len(labels)),
        )
    )
    expected = brute_force(labels, seed, priors)
    search = Search(Trie(labels), priors)
    run(search, seed, width)
    assert search.best_score == max(expected)
    assert search.best == expected.index(max(expected))


@given(label_sets, st.integers(0, 10**6))
def test_a_full_search_scores_every_label(labels, seed):
    search = Search(Trie(labels), full=True)
    run(search, seed)
    assert search.scores == brute_force(labels, seed, [0.0] * len(labels))


@given(
    st.lists(tokens, min_size=1, max_size=12) | st.lists(tokens, min_size=300, max_size=300, unique=True),
    st.lists(st.sampled_from([-0.25, -0.5, -1.0, 0.0, -math.inf]), min_size=7, max_size=7),
    st.sampled_from([None, [0.0], [-0.25, -0.5], [0.0, -8.0, 3.0]]),
    st.integers(1, 4),
    st.booleans(),
)
def test_ties_go_to_the_label_named_first_whatever_is_asked(labels, table, cycle, width, full):
    """A table of few values gives ties at every turn, and labels that cannot be at all."""
    priors = None if cycle is None else [cycle[index % len(cycle)] for index in range(len(labels))]

    def ask(path, token):
        return table[(sum(path) * 5 + len(path) * 3 + token) % len(table)]

    expected = [
        sum(ask(label[:place], token) for place, token in enumerate(label)) - (priors[index] if priors else 0.0)
        for index, label in enumerate(labels)
    ]
    search = Search(Trie(labels), priors, full=full)
    while runs := search.next_runs(width):
        for one in runs:
            paths = [tuple(step.token for step in node.path()) for node in one.nodes]
            search.tell(
                one,
                [[ask(path, token) for token in node.children] for path, node in zip(paths, one.nodes, strict=True)],
            )
    assert search.best == expected.index(max(expected))
    assert search.best_score == max(expected)
    assert not full or search.scores == expected


def test_a_label_that_begins_another_can_win_and_can_lose():
    labels = [(1,), (1, 2)]
    search = Search(Trie(labels), [0.0, -5.0])
    (root_run,) = search.next_runs(1)
    assert [node.token for node in root_run.nodes] == [-1, 1], "the only way down is asked about at once"
    search.tell(root_run, [[-1.0], [-0.5]])
    assert search.done
    assert (search.best, search.best_score) == (1, 3.5)
    plain = Search(Trie(labels))
    plain.tell(plain.next_runs(1)[0], [[-1.0], [-0.5]])
    assert (plain.best, plain.best_score) == (0, -1.0)


def test_what_cannot_win_is_not_asked_about():
    search = Search(Trie([(1, 1), (1, 2), (2, 1), (2, 2)]))
    search.tell(search.next_runs(1)[0], [[-0.1, -2.5]])
    search.tell(search.next_runs(1)[0], [[-0.2, -1.8]])
    assert search.done
    assert search.next_runs(1) == []
    assert search.asked == 2


def test_a_prior_below_an_open_node_keeps_it_open():
    search = Search(Trie([(1, 1), (1, 2), (2, 1), (2, 2)]), [0.0, 0.0, 0.0, -9.0])
    search.tell(search.next_runs(1)[0], [[-0.1, -2.5]])
    (first,) = search.next_runs(1)
    assert first.nodes[0].token == 2, "its bound is -2.5 + 9"


def test_labels_of_equal_tokens_share_a_node_and_the_first_wins():
    search = Search(Trie([(3,), (1,), (1,)]))
    search.tell(search.next_runs(1)[0], [[-3.0, -0.5]])
    assert search.best == 1
    assert search.scores[1] == search.scores[2]


def test_a_label_without_tokens_is_refused():
    with pytest.raises(ValueError, match="label 1 has no tokens"):
        Trie([(1,), ()])
