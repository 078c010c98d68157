"""The second engine: one day whose visits shape each other's times, and prices that belong to the whole plan."""

from coordinator.planner.operations.search import running_cost, solve, warm_up

__all__ = ["running_cost", "solve", "warm_up"]
