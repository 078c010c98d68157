"""Which patients an actor may see. The rule stands in `access`, below all who must obey it; this is its name here."""

from coordinator.access.scope import patients_in_sight, require_sight, visible_patients

__all__ = ["patients_in_sight", "require_sight", "visible_patients"]
