from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from kubereach.diagnose import indexing
from kubereach.diagnose.catalogue import fault_module
from kubereach.diagnose.faults._index import FAULTS
from kubereach.model.cause_class import CLASSES
from kubereach.probes._index import PROBES

HEADINGS = ("What happens", "How it looks", "Confirm", "Fix", "Not to be confused with", "References")


@pytest.mark.parametrize(("folder", "text"), indexing.INDEXES)
def test_the_indexes_repeat_their_folders(folder: str, text: object) -> None:
    assert callable(text)
    assert Path(folder, "_index.py").read_text(encoding="utf-8") == text(), "run `make index`"


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_every_fault_documents_itself_and_has_a_public_class(code: str) -> None:
    module = fault_module(code)
    text = module.__doc__ or ""
    assert [heading for heading in HEADINGS if f"\n{heading}" not in text] == []
    assert module.FAULT.class_ in CLASSES
    assert 0 < module.FAULT.prior < 0.5
    assert all(callable(getattr(module, name)) for name in ("suspects", "apply", "remove", "repair"))


@pytest.mark.parametrize("kind", PROBES)
def test_every_probe_has_a_background_and_answers_for_itself(kind: str) -> None:
    module = import_module(f"kubereach.probes.{kind}")
    assert module.__doc__
    assert module.BACKGROUND
    assert all(0 < p <= 1 for p in module.BACKGROUND.values())
    assert all(callable(getattr(module, name)) for name in ("sightings", "predict", "offers", "means"))
