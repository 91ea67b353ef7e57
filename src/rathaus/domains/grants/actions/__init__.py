"""Everything that writes grants, one module a matter, and the operations that processes call."""

from rathaus.domains.grants.actions.programme import allot, set_up_call

__all__ = ["allot", "set_up_call"]
