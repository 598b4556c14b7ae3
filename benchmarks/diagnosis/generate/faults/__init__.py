"""What can be broken: one injector per code of kubereach's catalogue, by family. `ALL` holds them by code."""

from benchmarks.diagnosis.generate.faults import (
    allocation,
    announcing,
    client,
    fabric,
    layer2,
    misread,
    node,
    peering,
    pods,
    proxy,
    returning,
    router,
)
from benchmarks.diagnosis.generate.faults.registry import ALL, Injector

__all__ = ["ALL", "Injector"]
# Importing a family registers its injectors.
FAMILIES = (allocation, announcing, client, fabric, layer2, misread, node, peering, pods, proxy, returning, router)
