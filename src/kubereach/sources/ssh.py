"""Hosts over SSH, by the machine's own OpenSSH client: one connection a host, kept for the commands that follow.

Nothing is asked and nothing is remembered: BatchMode, the given key alone, host keys as the caller says. The remote
side gets one string, quoted word by word, since sshd gives it to a shell.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from msgspec import Struct

from kubereach.sources.executor import CommandExecutor, execute


class Target(Struct, frozen=True, kw_only=True):
    """A host: `destination` (`user@host`, a name of its own for each), the private key's file, and a ProxyCommand.

    `known_hosts` names the file that its host key must stand in; "" takes any, which is for hosts of one's own lab.
    """

    destination: str
    key: str = ""
    proxy_command: tuple[str, ...] = ()
    known_hosts: str = ""


class SshExecutor(CommandExecutor):
    """An executor for hosts over SSH. `sockets` is a folder of one's own, where the shared connections have their ends.

    `close` ends the connections.
    """

    def __init__(self, targets: Mapping[str, Target], sockets: str, *, connect_seconds: int = 5) -> None:
        super().__init__(tuple(targets), self._argv, stops_there=False)
        self._targets = dict(targets)
        self._sockets = sockets
        self._seconds = connect_seconds

    def _argv(self, where: str, words: tuple[str, ...]) -> list[str]:
        target = self._targets[where]
        return [*self._client(target), target.destination, "--", shlex.join(words)]

    def _client(self, target: Target) -> list[str]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(self._seconds),
            "ControlMaster": "auto",
            "ControlPath": f"{self._sockets}/%C",
            "ControlPersist": "30",
            "LogLevel": "ERROR",
            "UserKnownHostsFile": target.known_hosts or "/dev/null",
            "StrictHostKeyChecking": "yes" if target.known_hosts else "no",
        }
        if target.key:
            options |= {"IdentityFile": target.key, "IdentitiesOnly": "yes"}
        if target.proxy_command:
            options["ProxyCommand"] = shlex.join(target.proxy_command)
        return [
            "ssh",
            "-F",
            "none",
            "-T",
            *(word for name, value in options.items() for word in ("-o", f"{name}={value}")),
        ]

    def close(self) -> None:
        """End the shared connections."""
        for target in self._targets.values():
            execute([*self._client(target), "-O", "exit", target.destination], 5)
