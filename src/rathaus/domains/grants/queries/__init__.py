"""Named reads of grants."""

from rathaus.domains.grants.queries.books import Invariants, Money, check_invariants
from rathaus.domains.grants.queries.figures import CallFigures, figures

__all__ = ["CallFigures", "Invariants", "Money", "check_invariants", "figures"]
