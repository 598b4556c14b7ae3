"""Broken clusters and what their programs print. Imports nothing of kubereach: a test holds that."""
