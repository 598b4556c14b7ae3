"""HTTP requests: curl and wget.

Reads
    Plain errors, `-v`, `-i`, `-I`, the codes that `-w '%{http_code}'` prints (several of a loop together), a page or
    another answer as it comes, and a command that hangs until ^C; wget's lines. A page, plain text or JSON is taken for
    the answer only when the command is known.
Ask
    curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/, from the client.
Facts
    One ProbeResult (http) per request: reply for any HTTP status or any answer, timeout, refused, unreachable, resets
    (also for an empty reply), open when TCP connected and TLS failed. `reason` is curl's message with the system's
    own error where it is shown, or the page's title. "Couldn't connect to server" without the system's error is told by
    the time it took: at once is refused, from one second on unreachable (a neighbour that does not answer), from
    twenty on a timeout. A name that does not resolve is a dns result. Fields of the service whose health check node
    port answered: kube-proxy's body names it.
Not read
    Certificates, headers but the status line, bodies but their title or first line.
"""

from __future__ import annotations

import re

from msgspec import Struct, field
from msgspec.structs import replace

from kubereach.evidence import health_answer
from kubereach.evidence.capture import Capture
from kubereach.evidence.cutting import looks_like_prose
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import address_and_name, is_noise, operands, vantage, words
from kubereach.model.address import canonical_address
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult

COMMANDS = (r"(?:^|[\s/;(])(?:curl|wget)(?:\.exe)?\s",)
SIGNATURES = (
    r"curl: \(\d{1,2}\) \S",
    r"\* {1,3}Trying [0-9a-fA-F.:\[\]]{3,50}",
    (
        r"\* (?:Connected to|Established connection to|connect to|Failed to connect to|Could not resolve host|"
        r"Connection #\d)"
    ),
    r"< HTTP/[\d.]{1,3} \d{3}\b",
    r"Connecting to \S{1,255}(?: \(\S{1,255}\))?\.\.\. (?:connected|failed)",
    r"HTTP request sent, awaiting response\.\.\.",
)
ASKS = (
    Ask(
        command="curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/",
        where="client",
        gives="whether the service answers, and how it fails otherwise",
    ),
)

_WITH_VALUE = (
    "-m --max-time -o --output -w --write-out -H --header -X --request -d --data --data-raw -u --user -A "
    "--user-agent -e --referer --connect-timeout --resolve --interface -b -c --cookie --cacert --cert --key -E "
    "-x --proxy --retry --retry-delay -T --limit-rate --local-port --connect-to -F --dns-servers --proto -t -O "
    "--timeout --tries"
)
_VALUED = frozenset(_WITH_VALUE.split())
_CODES = {
    6: Outcome.UNREACHABLE, 22: Outcome.REPLY, 28: Outcome.TIMEOUT, 35: Outcome.OPEN, 47: Outcome.REPLY,
    51: Outcome.OPEN, 52: Outcome.RESETS, 55: Outcome.RESETS, 56: Outcome.RESETS, 60: Outcome.OPEN, 58: Outcome.OPEN,
    16: Outcome.RESETS, 92: Outcome.RESETS, 18: Outcome.RESETS,
}  # fmt: skip
_ERRORS = (
    ("Connection refused", Outcome.REFUSED),
    ("No route to host", Outcome.UNREACHABLE),
    ("Host is unreachable", Outcome.UNREACHABLE),
    ("Network is unreachable", Outcome.UNREACHABLE),
    ("Invalid argument", Outcome.UNREACHABLE),
    ("Permission denied", Outcome.UNREACHABLE),
    ("Connection reset by peer", Outcome.RESETS),
    ("Connection timed out", Outcome.TIMEOUT),
    ("Operation timed out", Outcome.TIMEOUT),
    ("Timed out", Outcome.TIMEOUT),
    ("Timeout was reached", Outcome.TIMEOUT),
)
# What people write under a command that gave nothing: not the answer of a server.
_REMARK = (
    r"\bhang|\bhung\b|stuck|tim(?:es?|ed|ing) ?out|no (?:response|answer|reply|output)|nothing|forever|waiting|"
    r"^\s{0,8}(?:\(|\.\.|…|<-|←|#)|\.{3}$|…$|[^\x00-\u2e7f]"
)
_PORTS = {"http": 80, "https": 443, "ftp": 21}
_TITLE = 120


