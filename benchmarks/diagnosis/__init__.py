"""How often kubereach is right, on clusters whose faults were put in: `python -m benchmarks.diagnosis`.

`generate` draws a cluster, breaks it, and prints what real programs would print. It shares no code with kubereach, so
that the two can disagree. `score` asks kubereach, `report` writes docs/accuracy.md.
"""
