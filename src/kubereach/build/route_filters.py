"""Whether a RouterOS router's import filter takes the address in: its rules, as far as they are understood.

Sources: RouterOS manual, Route Selection and Filters (7: what no rule accepts is rejected), Routing Filters (6: what no
rule discards is accepted; without `prefix-length` only the prefix itself matches).
"""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_prefix, contains, host_prefix, prefix_length
from kubereach.model.attribute import ANNOUNCER, IMPORT_POLICY, LB_CIDRS, why
from kubereach.model.fact import Fact, Setting
from kubereach.model.network import Flow

_FILTER = r"routing-filter\[(\d{1,5})\]$"


def put_import_policy(facts: tuple[Fact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put what the one chain that is shown does to the address's host route, and to the range that holds it."""
    rules = [f for f in facts if isinstance(f, Setting) and not f.given and re.match(_FILTER, f.attribute)]
    rules = [f for f in rules if hosts.resolve(f.subject) == "router"]
    texts = [_pairs(str(f.value)) for f in rules]
    if not texts or not flow.address or len({t.get("chain") for t in texts}) != 1:
        return
    host = _accepts(texts, host_prefix(flow.address))
    ranges = [p for p in leaves.get("cluster", LB_CIDRS) or () if contains(p, flow.address)]
    calico = leaves.get("cluster", ANNOUNCER) == "calico-bgp"
    whole = _accepts(texts, ranges[0]) if ranges and calico else host
    if host is None or whole is None:
        return
    policy = "accept" if host else "aggregates-only" if whole else "none"
    says = f"its filter {'accepts' if host else 'refuses'} {host_prefix(flow.address)}: {rules[0].value}"
    leaves.put("router", IMPORT_POLICY, policy, (rules[0].origin,), rules[0].trust)
    leaves.put("router", why(IMPORT_POLICY), says, (rules[0].origin,), rules[0].trust)


def _pairs(text: str) -> dict[str, str]:
    rule = re.search(r"\brule=(.*)$", text)
    pairs = dict(re.findall(r"([\w-]{1,40})=(\S{1,200})", text[: rule.start()] if rule else text))
    return pairs | ({"rule": rule[1].strip('"')} if rule else {})


def _accepts(rules: list[dict[str, str]], prefix: str) -> bool | None:
    """Whether the rules let the prefix in; None where one is not understood."""
    seven = any("rule" in r for r in rules)
    for rule in rules:
        verdict = _seven(rule.get("rule", ""), prefix) if seven else _six(rule, prefix)
        if verdict == "unknown":
            return None
        if verdict:
            return verdict == "accept"
    return not seven


def _six(rule: dict[str, str], prefix: str) -> str:
    action = {"accept": "accept", "discard": "reject", "reject": "reject", "passthrough": "", "log": ""}
    if set(rule) - {"chain", "action", "prefix", "prefix-length", "invert-match"} - _SETTERS:
        return "unknown"
    match = True
    if given := canonical_prefix(rule.get("prefix", "")):
        first, _, last = rule.get("prefix-length", str(prefix_length(given))).partition("-")
        within = contains(given, prefix.partition("/")[0])
        match = within and int(first) <= prefix_length(prefix) <= int(last or first)
    if rule.get("invert-match") == "yes":
        match = not match
    return action.get(rule.get("action", "accept"), "unknown") if match else ""


_SETTERS = frozenset({"set-bgp-prepend-path", "set-bgp-local-pref", "set-distance", "comment", "set-bgp-med"})


def _seven(rule: str, prefix: str) -> str:
    """`if (dst in 10.0.0.0/8 && dst-len <= 32) { accept } else { reject }`, or an action alone."""
    match = re.fullmatch(
        r"\s*if\s*\(([^{}]{1,300})\)\s*\{([^{}]{0,200})\}(?:\s*else\s*\{([^{}]{0,200})\})?\s*;?\s*", rule
    )
    if match is None:
        return _action(rule) if "if" not in rule else "unknown"
    holds = _condition(match[1], prefix)
    if holds is None:
        return "unknown"
    return _action(match[2]) if holds else _action(match[3] or "")


def _action(text: str) -> str:
    last = [word for word in re.split(r"[;\s]+", text) if word]
    return next((w for w in last if w in {"accept", "reject"}), "")


def _condition(text: str, prefix: str) -> bool | None:
    if "||" in text or "not " in text or "!" in text.replace("!=", ""):
        return None
    answers = [_term(term.strip(), prefix) for term in text.split("&&")]
    return None if None in answers else all(answers)


def _term(term: str, prefix: str) -> bool | None:
    length = prefix_length(prefix)
    if among := re.fullmatch(r"dst\s+(in|==)\s+([0-9a-f.:]{2,45}/\d{1,3})", term):
        given = canonical_prefix(among[2])
        if given is None:
            return None
        inside = contains(given, prefix.partition("/")[0])
        return prefix == given if among[1] == "==" else inside and length >= prefix_length(given)
    if compared := re.fullmatch(r"dst-len\s*(<=|>=|==|<|>)\s*(\d{1,3})", term):
        number = int(compared[2])
        orders = {"<=": length <= number, ">=": length >= number, "==": length == number}
        return orders.get(compared[1], length < number if compared[1] == "<" else length > number)
    if among := re.fullmatch(r"dst-len\s+in\s+(\d{1,3})-(\d{1,3})", term):
        return int(among[1]) <= length <= int(among[2])
    return True if re.fullmatch(r"(?:afi ipv?4|protocol bgp)", term) else None
