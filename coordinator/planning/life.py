"""The life of what a worker plans: asked for, begun, told of, over. A run, a what-if and a promise live it alike.

Every step is a short transaction and none is open while the planner searches. What it comes to is written once, under
the job's receipt, so that something whose worker was killed is done again by the next one and has one effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from coordinator.core.errors import Refusal
from coordinator.core.work import Work
from coordinator.domain.vocabulary import RunStatus
from coordinator.jobs.context import JobContext
from coordinator.jobs.ledger import Superseded
from coordinator.planner import ProblemError
from coordinator.planning.apart import SearchFailedError
from coordinator.planning.search import Cancelled, Heard, Look

log = structlog.get_logger("coordinator.planning")

#: Waiting for a worker, or being worked on.
AT_WORK = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
#: With an answer, whatever it is.
OVER = frozenset(RunStatus) - AT_WORK
#: What is at work for so much longer than it was to search has lost its worker for good.
LOST_AFTER = timedelta(minutes=30)

#: The row of what is planned: `status`, `started_at`, `finished_at` and `error`; `progress` and `cancel_requested` if
#: it can be stopped.
Row = TypeVar("Row")
#: Writes the answer into the row and says what that made of it.
Write = Callable[[Work, Row], RunStatus]
#: The audit line about a change of a row: the row, its status now.
Record = Callable[[Work, Row, RunStatus], None]


@dataclass(frozen=True, slots=True)
class Life(Generic[Row]):
    """How rows of one kind live. `word` names them in the log; `record` writes the audit line of each ending."""

    model: type[Row]
    word: str
    record: Record[Row]

    def live(self, context: JobContext, number: int, plan: Callable[[], Write[Row]]) -> None:
        """Do the long work of `plan` and let what it hands back write the answer; whatever goes wrong is said in the
        row. One that is over, or gone, is left as it is.
        """
        if not self._begin(context, number):
            return
        try:
            write = plan()
        except Cancelled:
            self._end(context, number, lambda _work, _row: RunStatus.CANCELLED)
        except (Refusal, ProblemError, SearchFailedError) as error:
            # Trying again would fail again: the row says so, in words that hold no patient's.
            log.error("planning failed", what=self.word, number=number, error=type(error).__name__)
            self._end(context, number, _failure(str(error)))
        except (DBAPIError, Superseded):
            raise  # another try may go better; or another worker has it now
        except Exception as error:
            self._end(context, number, _failure(f"A fault of ours ({type(error).__name__}); it was logged."))
            raise
        else:
            self._end(context, number, write)

    def look(self, context: JobContext, number: int, wanted: int, **more: Any) -> Look:
        """Tells of progress about every second or two, and asks whether to go on."""
        ticks = [0]

        def look(heard: Heard | None) -> bool:
            ticks[0] += 1
            if heard is None and ticks[0] % 4 != 1:
                return False
            context.heartbeat()
            try:
                return self._tell(context, number, None if heard is None else more | _said(heard, wanted))
            except DBAPIError:
                return False  # others hold the writer's place: progress can wait, and the result will be written

        return look

    def _begin(self, context: JobContext, number: int) -> bool:
        """Mark the row as running; False if there is nothing to do."""
        with context.work() as work:
            row: Any = work.session.get(self.model, number, with_for_update=True)
            if row is None or row.status in OVER:
                return False
            row.status, row.started_at = RunStatus.RUNNING, work.now
            if hasattr(row, "progress"):
                row.progress = None
        return True

    def _tell(self, context: JobContext, number: int, progress: dict[str, Any] | None) -> bool:
        """Write the progress past the row's version, which is for people's edits; whether the search is to stop."""
        row: Any = self.model
        with context.database.transaction() as session:
            if progress is not None:
                session.execute(
                    sa.update(row)
                    .where(row.id == number, row.status == RunStatus.RUNNING)
                    .values(progress=progress)
                    .execution_options(synchronize_session=False)
                )
            stop = session.execute(sa.select(row.cancel_requested).where(row.id == number)).scalar()
        return stop is None or bool(stop)

    def _end(self, context: JobContext, number: int, write: Write[Row]) -> None:
        """All or nothing, once. What somebody asked to stop is cancelled, however far it came."""
        with context.work() as work:
            row: Any = work.session.get(self.model, number, with_for_update=True)
            if row is None or row.status in OVER or not context.once(work):
                return
            row.finished_at = work.now
            row.status = RunStatus.CANCELLED if getattr(row, "cancel_requested", False) else write(work, row)
            self.record(work, row, row.status)


def _failure(error: str) -> Write[Any]:
    def write(_work: Work, row: Any) -> RunStatus:
        row.error = error
        return RunStatus.FAILED

    return write


def _said(heard: Heard, wanted: int) -> dict[str, Any]:
    return {
        "seconds": round(heard.seconds, 1),
        "iterations": heard.iteration,
        "wanted": wanted,
        "placed": heard.placed,
        "cost": heard.cost,
    }
