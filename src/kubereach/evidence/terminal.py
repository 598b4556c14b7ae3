"""What the readers of probe and host commands share: the words of a command line, and lines that say nothing."""

from __future__ import annotations

import re

from kubereach.model.address import canonical_address

# /etc/services as far as tcpdump, nmap and netstat print names instead of numbers in the evidence that kubereach meets.
_SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80,
    "kerberos": 88, "pop3": 110, "sunrpc": 111, "ntp": 123, "imap2": 143, "imap": 143, "snmp": 161, "snmptrap": 162,
    "snmp-trap": 162, "bgp": 179, "ldap": 389, "https": 443, "microsoft-ds": 445, "isakmp": 500, "syslog": 514,
    "submission": 587, "ldaps": 636, "imaps": 993, "pop3s": 995, "ms-sql-s": 1433, "mqtt": 1883, "nfs": 2049,
    "mysql": 3306, "ms-wbt-server": 3389, "vxlan": 4789, "postgresql": 5432, "postgres": 5432, "amqp": 5672,
    "redis": 6379, "http-alt": 8080, "webcache": 8080, "http-proxy": 8080, "https-alt": 8443,
}  # fmt: skip


def port_number(text: str) -> int | None:
    """The port in `text`, given as a number or as a service name; None when it is neither."""
    if text.isascii() and text.isdecimal() and len(text) <= 5:
        number = int(text)
        return number if number <= 65535 else None
    return _SERVICES.get(text.lower())


def words(command: str) -> list[str]:
    """The words of `command` up to its first pipe, redirection or separator, without their quotes."""
    found: list[str] = []
    for match in re.finditer(r"(?:[^\s'\"]|'[^']{0,999}'|\"[^\"]{0,999}\")+|\S", command[:4000]):
        word = match[0]
        if word[0] in "|;&<>" or word.startswith("2>"):
            break
        found.append(word.rstrip(";").replace("'", "").replace('"', ""))
        if word[-1] == ";":
            break
    return found


def is_piped(command: str) -> bool:
    """Whether another program stands between the command and what is shown, so that lines may be missing."""
    return "|" in command.replace("||", "")


def option(command_words: list[str], *names: str) -> str | None:
    """The value of the first option of `names`: `-p 80`, `-p80` or `--port=80`; None when it is not there."""
    for index, word in enumerate(command_words):
        for name in names:
            if word == name:
                return command_words[index + 1] if index + 1 < len(command_words) else ""
            if name.startswith("--") and word.startswith(name + "="):
                return word[len(name) + 1 :]
            if not name.startswith("--") and len(name) == 2 and word.startswith(name) and word[2:].isdecimal():
                return word[2:]
    return None


def operands(command_words: list[str], valued: frozenset[str]) -> list[str]:
    """The words after the program's name that are neither options nor the values of the options in `valued`."""
    found: list[str] = []
    skip = False
    for word in command_words[1:]:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in valued
        else:
            found.append(word)
    return found


def address_and_name(text: str) -> tuple[str, str]:
    """`text` as (address, name): one of them is empty."""
    address = canonical_address(text)
    return (address, "") if address else ("", text)


def vantage(host: str, address: str) -> str:
    """The source of a probe: an address that the output shows says more than a mere `client`, and less than a name."""
    return address if address and host in {"", "client", "outside"} else host


def subject_of(host: str) -> str:
    """The subject of a setting that was taken at `host`: a bare name is a node's."""
    return host if not host or "/" in host or host in {"client", "router", "cluster", "outside"} else f"node/{host}"


def is_noise(line: str) -> bool:
    """Whether `line` says nothing: blank, an interrupt, a shell's timing, or a recorded exit status."""
    text = line.strip()
    if not text or text == "^C":
        return True
    return re.match(r"(?:real|user|sys)\s{1,9}\d{1,9}m[\d.,]{1,9}s$|\[exit \d{1,3}\]$", text) is not None
