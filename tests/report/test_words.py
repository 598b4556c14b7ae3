from __future__ import annotations

import pytest

from kubereach.model.diagnosis import Target
from kubereach.report.words import flow, likelihood, line_count, listed, percent, places, sentence


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.0, "0%"), (0.001, "<1%"), (0.01, "1%"), (0.834, "83%"), (0.99, "99%"), (0.997, ">99%"), (1.0, "100%")],
)
def test_percent_claims_no_certainty_that_is_not_there(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_likelihood_words_rise_with_the_number() -> None:
    assert likelihood(0.83) == "very likely, 83%"
    assert likelihood(0.3) == "possible, 30%"
    assert likelihood(1.0) == "certain, 100%"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (Target(), "the evidence names neither a service nor an address"),
        (Target(address="2001:db8::1", port=80), "an unnamed client to [2001:db8::1]:80/TCP"),
        (Target(service="a/b"), "an unnamed client to service a/b"),
        (Target(service="a/b", address="203.0.113.1", from_="10.0.0.9"), "10.0.0.9 to 203.0.113.1 (service a/b)"),
    ],
)
def test_flow_names_what_is_known(target: Target, shown: str) -> None:
    assert flow(target) == shown


def test_small_words() -> None:
    assert listed(()) == ""
    assert listed(("a", "b", "c"), "or") == "a, b or c"
    assert sentence("a。") == "a。"
    assert sentence(" a ") == "a."
    assert places(("p.txt:3", "p.txt:5-7", "q.txt:1", "p.txt:9", "r.txt")) == "p.txt:3, 5-7, q.txt:1, p.txt:9, r.txt"
    assert line_count("p.txt:3-9") == 7
    assert line_count("p.txt:9-3") == 1
    assert line_count("p.txt") == 1
