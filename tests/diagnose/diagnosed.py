"""Diagnoses that several tests look at, each made once in a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis
from kubereach.pipeline import Options, diagnose


def documents_of(path: Path) -> tuple[Document, ...]:
    """The files of a folder, or the one file."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple(Document(file.name, file.read_bytes()) for file in files)


@cache
def diagnosis_of(path: Path) -> Diagnosis:
    """The diagnosis of a file, or of the files in a folder."""
    return diagnose(documents_of(path), Options())
