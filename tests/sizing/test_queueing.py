"""Closed forms against sums worked out another way, and against tables."""

from __future__ import annotations

import math

import pytest

from steelyard.sizing.queueing import Queue, erlang_c


def by_the_sum(servers: int, load: float) -> float:
    """Erlang C as textbooks print it."""
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.3), (2, 1.2), (5, 4.9), (20, 14.0)])
def test_erlang_c_is_the_textbook_sum(servers: int, load: float) -> None:
    assert erlang_c(servers, load) == pytest.approx(by_the_sum(servers, load), rel=1e-12)


def test_one_exponential_server_is_m_m_1() -> None:
    """W_q = rho s / (1 - rho); the wait's tail is rho e^(-(1-rho) t / s)."""
    queue = Queue(1, 0.8, 1.0)
    assert queue.waiting_share == pytest.approx(0.8)
    assert queue.mean_wait == pytest.approx(4.0)
    assert queue.mean_latency == pytest.approx(5.0)
    assert queue.wait_quantile(0.95) == pytest.approx(math.log(0.8 / 0.05) / 0.2)
    assert queue.wait_quantile(0.1) == 0


def test_one_server_with_constant_service_waits_half_as_long() -> None:
    """Pollaczek and Khinchine."""
    assert Queue(1, 0.8, 1.0, variation=0).mean_wait == pytest.approx(2.0)


def test_an_overloaded_queue_grows_without_end() -> None:
    queue = Queue(3, 4.0, 1.0)
    assert (queue.waiting_share, queue.mean_wait, queue.wait_quantile(0.5)) == (1.0, math.inf, math.inf)


def test_many_servers_do_not_overflow() -> None:
    assert 0 < erlang_c(100_000, 99_900.0) < 1
