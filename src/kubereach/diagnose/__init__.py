"""Observations and hypotheses to ranked causes."""
