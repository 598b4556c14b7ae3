"""Predictions held against the real kernel and the real daemons: a few experiments of the many of `make fidelity`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubereach.errors import UsageError
from kubereach.lab import draw, enactment, requirements, scenario
from kubereach.lab.fidelity import campaign, sickbay
from kubereach.lab.fidelity.report import as_line, summarise
from kubereach.lab.lab import names, wait

CASES = sickbay.load(Path(__file__).with_name("sickbay.yaml"))
EXPERIMENTS = (
    "calico-local",
    "calico-local+forward-drop@node/wk-1",
    "calico-mesh+bgp-session-blocked@node/beta",
    "metallb-bgp+no-ready-endpoints",
    "metallb-l2-local+l2-antispoof",
)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_is_predicted_happens(name: str) -> None:
    system = campaign.planned(name)
    try:
        requirements.check(system)
    except UsageError as missing:
        pytest.skip(missing.message)
    if os.geteuid() != 0:
        pytest.skip("a lab of network namespaces takes root")
    found = campaign.one(name, system, f"fid{os.environ.get('PYTEST_XDIST_WORKER', '')}")
    assert not found.error
    summary = summarise([found], CASES)
    assert [as_line(*row) for row in summary.unknown] == []
    assert summary.decided >= 10, "an experiment that decides little proves little"


def test_sickbay_cases_are_of_enacted_faults_and_give_reasons() -> None:
    for case in CASES:
        assert case.cause
        assert case.expectation
        named = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", case.fault)
        assert all(any(known.startswith(code) for known in enactment.codes()) for code in named)
    assert len({case.name for case in CASES}) == len(CASES)


def test_same_number_draws_the_same_system() -> None:
    systems = [draw.draw(number) for number in range(40)]
    assert systems == [draw.draw(number) for number in range(40)]
    for system in systems:
        scenario._check(system)
    assert len({system.announcer.kind for system in systems}) == 4
    assert {len(system.faults) for system in systems} == {0, 1, 2}


def test_shrinking_keeps_what_fails_and_drops_the_rest() -> None:
    number = next(n for n in range(200) if len(draw.draw(n).faults) == 2 and len(draw.draw(n).nodes) > 2)
    guilty = draw.draw(number).faults[1]
    small = campaign.shrunk(number, lambda system: guilty in system.faults)
    assert small.faults == (guilty,)
    assert len(small.nodes) <= len(draw.draw(number).nodes)
    assert list(small.clients) == [small.client]
    scenario._check(small)


def test_interrupted_campaign_leaves_nothing_behind() -> None:
    if os.geteuid() != 0:
        pytest.skip("a lab of network namespaces takes root")
    words = [sys.executable, "-m", "kubereach", "lab", "run", "calico-local", "metallb-l2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        prefix = f"f{process.pid % 10000}x"
        assert wait(lambda: any(name.startswith(prefix) for name in names()), 30)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert not [name for name in names() if name.startswith(prefix)]
    assert (
        f"kr-{prefix}" not in subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    )
