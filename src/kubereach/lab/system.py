"""A whole lab: up from a scenario, kept in step with changes of it, and settled before anybody probes.

Announcers are modules of `lab.announcers` (dashes of their kind become underscores), router daemons of `lab.routers`,
modes of kube-proxy of `lab.kube_proxy`; each kind has one shape, described in its package.

Knobs: `stopped/kube-proxy/NODE`, `stopped/announcer/NODE` and `stopped/felix/NODE` say that the daemon does not run
there, so that nothing it would do is done any more; `lags` in the first, that it runs and has fallen behind.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from msgspec.structs import replace

from kubereach.lab import enactment, felix, guest, guest_kernel, tools
from kubereach.lab.lab import CommandError, Lab, wait
from kubereach.lab.operation import operation
from kubereach.lab.scenario import Pod, Scenario, Service
from kubereach.lab.servers import serve
from kubereach.lab.wiring import wire

FOLLOWING = 8.0  # seconds
SETTLING = 45.0  # seconds: BGP's slowest timers here add up to about 20


def up(name: str, scenario: Scenario, *, faults: bool = True, stays: bool = True) -> Lab:
    """A lab with everything running and settled, and the scenario's own faults enacted. It is taken down on failure.

    Where the machine's own kernel cannot do it, the lab's hosts are in a guest; without `stays`, that guest ends with
    the calling program, however that ends.
    """
    apart = any(guest_kernel.reasons(scenario))
    lab = guest.GuestLab.boot(name, scenario, stays=stays) if apart else Lab.create(name, scenario)
    try:
        bring_up(lab, faults=faults)
    except BaseException:
        lab.down()
        raise
    return lab


@operation
def bring_up(lab: Lab, *, faults: bool) -> None:
    """Everything of an empty lab, settled, with the scenario's own faults."""
    scenario = lab.scenario
    tools.install(lab)
    wire(lab)
    tools.start_api(lab)
    serve(lab)
    router(lab).start(lab)
    for node in scenario.nodes:
        announcer(lab).start(lab, node)
    for node in scenario.nodes:
        proxy(lab).sync(lab, node)
        felix.sync(lab, node)
    tools.await_api(lab)
    settle(lab)
    for fault in scenario.faults if faults else ():
        enactment.enact(lab, fault)


@operation
def sync(lab: Lab) -> None:
    """Bring daemons and rules in line with the scenario and the knobs as they are now."""
    router(lab).sync(lab)
    for node in lab.scenario.nodes:
        if not lab.knob(f"stopped/announcer/{node}"):
            announcer(lab).sync(lab, node)
        if not lab.knob(f"stopped/kube-proxy/{node}"):
            proxy(lab).sync(lab, node)
        if not lab.knob(f"stopped/felix/{node}"):
            felix.sync(lab, node)


@operation
def settle(lab: Lab) -> None:
    """Wait until the sessions are up and the routes are there. Raises CommandError when that does not happen."""
    if not wait(lambda: announcer(lab).settled(lab), SETTLING, 0.25):
        raise CommandError(f"the lab did not settle within {SETTLING:.0f} s; see the logs in {lab.folder}")


def announcer(lab: Lab) -> ModuleType:
    """The module that announces the services' addresses."""
    return import_module(f"kubereach.lab.announcers.{lab.scenario.announcer.kind.replace('-', '_')}")


def router(lab: Lab) -> ModuleType:
    """The module of the router's daemon."""
    return import_module(f"kubereach.lab.routers.{lab.scenario.router.daemon}")


def proxy(lab: Lab) -> ModuleType:
    """The module of kube-proxy's mode, or of the program itself."""
    mode = "real" if lab.scenario.proxy.real else lab.scenario.proxy.mode
    return import_module(f"kubereach.lab.kube_proxy.{mode}")


def change_service(lab: Lab, changed: Callable[[Service], Service]) -> None:
    """Change the target service as an API client would, and let everything follow."""
    scenario = lab.scenario
    services = {**scenario.services, scenario.target: changed(scenario.service)}
    lab.change(replace(scenario, services=services))
    sync(lab)
    _follow(lab)


def change_pods(lab: Lab, changed: Callable[[Pod], Pod]) -> None:
    """Change what the API says of the target's pods, and let everything follow."""
    scenario = lab.scenario
    behind = scenario.endpoints(scenario.target)
    lab.change(replace(scenario, pods={n: changed(p) if n in behind else p for n, p in scenario.pods.items()}))
    sync(lab)
    _follow(lab)


def _follow(lab: Lab) -> None:
    """Give the routers time to hear of it; with other faults in place they may never."""
    wait(lambda: bool(announcer(lab).settled(lab)), FOLLOWING, 0.25)
