"""What findings become: flags on the row, and tasks that the book of deadlines hears of."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from coordinator.core.work import Work
from coordinator.domain.events import CareTaskRaised
from coordinator.rules.terms import Finding, Severity


def flags(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as values for the row."""
    return [finding.as_dict() for finding in findings]


def raise_tasks(work: Work, patient_id: int, about: str, findings: Iterable[Finding]) -> None:
    """CareTaskRaised once for each task and day that the findings ask for; `about` is what asks: `assessment:7`."""
    told: set[tuple[str, date]] = set()
    for finding in findings:
        task = finding.facts.get("task")
        if finding.severity is not Severity.TASK or task is None or type(finding.due) is not date:
            continue
        if (str(task), finding.due) in told:
            continue
        told.add((str(task), finding.due))
        discipline = finding.facts.get("discipline")
        raise_task(
            work, patient_id, rule=finding.rule, about=about, task=str(task), due_on=finding.due, owner=finding.owner,
            discipline=str(discipline) if discipline else None, at_once=bool(finding.facts.get("at_once")),
        )  # fmt: skip


def raise_task(
    work: Work, patient_id: int, *, rule: str, about: str, task: str, due_on: date, owner: str,
    discipline: str | None = None, at_once: bool = False,
) -> None:  # fmt: skip
    """CareTaskRaised: `owner` is asked under `rule` for `task`, a word of the deadlines' table, because of `about`."""
    work.publish(
        CareTaskRaised(
            patient_id=patient_id, rule=rule, task=task, subject=f"{about}:{task}", due_on=due_on, owner=owner,
            discipline=discipline, at_once=at_once,
        )
    )  # fmt: skip
