"""The notice of admission: what billing owes Medicare is done when the notice is on record (PAY-02)."""

from coordinator.core.work import Work
from coordinator.deadlines.book import close_deadlines
from coordinator.domain.events import AdmissionNoticeSubmitted

NOTICE = "PAY-02"


def on_notice_submitted(work: Work, event: AdmissionNoticeSubmitted) -> None:
    """Nobody chases a notice that went out, late or in time."""
    close_deadlines(work, subject=f"episode:{event.episode_id}", rule=NOTICE, reason="submitted")
