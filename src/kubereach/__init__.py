"""kubereach finds out why a client cannot reach a Kubernetes service address, and what will make it work."""

__version__ = "0.1.0"
