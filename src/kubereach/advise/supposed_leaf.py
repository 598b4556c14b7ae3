"""One leaf of a what-if: `SUBJECT.PATH=VALUE` and manifests, and how it replaces what the facts say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from kubereach.build.objects import STATED_KINDS
from kubereach.errors import UnreadableError, UsageError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.evidence.kubernetes.kinds import kind_of
from kubereach.evidence.kubernetes.paths import typed
from kubereach.evidence.kubernetes.yaml_leaves import TooLargeError, compose, leaves_of
from kubereach.model.fact import AnyFact, ObjectLeaf, Scalar, Setting, Trust
from kubereach.model.kube_object import ObjectKey
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.model.what_if import Change

# A field of an object begins with one of these; every other attribute is one of stated.yaml.
_OBJECT_FIELD = r"(?:spec|status|metadata|data|subsets|endpoints|ports|addressType)(?=[.\[=]|$)"
_STATED = (
    r"(?:sysctl |net\.|ip route |interface |kube-proxy\.|kubernetes\.|bgp\.|cni\b|load-balancer\b|iptables\.|nft\.)"
)
_ROOMS = ("cluster", "router", "client")
# The API's own values (kubernetes/api core/v1 types.go; kube-proxy's --proxy-mode).
_VALUES = {
    "spec.externalTrafficPolicy": ("Cluster", "Local"),
    "spec.internalTrafficPolicy": ("Cluster", "Local"),
    "spec.type": ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    "kube-proxy.mode": ("iptables", "ipvs", "nftables", "ebpf", "userspace"),
    'data["config.conf"].mode': ("", "iptables", "ipvs", "nftables", "userspace"),
    "spec.vxlanMode": ("Always", "CrossSubnet", "Never"),
    "spec.ipipMode": ("Always", "CrossSubnet", "Never"),
}


class Leaf(Struct, frozen=True, kw_only=True):
    """One change: `key` is the object's, None for a setting. `values` are the leaves below `path`; () removes it."""

    action: str
    subject: str
    path: str
    values: tuple[tuple[str, Scalar], ...]
    key: ObjectKey | None = None
    api_group: str = ""
    origin: Origin


def parsed(text: str, network: Network) -> Leaf:
    """`SUBJECT.PATH=VALUE` as a leaf. Raises UsageError when it is not of that form or names what is not there."""
    left, equals, right = text.partition("=")
    subject, path = _split(left.strip())
    if not equals or not subject or not path:
        raise UsageError(
            f"--set {text!r} is not of the form SUBJECT.PATH=VALUE",
            "write it like `--set service/default/web.spec.externalTrafficPolicy=Cluster` "
            "or `--set 'node/a.sysctl net.ipv4.ip_forward=1'`",
        )
    key = _object(subject, network) if re.match(_OBJECT_FIELD, path) and subject not in _ROOMS else None
    if key is None and subject.startswith("node/") and subject not in network.nodes:
        raise UsageError(f"the evidence shows no {subject}", f"nodes in it: {', '.join(network.nodes)}")
    if key is None and subject not in _ROOMS and not re.match(_STATED, path):
        raise UsageError(
            f"{path!r} is no field of an API object and no setting",
            "fields begin with spec., status. or metadata.; settings are sysctl NAME, kube-proxy.mode and the like",
        )
    values = _values(right, path)
    for value in (value for where, value in values if where == path):
        _check(subject, path, value, key, network)
    origin = Origin(source=f"--set {text}")
    return Leaf(action="set", subject=subject, path=path, values=values, key=key, origin=origin)


