"""Asking again what holds the bill of a certification period, and telling who keeps the holds."""

from coordinator.core.work import Work
from coordinator.domain.events import CertificationAsked
from coordinator.episodes.reading import findings_of
from coordinator.patients.model import Episode
from coordinator.rules.terms import Finding, Severity


def ask_anew(work: Work, episode: Episode, number: int) -> tuple[Finding, ...]:
    """All findings about the period's certification; CertificationAsked is published with those that hold the bill."""
    work.session.flush()  # what was just written is asked about as well
    findings = findings_of(work, episode, number)
    holding = sorted({finding.rule for finding in findings if finding.severity is Severity.HOLD_BILL})
    work.publish(
        CertificationAsked(patient_id=episode.patient_id, episode_id=episode.id, number=number, holds=tuple(holding))
    )
    return findings
