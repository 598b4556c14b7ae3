"""What every module in diagnose/faults must keep to: it knows worlds, never the text of evidence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import kubereach.diagnose.faults as package
from kubereach.diagnose.catalogue import fault_module
from kubereach.diagnose.faults._index import FAULTS
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.cause_class import CLASSES

FOLDER = Path(package.__file__ or "").parent
MODULES = sorted(path for path in FOLDER.glob("*.py") if not path.name.startswith("_"))
FORBIDDEN = ("kubereach.evidence", "kubereach.build", "kubereach.sources", "re", "os", "pathlib", "subprocess", "yaml")
EVERYBODYS = {"127.0.0.1", "0.0.0.0", "0.0.0.0/0", "::1", "::", "::/0"}
PRODUCTS = {"192.192.192.192", "10.85.0.0/16"}  # Cilium's placeholder endpoint, cri-o's default bridge
HEADINGS = ("What happens", "How it looks", "Confirm", "Fix", "Not to be confused with", "References")


def _imported(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _literals(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_index_names_every_module() -> None:
    assert sorted(module for module, _ in FAULTS.values()) == [path.stem for path in MODULES]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_no_fault_reads_evidence(path: Path) -> None:
    imported = set(_imported(ast.parse(path.read_text(encoding="utf-8"))))
    bad = [name for name in imported for root in FORBIDDEN if name == root or name.startswith(f"{root}.")]
    assert bad == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_no_fault_names_an_address(path: Path) -> None:
    """Only what products put there themselves, and loopback and "any", which are everybody's.

    A section of an RFC looks like an address.
    """
    text = re.sub(r"sections? [\d.]+", "", path.read_text(encoding="utf-8"))
    words = {word for literal in _literals(ast.parse(text)) for word in re.split(r"[\s,;()'\"=]+", literal)}
    named = {canonical_address(w) or canonical_prefix(w) for w in words if "." in w or "::" in w}
    assert named - {None, *EVERYBODYS, *PRODUCTS} == set()


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_documented_and_its_numbers_are_chances(code: str) -> None:
    module = fault_module(code)
    text = module.__doc__ or ""
    positions = [text.find(heading) for heading in HEADINGS]
    assert -1 not in positions, HEADINGS[positions.index(-1)]
    assert positions == sorted(positions)
    assert module.FAULT.code == code
    assert module.FAULT.class_ == FAULTS[code][1]
    assert module.FAULT.class_ in CLASSES
    assert 0.0 < module.FAULT.prior < 0.5