class _Request(Struct):
    """One request as far as it has been read."""

    first: int
    last: int
    target: str = ""
    name: str = ""
    port: int | None = None
    source: str = ""
    connected: bool = False
    closed: bool = False
    status: int | None = None
    code: int | None = None
    system_error: str = ""
    message: str = ""
    body: str = ""
    interrupted: bool = False
    statuses: list[int] = field(default_factory=list)
    seen: bool = False


class _Scan(Struct):
    """The state between lines."""

    requests: list[_Request]
    known: bool
    codes: bool
    markup: bool = False
    headers: bool = False
    text: bool = False


def read(capture: Capture) -> Reading:
    """One result per request, and the lines that are not the command's."""
    known = re.search(COMMANDS[0], capture.command) is not None
    scan = _Scan([], known=known, codes="http_code" in capture.command or "response_code" in capture.command)
    unread = [index for index, line in enumerate(capture.lines) if not _line(capture, scan, index, line.rstrip())]
    seen = [request for request in scan.requests if request.seen]
    results = [_result(capture, request) for request in seen]
    # A connection that opened and then brought nothing is two outcomes: the handshake passed, the data did not.
    both = zip(seen, results, strict=True)
    stalled = [result for request, result in both if result.outcome is Outcome.TIMEOUT and request.connected]
    shaken = [replace(r, probe=ProbeKind.TCP, outcome=Outcome.OPEN, reason="connected") for r in stalled]
    told = [leaf for r in seen for leaf in health_answer.leaves(capture, r.first, r.last + 1, r.port)]
    return Reading((*results, *shaken, *told), spans(unread))


def _request(capture: Capture, scan: _Scan, index: int) -> _Request:
    """The request that the line at `index` belongs to; the first one takes its target from the command."""
    if not scan.requests:
        scan.requests.append(_from_command(capture.command, index))
    request = scan.requests[-1]
    request.last, request.seen = index, True
    return request


def _from_command(command: str, index: int) -> _Request:
    """A request for the command's URL."""
    program = re.search(r"(?:^|[\s/;(])(?:curl|wget)(?:\.exe)?\s", command)
    request = _Request(first=index, last=index)
    urls = operands(words(command[program.start() :].lstrip(" ;(/")), _VALUED) if program else []
    url = next((word for word in urls if "://" in word or "." in word or ":" in word or word == "localhost"), "")
    if match := re.match(
        r"(?:(\w{2,6})://)?(?:[^@/\s]{1,200}@)?(\[[^\]]{2,60}\]|[^/:?#\s]{1,255})(?::(\d{1,5}))?", url
    ):
        request.target, request.name = address_and_name(match[2])
        request.port = int(match[3]) if match[3] else _PORTS.get(match[1] or "http")
    return request


