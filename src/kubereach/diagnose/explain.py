"""From a ranking to causes, cleared suspects, explained observations and contradictions."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from kubereach.diagnose.catalogue import applied, removed
from kubereach.diagnose.fault import Presence, Suspect
from kubereach.diagnose.hypothesis import Hypothesis, background_of, chance
from kubereach.diagnose.observe import Group, probe
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import Judged, service_walk
from kubereach.model.attribute import ENCAPSULATION
from kubereach.model.diagnosis import (
    Because,
    Cleared,
    Contradiction,
    ObservationReport,
    Role,
)
from kubereach.model.network import Network
from kubereach.probes.question import Question, Sighting

MOST_ROOTS = 16  # what nobody can act on is left out
ROLE_ORDER = {Role.ROOT: 0, Role.MISREAD: 0, Role.CONTRIBUTING: 1, Role.LATENT: 2}
LEAST_CAUSE = 0.004
# Where the flow most likely works, only what is likely all the same is worth naming.
LEAST_WHERE_IT_WORKS = 0.1
# Of what nothing speaks for, what is this rare is not worth a warning.
LEAST_WAITING = 0.05
# A hidden fault that nothing exposes the flow to is this probable only where what was seen speaks for it.
LEAST_HIDDEN = 0.1
SURPRISING = 0.1


class Blame(Struct, frozen=True, kw_only=True):
    """A suspect with its marginal probability in its main role; `held_in` is the likeliest hypothesis that gives it."""

    suspect: Suspect
    role: Role
    probability: float
    held_in: Hypothesis
    excludes: bool  # a root that never shares a world with the first root


def blames(judged: Judged, ranking: Ranking) -> tuple[Blame, ...]:
    """All suspects with a role, ordered by role and probability."""
    masses: dict[tuple[str, str], dict[Role, float]] = {}
    examples: dict[tuple[tuple[str, str], Role], tuple[Suspect, Hypothesis]] = {}
    together: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for hypothesis, found in judged:
        root_keys = {s.key for s, r in found.items() if r is Role.ROOT}
        for suspect, role in found.items():
            mass = masses.setdefault(suspect.key, {})
            mass[role] = mass.get(role, 0.0) + hypothesis.weight
            examples.setdefault((suspect.key, role), (suspect, hypothesis))
            if role is Role.ROOT:
                together.setdefault(suspect.key, set()).update(root_keys)
    result = []
    working = sum(
        h.weight for h, found in judged if service_walk(h.world).works() and Role.MISREAD not in found.values()
    )
    least = LEAST_WHERE_IT_WORKS if working > 0.5 else LEAST_CAUSE
    for key, mass in masses.items():
        if Role.LATENT in mass and not _worth_a_warning(examples[key, Role.LATENT][0], mass):
            del mass[Role.LATENT]
        for role in sorted(mass, key=lambda r: (-mass[r], ROLE_ORDER[r]))[:1]:
            suspect, hypothesis = examples[key, role]
            if mass[role] >= least:
                result.append((suspect, role, mass[role], hypothesis))
    told = {suspect.key for suspect, *_ in result}
    result += [b for b in _waiting(judged, ranking) if b[0].key not in told]
    result.sort(key=lambda b: (ROLE_ORDER[b[1]], -round(b[2], 9), b[0].key))
    result = [*[b for b in result if b[1] is Role.ROOT][:MOST_ROOTS], *[b for b in result if b[1] is not Role.ROOT]]
    result.sort(key=lambda b: (ROLE_ORDER[b[1]], -round(b[2], 9), b[0].key))
    first = result[0][0].key if result else None
    return tuple(
        Blame(
            suspect=s,
            role=r,
            probability=min(p, 1.0),
            held_in=h,
            excludes=first is not None and s.key != first and first not in together.get(s.key, {first}),
        )
        for s, r, p, h in result
    )


def _worth_a_warning(suspect: Suspect, mass: Mapping[Role, float]) -> bool:
    """Anything may go wrong next: evidence must expose the flow to it, or speak for it as hidden and not as a root."""
    if suspect.because or suspect.fault.standing:
        return mass[Role.LATENT] >= LEAST_WAITING
    return mass[Role.LATENT] >= LEAST_HIDDEN and all(m < LEAST_CAUSE for r, m in mass.items() if r is not Role.LATENT)


def _waiting(judged: Judged, ranking: Ranking) -> list[tuple[Suspect, Role, float, Hypothesis]]:
    """Unknown faults to which evidence exposes the flow, and which would stop it once the likeliest roots are gone.

    Nothing that was seen speaks for or against them, so their prior stands.
    """
    found = []
    for hypothesis, blamed in judged[:1]:
        roots = [s for s, role in blamed.items() if role is Role.ROOT]
        repaired = removed(hypothesis.world, roots)
        exposed = (s for s in ranking.suspects if s.presence is Presence.UNKNOWN and s.because and s not in blamed)
        for suspect in exposed if roots and service_walk(repaired).works() else ():
            prior = suspect.fault.prior if suspect.prior is None else suspect.prior
            if prior >= LEAST_WAITING and not service_walk(applied(repaired, (suspect,))).works():
                assumed = (*hypothesis.assumed, suspect)
                held_in = Hypothesis(applied(hypothesis.world, (suspect,)), assumed, hypothesis.present, prior)
                found.append((suspect, Role.LATENT, prior, held_in))
    return found


def cleared(ranking: Ranking) -> tuple[Cleared, ...]:
    """Suspects that evidence acquits, with that evidence."""
    found: dict[str, list[Because]] = {}
    for suspect in ranking.suspects:
        if suspect.presence is Presence.ABSENT and suspect.because:
            found.setdefault(suspect.fault.code, []).extend(because(suspect))
    return tuple(Cleared(code=code, because=_folded(texts)) for code, texts in found.items())


def _folded(texts: list[Because]) -> tuple[Because, ...]:
    """One line for each thing said, at its first place."""
    first = {text.says: text for text in reversed(texts)}
    return tuple(text for text in dict.fromkeys(texts) if first[text.says] == text)


def because(suspect: Suspect) -> tuple[Because, ...]:
    """A suspect's evidence as the report has it."""
    return tuple(Because(origin=origin.label(), says=says) for origin, says in suspect.because)


