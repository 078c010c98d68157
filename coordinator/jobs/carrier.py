"""procrastinate, on PostgreSQL: hands jobs to this worker, and takes back those of workers that were killed."""

import asyncio
import threading
from datetime import timedelta

import procrastinate
import structlog
from procrastinate import PsycopgConnector
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from coordinator.jobs import ledger
from coordinator.jobs.attempt import perform
from coordinator.jobs.context import Workshop, utc_now
from coordinator.jobs.queue import QUEUE, TASK

log = structlog.get_logger("coordinator.jobs")

#: Seconds between looks at whether to stop, and between looks into the queue where no notification came.
STOP_EVERY, POLL_EVERY = 0.2, 5.0
#: Seconds after which a job is handed out again whose fate could not even be written down.
AFTER_FAULT = 30


class TryAgain(Exception):  # noqa: N818  (an answer to procrastinate, which logs it: it carries no message of the job's)
    """The attempt failed; the next one is in `wait`."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"again in {wait.total_seconds():.0f} s")
        self.wait = wait


class _AsToldStrategy(BaseRetryStrategy):
    """Retries when the ledger says so, and after a fault of the worker itself; the ledger counts the attempts."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        seconds = exception.wait.total_seconds() if isinstance(exception, TryAgain) else AFTER_FAULT
        return RetryDecision(retry_at=utc_now() + timedelta(seconds=seconds))


class Carrier:
    """A procrastinate worker over the workshop's database, for the one task that carries all jobs."""

    def __init__(self, workshop: Workshop, worker: str, *, concurrency: int) -> None:
        self.workshop, self.worker, self.concurrency = workshop, worker, concurrency
        self.attempts = 0
        url = workshop.database.engine.url.set(drivername="postgresql")
        self.app = procrastinate.App(
            connector=PsycopgConnector(
                conninfo=url.render_as_string(hide_password=False), min_size=1, max_size=concurrency + 3
            )
        )
        self.app.task(name=TASK, queue=QUEUE, retry=_AsToldStrategy())(self._do)

    def _do(self, key: str) -> None:
        attempt = ledger.take(self.workshop, key, self.worker)
        if attempt is None:
            return
        self.attempts += 1
        wait = perform(self.workshop, attempt)
        if wait is not None:
            raise TryAgain(wait)

    def drain(self) -> int:
        """Do everything that is due, then come back; the number of attempts made."""
        before = self.attempts
        asyncio.run(self._drain())
        return self.attempts - before

    async def _drain(self) -> None:
        async with self.app.open_async():
            await self._sweep()
            before = -1
            while before != self.attempts:  # a job may have put further ones in the queue
                before = self.attempts
                await self._work(wait=False)

    def serve(self, stop: threading.Event) -> None:
        """Work until `stop` is set and the jobs at hand are done; raises if the database goes away."""
        asyncio.run(self._serve(stop))

    async def _serve(self, stop: threading.Event) -> None:
        async with self.app.open_async():
            working = asyncio.create_task(self._work(wait=True))
            sweeping = asyncio.create_task(self._sweep_forever())
            try:
                while not stop.is_set() and not working.done() and not sweeping.done():
                    await asyncio.sleep(STOP_EVERY)
            finally:
                for task in (sweeping, working):  # a cancelled worker finishes what it has in hand
                    task.cancel()
                ends = await asyncio.gather(working, sweeping, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end
        if not stop.is_set():
            raise ConnectionError("procrastinate's worker stopped by itself")

    async def _work(self, *, wait: bool) -> None:
        await self.app.run_worker_async(
            queues=[QUEUE],
            name=self.worker,
            wait=wait,
            concurrency=self.concurrency,
            fetch_job_polling_interval=POLL_EVERY,
            listen_notify=wait,
            delete_jobs="successful",  # the ledger remembers them
            install_signal_handlers=False,
            update_heartbeat_interval=self.workshop.heartbeat.total_seconds(),
            stalled_worker_timeout=self.workshop.silence.total_seconds(),
        )

    async def _sweep(self) -> None:
        """Hand out again what dead workers held: procrastinate does not do so by itself."""
        manager = self.app.job_manager
        stalled = await manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=self.workshop.silence.total_seconds()
        )
        for job in stalled:
            log.warning("job taken back from a dead worker", key=job.task_kwargs.get("key"))
            await manager.retry_job(job, retry_at=utc_now())

    async def _sweep_forever(self) -> None:
        while True:
            await self._sweep()
            await asyncio.sleep(self.workshop.silence.total_seconds() / 3)
