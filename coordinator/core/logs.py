"""The log: one JSON object a line for machines, plain lines for a terminal, and never a frame's local variables.

What a function held when it failed may be a patient's record or a password, so a traceback names files and lines only.
"""

import logging
import sys

import structlog


def configure(*, machine: bool | None = None) -> None:
    """Set the log up; `machine` asks for JSON, which is also what anything but a terminal gets."""
    as_json = not sys.stderr.isatty() if machine is None else machine
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Plain text made here, before a renderer with a taste for locals can see the exception.
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Looked up at each line: whoever runs us may have put another stream there since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
