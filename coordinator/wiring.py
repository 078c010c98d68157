"""Cause and effect, on one page: which event is answered by whom, and which job is done by whom.

Handlers run in the transaction of what happened, in the order written here; what reaches outside that transaction
writes a job or a notice instead.
"""

from collections.abc import Callable
from typing import Any

from coordinator.core.work import Work

#: Event -> handlers (work, event), in order.
HANDLERS: dict[type, tuple[Callable[[Work, Any], None], ...]] = {}
