"""The kinds that the lab's API serves, with the names that kubectl finds them by."""

from __future__ import annotations

from msgspec import Struct


class Resource(Struct, frozen=True):
    """One kind of the API as discovery lists it."""

    version: str  # GROUP/VERSION, the core group's is `v1`
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group, "" for the core group."""
        return self.version.rpartition("/")[0]

    @property
    def title(self) -> str:
        """The name in error messages: `daemonsets.apps`, `services`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


# VERSION, then PLURAL KIND [SHORT…] a line; `-` marks kinds without a namespace.
_TABLE = """
@v1
configmaps ConfigMap cm
endpoints Endpoints ep
events Event ev
-namespaces Namespace ns
-nodes Node no
pods Pod po
secrets Secret
serviceaccounts ServiceAccount sa
services Service svc
@apps/v1
daemonsets DaemonSet ds
deployments Deployment deploy
replicasets ReplicaSet rs
statefulsets StatefulSet sts
@coordination.k8s.io/v1
leases Lease
@discovery.k8s.io/v1
endpointslices EndpointSlice
@networking.k8s.io/v1
networkpolicies NetworkPolicy netpol
@crd.projectcalico.org/v1
-bgpconfigurations BGPConfiguration
-bgpfilters BGPFilter
-bgppeers BGPPeer
-blockaffinities BlockAffinity
-felixconfigurations FelixConfiguration
-globalnetworkpolicies GlobalNetworkPolicy
-hostendpoints HostEndpoint
-ippools IPPool
@metallb.io/v1beta1
bgpadvertisements BGPAdvertisement
ipaddresspools IPAddressPool
l2advertisements L2Advertisement
@metallb.io/v1beta2
bgppeers BGPPeer
"""


def _read(table: str) -> tuple[Resource, ...]:
    found, version = [], ""
    for line in table.split("\n"):
        if line.startswith("@"):
            version = line[1:]
        elif line:
            plural, kind, *short = line.lstrip("-").split()
            found.append(Resource(version, plural, kind, not line.startswith("-"), tuple(short)))
    return tuple(found)


_ALL = _read(_TABLE)


def served(announcer: str) -> tuple[Resource, ...]:
    """The kinds of a cluster with that announcer: MetalLB's own are there where MetalLB is."""
    return tuple(r for r in _ALL if r.group != "metallb.io" or announcer.startswith("metallb"))


def resource_list(version: str, resources: tuple[Resource, ...]) -> dict[str, object]:
    """Discovery's APIResourceList of a version."""
    listed: list[dict[str, object]] = []
    for resource in resources:
        if resource.version != version:
            continue
        entry: dict[str, object] = {
            "name": resource.plural,
            "singularName": resource.kind.lower(),
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": ["get", "list"],
        }
        if resource.short:
            entry["shortNames"] = list(resource.short)
        if resource.plural in {"pods", "services", "daemonsets", "deployments", "replicasets", "statefulsets"}:
            entry["categories"] = ["all"]
        listed.append(entry)
    if version == "v1":
        listed.append({"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def group_list(resources: tuple[Resource, ...]) -> dict[str, object]:
    """Discovery's APIGroupList."""
    versions: dict[str, list[str]] = {}
    for resource in resources:
        if resource.group and resource.version not in versions.setdefault(resource.group, []):
            versions[resource.group].append(resource.version)
    groups = []
    for group, names in versions.items():
        entries = [{"groupVersion": name, "version": name.rpartition("/")[2]} for name in reversed(names)]
        groups.append({"name": group, "versions": entries, "preferredVersion": entries[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
