"""Logs of the other programs on the packet's way.

Reads: klog lines (kube-proxy and other Kubernetes programs) with kube-proxy's flags, Calico's confd and Felix, logrus
and slog lines of Cilium and kube-vip, keepalived's, and the error log of nginx (ingress-nginx).
Ask: `kubectl logs -n kube-system ds/kube-proxy` and the like.
Facts: LogEvent, whose event is the message's words without names and numbers; Setting `kube-proxy.flag.NAME` of the
cluster, and `kube-proxy.mode`. A message that repeats the last one with its words gives no second fact.
Not read: stack traces, lines in other shapes.

Format: k8s.io/klog/v2 header; calico libcalico-go/lib/logutils; logrus TextFormatter; keepalived lib/logger.c.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import AnyFact, LogEvent, Setting

_KLOG = (
    r"(?:\?\?\? )?[IWEF](?P<time>\d{4} \d\d:\d\d:\d\d\.\d{6})\s+\d{1,8} "
    r"(?P<file>[\w.-]{1,60}\.go):\d{1,6}\] ?(?P<text>.*)$"
)
_CALICO = (
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \[[A-Z]{4,8}\]\[\d{1,8}\] "
    r"(?P<file>[\w-]{2,30})/[\w./-]{1,60} \d{1,6}: (?P<text>.*)$"
)
_LOGRUS = r"(?:time=\"?(?P<time>[^\"\s]{4,40})\"? )?level=\w{3,8} (?:source=\S{1,200} )?msg=(?P<text>.*)$"
_DAY = r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)"
_SLOG = rf"{_DAY} (?:INFO|WARN|ERROR|DEBUG) (?P<text>\S.*)$"
_NGINX = rf"{_DAY} \[(?:notice|warn|error|crit|alert|emerg)\] \d{{1,8}}#\d{{1,8}}: (?:\*\d{{1,12}} )?(?P<text>.*)$"
_KEEPALIVED = (
    r"(?:(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) [\w.-]{1,60} )?(?:Keepalived(?:_vrrp)?\[\d{1,8}\]: (?P<text>.*)"
    r"|(?P<bare>(?:bogus VRRP packet received|VRRP_Instance\([\w.-]{1,60}\) |\([\w.-]{1,60}\):? (?:received an invalid "
    r"passwd|Entering \w+ STATE|ip address associated)).*))$"
)

COMMANDS = (r"\blogs?\b.*\b(?:kube-proxy|cilium|kube-vip|calico-node|keepalived|kube-router|nginx)",)
SIGNATURES = (
    r"(?:\?\?\? )?[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}\s+\d{1,8} [\w.-]{1,60}\.go:\d{1,6}\]",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[[A-Z]{4,8}\]\[\d{1,8}\] [\w-]{2,30}/",
    r"(?:time=\S{4,40} )?level=(?:info|warn|warning|error|debug|fatal) (?:source=\S{1,200} )?msg=",
    r"(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8} [\w.-]{1,60} )?Keepalived(?:_vrrp)?\[\d{1,8}\]: ",
    r"bogus VRRP packet received on ",
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? (?:INFO|WARN|ERROR|DEBUG) \S",
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:notice|warn|error|crit|alert|emerg)\] \d{1,8}#\d{1,8}: ",
    r"(?:VRRP_Instance)?\([\w.-]{1,60}\):? (?:received an invalid passwd|Entering \w+ STATE|ignoring received adv)",
)
ASKS = (
    Ask(
        command="kubectl logs -n kube-system ds/kube-proxy --tail=-1",
        where="cluster",
        gives="kube-proxy's mode and whether it can program the node",
    ),
)


def read(capture: Capture) -> Reading:
    """The messages, each once."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    seen: set[tuple[str, str, tuple[tuple[str, str], ...]]] = set()
    for index, line in enumerate(readable(capture.lines)):
        match, shape = _shape(line)
        if match is None:
            if line:
                unread.append(index)
            continue
        text = (match["text"] or "").strip() if shape != "keepalived" else (match["text"] or match["bare"] or "")
        flag = re.match(r"FLAG: --([\w-]{1,60})=\"?([^\"]{0,500})\"?$", text)
        if flag:
            facts.extend(_flag(capture, index, flag[1], flag[2]))
            continue
        event, fields = _nginx_message(text) if shape == "nginx" else _message(text)
        program = _program(capture, shape, match)
        # That a session changes again is the news.
        identity = (*fields, ("time", match["time"] or "")) if re.fullmatch(r"peer-(?:up|down)", event) else fields
        if (program, event, identity) not in seen:
            seen.add((program, event, identity))
            facts.append(_event(capture, index, (program, event, match["time"] or ""), fields))
    return Reading(facts=tuple(facts), unread=spans(unread))