def _line(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """Whether `line` is curl's or its answer; what it says goes into the requests."""
    if line.startswith("^C") and scan.known:
        _request(capture, scan, index).interrupted = True
        line = line.removeprefix("^C")
    if is_noise(line):
        scan.headers = scan.text = False
        return True
    if line.startswith("curl: ("):
        return _error(capture, scan, index, line)
    if (
        re.match(r"[*<>](?:\s|$)|[{}] \[", line)
        and not scan.markup
        and (scan.requests or scan.known or line[0] in "*<>")
    ):
        return _verbose(capture, scan, index, line)
    if match := re.match(r"HTTP/[\d.]{1,3} (\d{3})\b", line):
        _request(capture, scan, index).status = int(match[1])
        scan.headers = True
        return True
    if scan.headers and re.match(r"[\w-]{1,60}: ", line):
        return True
    return _wget(capture, scan, index, line) or _answer(capture, scan, index, line)


def _error(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """`curl: (7) Failed to connect to 203.0.113.1 port 80 after 3 ms: Couldn't connect to server`."""
    match = re.match(r"curl: \((\d{1,2})\) (.{0,400})", line)
    if match is None:
        return False
    if scan.requests and scan.requests[-1].code is not None:
        _next(capture, scan, index)
    request = _request(capture, scan, index)
    request.code, request.message = int(match[1]), match[2].strip()
    _connect_words(request, match[2])
    return True


def _next(capture: Capture, scan: _Scan, index: int) -> None:
    """Another request of the same command: a loop, or a second URL."""
    request = _from_command(capture.command, index)
    scan.requests.append(request)


def _connect_words(request: _Request, text: str) -> None:
    """Address, port and system error in a message about connecting."""
    if match := re.search(r"(?:to|connect) (\[?[\w.:%-]{1,255}?\]?)(?: port |[:;] ?)(\d{1,5})\b", text):
        address, name = address_and_name(match[1])
        request.target = request.target or address
        request.name = request.name or name
        request.port = int(match[2]) if request.port is None or int(match[2]) < 65536 else request.port
    if match := re.search(r"Could(?: not|n't) resolve host:? '?([\w.-]{1,255})", text):
        request.name = request.name or match[1]
    for error, _outcome in _ERRORS:
        if error in text:
            request.system_error = error
            return


def _verbose(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """A line of -v."""
    if re.match(r"\* {1,3}(?:Trying|About to connect\(\) to)", line) and scan.requests and scan.requests[-1].closed:
        _next(capture, scan, index)
    request = _request(capture, scan, index)
    if match := re.match(r"\* {1,3}Trying (\[?[0-9a-fA-F.:%]{3,60}?\]?)(?::(\d{1,5}))?(?:\.\.\.)?$", line):
        request.target = request.target or canonical_address(match[1]) or ""
        request.port = request.port or (int(match[2]) if match[2] else None)
    elif match := re.match(
        r"\* (?:Connected|Established connection) to \S{1,255} \((\S{2,60}?)(?: port (\d{1,5}))?\)(.{0,120})", line
    ):
        request.target, request.connected = canonical_address(match[1]) or request.target, True
        request.port = int(match[2]) if match[2] else request.port
        if source := re.search(r"from (\S{2,60}) port \d", match[3]):
            request.source = canonical_address(source[1]) or ""
    elif match := re.match(r"< HTTP/[\d.]{1,3} (\d{3})\b", line):
        request.status = int(match[1])
    elif re.match(r"\* (?:Closing connection|Connection #\d{1,4} to host|shutting down connection|Closing)", line):
        request.closed = True
    elif re.search(r"[Cc]onnect|resolve|timed out|reset|unreachable|route to host", line):
        _connect_words(request, line)
        request.message = request.message or line[2:].strip()
    return True


def _wget(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """Wget's own lines."""
    if match := re.match(
        (
            r"Connecting to (\S{1,255}?)(?:\|(\S{2,60}?)\|)?(?::(\d{1,5}))?(?: \((\S{2,60})\))?\.\.\. (connected|"
            r"failed: .{1,80})"
        ),
        line,
    ):
        request = _request(capture, scan, index)
        target, name = address_and_name(match[2] or match[1])
        request.target, request.name = target or request.target, name or request.name
        request.port = int(match[3]) if match[3] else request.port
        request.connected = match[5] == "connected"
        _connect_words(request, match[5])
        request.message = "" if request.connected else match[5].rstrip(".")
        return True
    if match := re.match(r"HTTP request sent, awaiting response\.\.\. (?:(\d{3})\b)?(.{0,100})", line):
        request = _request(capture, scan, index)
        request.status = int(match[1]) if match[1] else request.status
        request.message = "" if match[1] else match[2].strip()
        _connect_words(request, match[2])
        return True
    if match := re.match(r"wget: (.{1,200})$", line):
        request = _request(capture, scan, index)
        request.message = match[1]
        _connect_words(request, match[1].replace("download timed out", "Connection timed out"))
        if status := re.search(r"HTTP/[\d.]{1,3} (\d{3})", match[1]):
            request.status = int(status[1])
        return True
    form = (
        r"--\d{4}-\d\d-\d\d |Resolving \S|Length: |Saving to: |Retrying\.|Giving up|"
        r"\d{4}-\d\d-\d\d .{1,200} saved \[|Connecting to \S|\S{1,60}\s{1,20}(?:\d{1,3}%|-?)\[?[=> |*]{0,100}"
    )
    return scan.known and "wget" in capture.command and re.match(form, line) is not None


def _answer(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """The body: a page up to its end, or one block of text after a known command; and the codes of -w."""
    if not scan.known:
        return False
    if re.match(r"\s{2,40}% Total|\s{10,60}Dload|[\s\d.kMG]{8,90}[-:\d ]{8,30}", line):
        return True
    if scan.codes and (code := re.search(r"(?:^|[^\d.])([0-5]\d\d)(?![\d.])", line)):
        _request(capture, scan, index).statuses.append(int(code[1]))
        return True
    if not scan.markup and re.match(
        r"\s{0,8}<(?:!DOCTYPE|html|head|body|title|center|h1|\?xml)\b", line, re.IGNORECASE
    ):
        scan.markup = True
    if scan.markup and not capture.lines[index - 1].strip() and "<" not in line and looks_like_prose(line):
        scan.markup = False  # of a page that was pasted in part: people go on below it
        return False
    if scan.markup:
        request = _request(capture, scan, index)
        _page(request, line)
        scan.markup = re.search(r"</html>", line, re.IGNORECASE) is None
        return True
    return _text(capture, scan, index, line)


def _page(request: _Request, line: str) -> None:
    """A line of a page; an error page says its status in its title."""
    title = re.search(r"<title>(.{0,200}?)</title>", line, re.IGNORECASE)
    if title is None:
        request.body = request.body or "page"
        return
    request.body = title[1].strip()[:_TITLE] or "page"
    if status := re.match(r"([1-5]\d\d)\b", request.body):
        request.status = request.status or int(status[1])


def _text(capture: Capture, scan: _Scan, index: int, line: str) -> bool:
    """An answer that is no page: the first block of lines, and no more than that."""
    last = scan.requests[-1] if scan.requests else None
    if not scan.text:
        answered = any(request.body for request in scan.requests) or (last is not None and last.code not in {None, 22})
        remark = (last is None or last.status is None) and re.search(_REMARK, line, re.IGNORECASE)
        if answered or remark or re.match(r"[#$❯]\s", line):
            return False
    request = _request(capture, scan, index)
    request.body = " ".join(f"{request.body} {line}".split())[:_TITLE]
    scan.text = True
    return True


def _outcome(request: _Request) -> Outcome:
    """What the client got."""
    if request.statuses and request.status is None:
        return _of_codes(request)
    if request.status is not None and request.code in {None, 0, 22, 47}:
        return Outcome.REPLY
    if request.code == 35 and request.system_error:
        return Outcome.RESETS
    if request.code in _CODES:
        return _CODES[request.code]
    for error, outcome in _ERRORS:
        if error == request.system_error:
            return outcome
    if request.code == 7:
        return _by_time(request.message)
    if request.status is not None or request.body:
        return Outcome.REPLY
    if request.interrupted:
        return Outcome.TIMEOUT
    return Outcome.OPEN if request.connected else Outcome.TIMEOUT


def _by_time(message: str) -> Outcome:
    """Couldn't connect, without the system's reason: how long it took tells most of it."""
    after = re.search(r"after (\d{1,7}) ms", message)
    milliseconds = int(after[1]) if after else 0
    if milliseconds >= 20_000:
        return Outcome.TIMEOUT
    return Outcome.UNREACHABLE if milliseconds >= 1_000 else Outcome.REFUSED


def _of_codes(request: _Request) -> Outcome:
    """Several codes of a loop; 000 is no answer."""
    answered = sum(1 for status in request.statuses if status)
    if answered and answered < len(request.statuses):
        return Outcome.INTERMITTENT
    if answered:
        return Outcome.REPLY
    for error, outcome in _ERRORS:
        if error == request.system_error:
            return outcome
    if request.code == 7:
        return _by_time(request.message)
    return _CODES.get(request.code or 0, Outcome.TIMEOUT)


def _result(capture: Capture, request: _Request) -> ProbeResult:
    outcome = _outcome(request)
    reason = request.message
    if request.system_error and request.system_error not in reason:
        reason = f"{reason} ({request.system_error})" if reason else request.system_error
    if outcome is Outcome.TIMEOUT and not reason and request.connected:
        reason = "connected, no answer"
    if outcome is Outcome.REPLY and not reason:
        reason = "" if request.body == "page" else request.body
    unresolved = request.code == 6
    shown = request.status or next((status for status in reversed(request.statuses) if status), None)
    return ProbeResult(
        origin=capture.origin(request.first, request.last + 1),
        trust=capture.trust,
        taken=capture.taken,
        probe=ProbeKind.DNS if unresolved else ProbeKind.HTTP,
        source=vantage(capture.host, request.source),
        target=request.target,
        target_name=request.name,
        outcome=outcome,
        port=None if unresolved else request.port,
        protocol="UDP" if unresolved else "TCP",
        reason=reason,
        sent=len(request.statuses) or None,
        received=sum(1 for status in request.statuses if status) if request.statuses else None,
        http_status=shown,
    )
