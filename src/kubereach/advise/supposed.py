"""Changes of a what-if, put into the facts before anything is built of them.

A change replaces a leaf where evidence gives it, so that whatever the build understands can be changed. What the model
does not come out different for is an error: a change without effect would look like a change that does not help.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from kubereach.advise.supposed_leaf import Leaf, applied_objects, parsed, replaced
from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.diagnose.catalogue import all_suspects
from kubereach.errors import UsageError
from kubereach.evidence.document import Document
from kubereach.model.fact import AnyFact
from kubereach.model.network import Network
from kubereach.model.what_if import Change
from kubereach.simulate.world import World

MOST_TRIED = 24  # fields of an object that are tried for a hint
SETTINGS = {
    "cluster": ("kube-proxy.mode", "kube-proxy.strictARP", "kubernetes.version"),
    "node": ("sysctl net.ipv4.ip_forward", "sysctl net.ipv4.conf.all.rp_filter"),
    "router": ("ip route PREFIX=static via ADDRESS",),
}


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks for: `SUBJECT.PATH=VALUE` texts, nodes to take away, and manifests to apply."""

    sets: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    manifests: tuple[Document, ...] = ()


class Supposed(Struct, frozen=True):
    """The network with the changes in it, what they were, and the nodes that are taken away."""

    network: Network
    changes: tuple[Change, ...]
    down: tuple[str, ...]


def suppose(facts: tuple[AnyFact, ...], network: Network, choice: Choice, wanted: Wanted) -> Supposed:
    """The changes put into `facts`, and the network built again of them for the same flow.

    Raises UsageError for a change of what is not in the evidence, or one that the model does not depend on, and
    UnreadableError for a manifest that is none.
    """
    changes: list[Change] = []
    for text in wanted.sets:
        leaf = parsed(text, network)
        facts, change = _set(facts, network, choice, leaf)
        changes.append(change)
    for document in wanted.manifests:
        facts, applied = _apply(facts, choice, document)
        changes += applied
    down = tuple(dict.fromkeys(_node(name, network) for name in wanted.down))
    changes += [Change(action="down", subject=node, note="its agent, proxy and pods are gone") for node in down]
    if not changes:
        raise UsageError("nothing is changed", "name a change with --set, --down or --apply")
    return Supposed(build(facts, choice), tuple(changes), down)


def _set(
    facts: tuple[AnyFact, ...], network: Network, choice: Choice, leaf: Leaf
) -> tuple[tuple[AnyFact, ...], Change]:
    changed, change = replaced(facts, leaf)
    if change.before == change.after:
        return facts, change
    if not _differs(build(facts, choice), build(changed, choice)):
        raise UsageError(
            f"kubereach's model does not depend on {leaf.path} of {leaf.subject}, or does not understand that value",
            _fields(facts, network, choice, leaf),
        )
    return changed, change


def _apply(facts: tuple[AnyFact, ...], choice: Choice, document: Document) -> tuple[tuple[AnyFact, ...], list[Change]]:
    before, found = facts, []
    for leaf in applied_objects(document):
        facts, change = replaced(facts, leaf)
        if change.before != change.after:
            found.append(change)
    if not found:
        return facts, [Change(action="apply", subject=document.name, note="everything in it stands so already")]
    if not _differs(build(before, choice), build(facts, choice)):
        raise UsageError(
            f"kubereach's model does not depend on anything that {document.name} changes",
            "the fields it changes: " + ", ".join(f"{c.subject} {c.path}" for c in found[:4]),
        )
    return facts, found


def _node(name: str, network: Network) -> str:
    node = name if name.startswith("node/") else f"node/{name}"
    if node in network.nodes:
        return node
    known = ", ".join(n.removeprefix("node/") for n in network.nodes)
    raise UsageError(f"the evidence shows no node {name.removeprefix('node/')}", f"nodes in it: {known}")


def _differs(before: Network, after: Network) -> bool:
    """Whether the model came out different: in a leaf, in what there is, or in what may be wrong."""
    if (before.flow, before.nodes, before.services, before.stack) != (
        after.flow, after.nodes, after.services, after.stack,
    ):  # fmt: skip
        return True
    if before.owners != after.owners or _values(before) != _values(after):
        return True
    return _presences(before) != _presences(after)


def _values(network: Network) -> dict[tuple[str, str], object]:
    return {key: seen.value for key, seen in network.settings.items()}


def _presences(network: Network) -> set[tuple[object, ...]]:
    return {(s.key, s.presence, s.prior) for s in all_suspects(World(network))}


def _fields(facts: tuple[AnyFact, ...], network: Network, choice: Choice, leaf: Leaf) -> str:
    """The hint: fields of the same object, or settings of the same subject, that the model does depend on."""
    if leaf.key is None:
        listed = SETTINGS.get(leaf.subject.partition("/")[0], ())
    else:
        shown = network.objects[leaf.key].fields if leaf.key in network.objects else {}
        paths = [path for path in shown if path.startswith(("spec", "status", "data", "endpoints"))][:MOST_TRIED]
        without = {path: replaced(facts, replace(leaf, path=path, values=()))[0] for path in paths}
        listed = tuple(path for path, changed in without.items() if _differs(network, build(changed, choice)))
    return f"it depends on {', '.join(listed)}" if listed else "nothing that the evidence shows of it matters to it"
