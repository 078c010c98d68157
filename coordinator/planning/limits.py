"""How many days and how much search one question to the planner may ask for, and how many may wait."""

from datetime import date

from coordinator.agency.service import today
from coordinator.core.errors import Invalid
from coordinator.core.fields import FIRST_YEAR, LAST_YEAR
from coordinator.core.work import Work

LONGEST_DAYS = 28
DEFAULT_SECONDS = 30
MOST_SECONDS = 900
MOST_ITERATIONS = 2_000_000
#: Runs, and comparisons of scenarios, that a branch may have in the queue or at work at one time.
MOST_WAITING = 5


def last_day(start_on: date, end_on: date | None, days: int) -> date:
    """The last of `days` days, where no last day is named; never later than the calendar goes."""
    return end_on or date.fromordinal(min(start_on.toordinal() + days - 1, date.max.toordinal()))


def check_days(work: Work, branch_id: int, start_on: date, last: date) -> None:
    """Invalid, by its field, where the days are not ones that can be planned."""
    if start_on.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid(f"The days lie in the years {FIRST_YEAR} to {LAST_YEAR}.", pointer="/start_on")
    if last < start_on:
        raise Invalid("The last day is before the first.", pointer="/end_on")
    if (last - start_on).days + 1 > LONGEST_DAYS:
        raise Invalid(f"At most {LONGEST_DAYS} days are planned at once.", pointer="/end_on")
    if last < today(work, branch_id):
        raise Invalid("These days are over: nothing can be planned in them.", pointer="/start_on")


def check_search(seconds: int, seed: int, iterations: int | None) -> None:
    """Invalid, by its field, where a search would be longer than it may, or its seed is none."""
    if not 1 <= seconds <= MOST_SECONDS:
        raise Invalid(f"A search takes from 1 to {MOST_SECONDS} seconds.", pointer="/seconds")
    if not 0 <= seed < 2**31:
        raise Invalid("The seed is a whole number from 0 to 2147483647.", pointer="/seed")
    if iterations is not None and not 1 <= iterations <= MOST_ITERATIONS:
        raise Invalid(f"From 1 to {MOST_ITERATIONS} iterations.", pointer="/iterations")