def applied_objects(document: Document) -> Iterator[Leaf]:
    """The fields of the manifests in a document; a list is replaced whole, status is not applied.

    Raises UnreadableError when it holds no manifest, or text that is none.
    """
    evidence = read_evidence((document,))
    found = [fact for fact in evidence.facts if isinstance(fact, ObjectLeaf) and fact.name]
    if not found or evidence.unread:
        where = f" ({evidence.unread[0].origin.label()})" if evidence.unread else ""
        raise UnreadableError(
            f"{document.name} is no Kubernetes manifest{where}", "give YAML or JSON with kind, metadata.name and spec"
        )
    grouped: dict[tuple[str, str | None, str, str], list[ObjectLeaf]] = {}
    for fact in found:
        if not re.match(r"status\b|metadata\.(?:name|namespace|uid|resourceVersion|creationTimestamp)$", fact.path):
            root = re.match(r"[^\[]*?(?=\[\d)|.*", fact.path)
            grouped.setdefault((fact.kind, fact.namespace, fact.name, root[0] if root else fact.path), []).append(fact)
    for (kind, namespace, name, path), leaves in grouped.items():
        gone = len(leaves) == 1 and leaves[0].value is None
        yield Leaf(
            action="apply",
            subject="/".join(filter(None, (kind, namespace, name))),
            path=path,
            values=() if gone else tuple((leaf.path, leaf.value) for leaf in leaves),
            key=(kind, namespace or "default", name),
            api_group=leaves[0].api_group,
            origin=leaves[0].origin,
        )


def replaced(facts: tuple[AnyFact, ...], leaf: Leaf) -> tuple[tuple[AnyFact, ...], Change]:
    """`facts` with the leaf in the place of what they said there, and the change in words."""
    kept = tuple(fact for fact in facts if not _says(fact, leaf))
    old = [fact for fact in facts if _says(fact, leaf) and not fact.given]
    change = Change(
        action="apply" if leaf.action == "apply" else "set",
        subject=leaf.subject,
        path=leaf.path,
        before=_told([(_path(f), _value(f)) for f in _shown(old)], leaf.path),
        after=_told(leaf.values, leaf.path),
        origin=old[0].origin.label() if old else "",
    )
    return (*_facts(leaf), *kept), change


def _split(left: str) -> tuple[str, str]:
    """The subject and the path of `SUBJECT.PATH`; names of nodes and addresses hold dots themselves."""
    for room in _ROOMS:
        if left.startswith((f"{room}.", f"{room} ")):
            return room, left[len(room) + 1 :].strip()
    if "/" not in left:
        return "", ""
    found = re.search(rf"[. ](?=(?:{_OBJECT_FIELD}|{_STATED}))", left)
    if found is None:
        name, dot, path = left.rpartition("/")[2].partition(".")
        return (f"{left.rpartition('/')[0]}/{name}", path) if dot else ("", "")
    return left[: found.start()], left[found.end() :].strip()


def _object(subject: str, network: Network) -> ObjectKey:
    word, _, rest = subject.partition("/")
    namespace, _, name = rest.rpartition("/")
    known = kind_of(word)
    kind = STATED_KINDS.get(word.lower()) or (known.name if known else "")
    if word.lower() == "pool" and any(k == "IPPool" and n == name for k, _, n in network.objects):
        kind = "IPPool"
    if not kind:
        raise UsageError(
            f"{word!r} is no kind that kubereach knows", "write it as kubectl does: service, bgppeer, node"
        )
    found = [key for key in network.objects if key[0] == kind and key[2] == name and namespace in {"", key[1]}]
    if len(found) == 1:
        return found[0]
    others = [f"{key[1]}/{key[2]}" for key in (found or network.objects) if key[0] == kind]
    if found:
        raise UsageError(f"several objects are named {subject}", f"add the namespace: {', '.join(others)}")
    hint = f"{kind} objects in it: {', '.join(others[:6])}" if others else f"collect `kubectl get {word} -o yaml` first"
    raise UsageError(f"the evidence shows no {subject}", hint)


