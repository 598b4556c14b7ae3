"""Readers under mutated goldens: `python -m tests.fuzz --inputs 200000`."""