def supporting(blame: Blame, groups: tuple[Group, ...], ranking: Ranking) -> tuple[Because, ...]:
    """The sightings that make the suspect likelier than its absence does."""
    without = _without(blame, ranking)
    found: list[tuple[float, Because]] = []
    for group in groups:
        for sighting in group.sightings:
            with_it, other = fit(blame.held_in, sighting), fit(without, sighting)
            if sighting.origins and with_it > 1.5 * other:
                text = Because(origin=sighting.origins[0].label(), says=sighting.says)
                found.append((other / with_it, text))
    found.sort(key=lambda f: (f[0], f[1].origin))
    return tuple(dict.fromkeys(text for _, text in found))


def _without(blame: Blame, ranking: Ranking) -> Hypothesis:
    """The same world without the suspect: the variant's own where it alone is assumed."""
    held_in, suspect = blame.held_in, blame.suspect
    others = tuple(s for s in held_in.assumed if s.key != suspect.key)
    if not others and len(held_in.assumed) == 1:
        for base in ranking.bases:
            if base.variant == held_in.variant:
                return base
    return Hypothesis(removed(held_in.world, (suspect,)), others, held_in.present, prior=1.0)


def fit(hypothesis: Hypothesis, sighting: Sighting) -> float:
    """How likely the hypothesis's world shows what was seen."""
    answer = hypothesis.predict(sighting.question)
    return background_of(sighting) if answer is None else chance(answer, sighting)


def observations(ranking: Ranking, groups: tuple[Group, ...]) -> tuple[ObservationReport, ...]:
    """What was seen, and what it means in the likeliest world."""
    if not ranking.hypotheses:
        return ()
    top = ranking.hypotheses[0]
    base = next((b for b in ranking.bases if b.present == top.present), top)
    reports = []
    for group in groups:
        for sighting in group.sightings:
            if not sighting.origins:
                continue
            better = fit(top, sighting) > 1.5 * fit(base, sighting)
            codes = [s.fault.code for s in top.assumed] if better else []
            means = probe(sighting.question.kind).means(top.world, sighting.question)
            reports.append(
                ObservationReport(
                    origin=", ".join(o.label() for o in sighting.origins),
                    says=sighting.says,
                    means=means,
                    explained_by=tuple(dict.fromkeys(codes)),
                )
            )
    return tuple(reports)


def contradictions(ranking: Ranking, network: Network, groups: tuple[Group, ...]) -> tuple[Contradiction, ...]:
    """Where layers disagree: intent against sight, evidence against evidence, a setting against what happens."""
    found: list[Contradiction] = []
    base = ranking.bases[0] if ranking.bases else None
    for group in groups:
        for sighting in group.sightings:
            layered = sighting.origins and sighting.question.kind not in {"complaint", "connect", "ping", "tell"}
            if base and layered and fit(base, sighting) < SURPRISING:
                found.append(_intent(base, sighting))
    found += _outweighed(network)
    found += _second_hand(ranking, network)
    return tuple(dict.fromkeys(found))


def _intent(base: Hypothesis, sighting: Sighting) -> Contradiction:
    meant = probe(sighting.question.kind).means(base.world, sighting.question)
    return Contradiction(
        expected=f"by the configuration: {meant}",
        seen=sighting.says,
        at=place(sighting.question),
        origins=tuple(o.label() for o in sighting.origins),
    )


def place(question: Question) -> str:
    """Where a question is put."""
    return question.where or "a node"


def _outweighed(network: Network) -> list[Contradiction]:
    found = []
    for (subject, name), seen in network.settings.items():
        for value, origin in seen.others:
            found.append(
                Contradiction(
                    expected=f"{subject} {name}: {seen.value}",
                    seen=f"{value}",
                    at=subject,
                    origins=(*(o.label() for o in seen.origins[:1]), origin.label()),
                    reconciliation="the more trusted evidence was taken",
                )
            )
    return found


def _second_hand(ranking: Ranking, network: Network) -> list[Contradiction]:
    """A setting that was shown at second hand and that the observations speak against."""
    key = ENCAPSULATION.of("cluster")
    seen = network.settings.get(key)
    if seen is None:
        return []
    other: dict[object, float] = {}
    for hypothesis in ranking.hypotheses:
        value = hypothesis.world.changes.get(key, seen.value)
        other[value] = other.get(value, 0.0) + hypothesis.weight
    likeliest = max(other, key=lambda v: other[v], default=seen.value)
    if likeliest == seen.value:
        return []
    return [
        Contradiction(
            expected=f"encapsulation {seen.value}",
            seen="a node reached a pod on another node, which needs a tunnel that also rewrites the source",
            at="cluster",
            origins=tuple(o.label() for o in seen.origins[:1]),
            reconciliation=f"the pool in use really has {str(likeliest).upper()} (or IPIP): an Installation edited "
            "later does not change existing pools; `kubectl get ippools -o yaml` settles it",
        )
    ]