def _values(text: str, path: str) -> tuple[tuple[str, Scalar], ...]:
    text = text.strip()
    if text in {"null", ""} and not path.endswith(".mode"):
        return ()
    if not text.startswith(("[", "{")):
        return ((path, text[1:-1] if re.fullmatch(r"\"[^\"]*\"|'[^']*'", text) else typed(text)),)
    root, wrong = compose(text)
    if root is None or wrong is not None:
        raise UsageError(f"{text!r} is no JSON", 'write a list like ["10.0.0.0/24"], in quotes for the shell')
    try:
        return tuple((where, value) for where, value, _ in leaves_of(root, path) if value is not None)
    except TooLargeError:
        raise UsageError(f"the value of {path} is too large", "put it into a manifest and use --apply") from None


def _check(subject: str, path: str, value: Scalar, key: ObjectKey | None, network: Network) -> None:
    allowed = _VALUES.get(path)
    if allowed and str(value) not in allowed:
        raise UsageError(f"{path} of {subject} cannot be {value!r}", f"it is one of {', '.join(filter(None, allowed))}")
    old = network.objects[key].value(path) if key is not None and key in network.objects else None
    if isinstance(old, bool) and not isinstance(value, bool):
        raise UsageError(f"{path} of {subject} cannot be {value!r}", "it is true or false")
    if isinstance(old, int) and not isinstance(old, bool) and not isinstance(value, int) and "target" not in path:
        raise UsageError(f"{path} of {subject} cannot be {value!r}", "it is a number")


def _says(fact: AnyFact, leaf: Leaf) -> bool:
    if isinstance(fact, ObjectLeaf) and leaf.key is not None:
        kind, namespace, name = leaf.key
        same = fact.kind == kind and fact.name == name and (fact.namespace or namespace) == namespace
        return same and _under(fact.path, leaf.path)
    if not isinstance(fact, Setting):
        return False
    if leaf.key is None:
        mine = fact.subject in {leaf.subject, leaf.subject.removeprefix("node/")}
        return mine and fact.attribute.removeprefix("sysctl ") == leaf.path.removeprefix("sysctl ")
    word, _, rest = fact.subject.partition("/")
    known = kind_of(word)
    kind = STATED_KINDS.get(word) or (known.name if known else "")
    return kind == leaf.key[0] and rest.rpartition("/")[2] == leaf.key[2] and _under(fact.attribute, leaf.path)


def _under(path: str, root: str) -> bool:
    return path == root or (path.startswith(root) and path[len(root) : len(root) + 1] in {".", "["})


def _shown(facts: list[AnyFact]) -> list[AnyFact]:
    """The most trusted word for each path."""
    best: dict[str, AnyFact] = {}
    for fact in facts:
        if (known := best.get(_path(fact))) is None or fact.trust > known.trust:
            best[_path(fact)] = fact
    return list(best.values())


def _path(fact: AnyFact) -> str:
    return fact.path if isinstance(fact, ObjectLeaf) else fact.attribute if isinstance(fact, Setting) else ""


def _value(fact: AnyFact) -> Scalar:
    return fact.value if isinstance(fact, ObjectLeaf | Setting) else None


def _told(values: tuple[tuple[str, Scalar], ...] | list[tuple[str, Scalar]], root: str) -> str | None:
    """The value in words: a scalar as it is, what stands below as `path: value` pairs."""
    texts = [(path[len(root) :].lstrip("."), _word(value)) for path, value in sorted(values)]
    shown = [f"{path}: {text}" if path else text for path, text in texts]
    return ", ".join(shown) if shown else None


def _word(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _facts(leaf: Leaf) -> Iterator[AnyFact]:
    if leaf.key is None:
        for _, value in leaf.values:
            setting = Setting(origin=leaf.origin, subject=leaf.subject, attribute=leaf.path, value=value)
            yield replace(setting, trust=Trust.SUPPOSED)
        return
    kind, namespace, name = leaf.key
    for path, value in leaf.values:
        yield ObjectLeaf(
            origin=leaf.origin,
            trust=Trust.SUPPOSED,
            kind=kind,
            namespace=namespace,
            name=name,
            api_group=leaf.api_group,
            path=path,
            value=value,
        )
