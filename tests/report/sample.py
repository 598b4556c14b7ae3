"""A hand-made diagnosis in which every field of the contract says something."""

from __future__ import annotations

from kubereach.model.diagnosis import (
    Answer,
    Because,
    Cause,
    Cleared,
    Contradiction,
    Diagnosis,
    Disruption,
    Effect,
    NextProbe,
    ObservationReport,
    Owner,
    Remedy,
    Repair,
    Role,
    SettingChange,
    Target,
    UnreadSpan,
    Verdict,
    WalkReport,
    WalkStep,
)

_SESSION = Cause(
    code="metallb-peer-port-blocked",
    hides=("router-forward-drop",),
    class_="ann-bgp-session-blocked",
    subject="node/birch",
    role=Role.ROOT,
    probability=0.64,
    owner=Owner.HOST,
    summary="TCP 179 between node birch and the router is blocked, so birch never announces the address",
    because=(
        Because(origin="mail.txt:12-14", says="the router lists 10.40.0.12 as Active"),
        Because(origin="mail.txt:30", says="birch rejects tcp dport 179"),
    ),
    repairs=(
        Repair(
            summary="Let the router reach TCP 179 on birch",
            commands=(
                "firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address=10.40.0.1 accept'",
                "firewall-cmd --reload",
            ),
            proved=True,
            clears=("metallb-peer-port-blocked",),
            side_effects=("the router starts to share the load between alder and birch",),
        ),
        Repair(
            summary="Use externalTrafficPolicy Cluster",
            commands=('kubectl -n shop patch svc web -p \'{"spec":{"externalTrafficPolicy":"Cluster"}}\'',),
            condition="the pods may see a node's address instead of the client's",
            breaks=("shop/audit, which reads the client's address",),
        ),
    ),
)

FULL = Diagnosis(
    target=Target(service="shop/web", address="203.0.113.10", port=443, from_="10.40.7.5"),
    verdict=Verdict.UNREACHABLE,
    causes=(
        _SESSION,
        Cause(
            code="router-peer-missing",
            class_="ann-bgp-rejected-by-peer",
            subject="router",
            role=Role.ROOT,
            probability=0.33,
            alternative_of="metallb-peer-port-blocked",
            owner=Owner.NETWORK,
            summary="the router does not know node birch as a peer",
            because=(Because(origin="mail.txt:12-14", says="the router lists 10.40.0.12 as Active"),),
        ),
        Cause(
            code="local-policy-without-endpoint",
            class_="proxy-no-local-endpoint",
            subject="node/alder",
            role=Role.CONTRIBUTING,
            probability=0.97,
            owner=Owner.CLUSTER,
            summary="node alder has no endpoint of shop/web and the policy is Local",
        ),
        Cause(
            code="router-forward-drop",
            class_="router-firewall-drop",
            subject="router",
            role=Role.LATENT,
            probability=0.55,
            owner=Owner.NETWORK,
            summary="the router's forward chain would drop TCP 443 to 203.0.113.0/24",
        ),
    ),
    effects=(
        Effect(
            says="no BGP session between node birch and the router",
            probability=0.97,
            causes=("metallb-peer-port-blocked", "router-peer-missing"),
        ),
    ),
    residual=0.03,
    cleared=(
        Cleared(code="pool-exhausted", because=(Because(origin="mail.txt:3", says="shop/web has 203.0.113.10"),)),
        Cleared(
            code="fabric-no-pod-route",
            because=(
                Because(origin="mail.txt:33", says="alder reaches the pod"),
                Because(origin="mail.txt:34", says="birch reaches the pod"),
            ),
        ),
        Cleared(code="pod-not-listening"),
    ),
    observations=(
        ObservationReport(
            origin="mail.txt:41",
            says="ping 203.0.113.10: reply",
            means="node alder answers; it tells nothing about port 443",
            explained_by=("local-policy-without-endpoint",),
        ),
        ObservationReport(origin="mail.txt:44-47", says="tcp 203.0.113.10:443: timeout"),
    ),
    walk=WalkReport(
        forward=(
            WalkStep(
                kind="arrive",
                device="router",
                says="from the client's segment",
                in_interface="vlan7",
                out_interface="vlan40",
                mac="02:00:5e:00:53:0b",
                after="TCP 10.40.7.5:50000 > 203.0.113.10:443",
                basis="observed",
                origins=("mail.txt:20", "mail.txt:22"),
            ),
            WalkStep(
                kind="translate",
                device="node/alder",
                says="policy Local, no local endpoint: dropped",
                in_interface="eno1",
                before="TCP 10.40.7.5:50000 > 203.0.113.10:443",
                after="dropped",
                basis="derived",
            ),
        ),
        return_=(
            WalkStep(kind="insufficient information", device="node/birch", says="its routes unseen", basis="unknown"),
        ),
    ),
    contradictions=(
        Contradiction(
            expected="203.0.113.10/32 from 10.40.0.12",
            seen="only 203.0.113.0/24 via 10.40.0.11",
            at="router",
            origins=("mail.txt:20",),
            reconciliation="the aggregate comes from alder, whose session is up",
        ),
    ),
    next_probes=(
        NextProbe(
            where="node/birch",
            command="tcpdump -nni eno1 -c 20 'tcp port 179 and host 10.40.0.1' and a filter longer than a line",
            separates=("metallb-peer-port-blocked", "router-peer-missing"),
            gain_bits=0.91,
            privilege="root",
            risk="none",
            if_answer=(
                Answer(answer="SYN answered by ICMP admin prohibited", implies="the host's firewall rejects it"),
                Answer(answer="SYN answered by RST", implies="the router has no such peer"),
            ),
        ),
    ),
    remedies=(
        Remedy(
            changes=(
                SettingChange(
                    summary="set externalTrafficPolicy to Cluster",
                    owner=Owner.CLUSTER,
                    disruption=Disruption.SERVICE,
                    commands=('kubectl -n shop patch svc web -p \'{"spec":{"externalTrafficPolicy":"Cluster"}}\'',),
                    without=("alder has no ready pod, and drops it",),
                ),
                SettingChange(
                    summary="carry the pods' packets in VXLAN",
                    owner=Owner.CLUSTER,
                    disruption=Disruption.CLUSTER,
                    without=("alder does not know where the pods of birch are",),
                ),
            ),
            proved=True,
            works_in=0.97,
            clears=("shop/web at 203.0.113.10 from the client",),
            side_effects=("the pods no longer see the client's address",),
        ),
        Remedy(
            changes=(
                SettingChange(
                    summary="set a static route on the router", owner=Owner.NETWORK, disruption=Disruption.ROUTER
                ),
            ),
            breaks=("shop/audit at 203.0.113.11 from the client",),
        ),
    ),
    what_if=(
        Repair(summary="Restart the speaker", commands=("kubectl -n metallb-system rollout restart ds/speaker",)),
    ),
    understood=(Because(origin="mail.txt:2", says="the CNI is Calico"),),
    assumed=("alder and birch are the only nodes",),
    missing=("ip route of node birch",),
    unread=(
        UnreadSpan(origin="mail.txt:50-53", text="some output\nnobody knows"),
        UnreadSpan(origin="mail.txt:60"),
    ),
)