def _shape(line: str) -> tuple[re.Match[str] | None, str]:
    """The line's parts and which of the shapes it has."""
    for shape, pattern in (
        ("klog", _KLOG),
        ("calico", _CALICO),
        ("logrus", _LOGRUS),
        ("keepalived", _KEEPALIVED),
        ("slog", _SLOG),
        ("nginx", _NGINX),
    ):
        match = re.match(pattern, line)
        if match:
            return match, shape
    return None, ""


def _message(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The event and the fields of a message with `key="value"` behind it."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"(.*)$', text)
    message, rest = (quoted[1], quoted[2]) if quoted else (text, "")
    if not quoted and (tail := re.search(r"\s[A-Za-z_][\w.]{0,40}=\S", text)):
        message, rest = text[: tail.start()], text[tail.start() :]
    pairs = re.findall(r'(?:^|\s)([A-Za-z_][\w.]{0,40})=("(?:[^"\\]|\\.)*"|\S*)', rest)
    words = re.sub(r'\S*[\d"\'/]\S*', " ", message)
    event = re.sub(r"[^A-Za-z]+", "-", words).strip("-").lower()[:60].strip("-")
    values = {key: value.strip('"') for key, value in pairs[:30]}
    fields = (("msg", message.strip()), *values.items(), *(_gobgp(event, values) or _of_peer(message)))
    return event or "message", fields


# Codes and subcodes of NOTIFICATION messages (RFC 4271 section 4.5, RFC 4486 section 3).
_NOTIFICATIONS = {
    ("2", "2"): "Bad Peer AS",
    ("2", "5"): "Authentication Failure",
    ("4", "0"): "Hold Timer Expired",
    ("6", "2"): "Administrative Shutdown",
    ("6", "3"): "Peer De-configured",
    ("6", "5"): "Connection Rejected",
    ("6", "7"): "Connection Collision Resolution",
}


def _gobgp(event: str, values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The peer and the error of a line of GoBGP (in Cilium and kube-router), which names the peer as `Key`."""
    if values.get("Topic") != "Peer" or not values.get("Key"):
        return ()
    error = values.get("Error") or values.get("Reason") or ""
    if "Code" in values and "Subcode" in values:
        error = _NOTIFICATIONS.get((values["Code"], values["Subcode"]), f"NOTIFICATION {event}")
    return (("peer", values["Key"]), *((("error", error.replace("-", " ")),) if error else ()))


def _of_peer(message: str) -> tuple[tuple[str, str], ...]:
    """The peer and the error of a sentence on a BGP session: `read OPEN from "ADDRESS:179": ERROR`."""
    match = re.search(r"[\"'\[ ]([\d.]{7,15}|[\da-fA-F:]{3,39})\]?:179\b[\"']?:? ?(.{0,300})", message)
    return (("peer", match[1]), ("error", match[2] or message)) if match else ()


def _nginx_message(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The event and the fields of `message, client: A, server: B, …` (nginx src/http/ngx_http_request.c)."""
    message, _, rest = text.partition(", client: ")
    event, fields = _message(message)
    pairs = re.findall(r'(\w{4,12}): ("[^"]{0,500}"|[^,"]{1,200})', f"client: {rest}" if rest else "")
    return event, (*fields, *((key, value.strip('"')) for key, value in pairs[:10]))


def _program(capture: Capture, shape: str, match: re.Match[str]) -> str:
    """Who wrote it, by the command's and file's names, else by the line's shape."""
    around = f"{capture.command} {capture.source}"
    if shape == "calico":
        return str(match["file"])
    if shape == "nginx":
        return "nginx"
    if shape == "keepalived" or "subsys=" in (match["text"] or ""):
        return shape if shape == "keepalived" else "cilium"
    for name in ("kube-proxy", "cilium", "kube-vip", "kube-router"):
        if name in around:
            return name
    if shape in {"logrus", "slog"}:
        return "kube-vip" if re.search(r"\(svcs\)|ARP/NDP|\bkube-vip\b", match["text"] or "") else "unknown"
    if shape == "klog" and re.search(r"\b(?:metallb|speaker)\b", around):
        return "metallb-speaker"
    proxy = shape == "klog" and match["file"] in {"proxier.go", "server_linux.go", "server_others.go"}
    return "kube-proxy" if proxy else "kubernetes"


def _flag(capture: Capture, index: int, name: str, value: str) -> list[AnyFact]:
    """A command line flag that kube-proxy wrote down; empty ones say nothing."""
    if not value or value == "[]":
        return []
    return [
        Setting(
            origin=capture.origin(index, index + 1),
            trust=capture.trust,
            taken=capture.taken,
            subject="cluster",
            attribute="kube-proxy.mode" if name == "proxy-mode" else f"kube-proxy.flag.{name}",
            value=value,
        )
    ]


def _event(capture: Capture, index: int, what: tuple[str, str, str], fields: tuple[tuple[str, str], ...]) -> LogEvent:
    program, event, time = what
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=time or capture.taken,
        device=capture.host,
        program=program,
        event=event,
        fields=fields,
    )
