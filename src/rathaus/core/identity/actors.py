"""Who acts: what every action takes as `by=`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from uuid import UUID

from rathaus.core.identity.claims import LOWEST
from rathaus.core.identity.roles import are_limited
from rathaus.core.tenancy import Context, acting


class NotAllowed(Exception):
    """The actor may not do this. The text is a German sentence for people."""


@dataclass(frozen=True)
class Actor:
    """An account with what it may do here and now, or the system itself (no account).

    `authority` and `roles` are set for staff, `parties` for applicants (an account may be both).
    `function` is how the history names the actor: a role rather than a name. `former` are those of the parties that
    exist no more and whose successor the actor acts for, `bodies` those that are authorities. `trust_level` (1, 3, 4)
    is that of the login that a request belongs to; elsewhere the account's latest.
    """

    account: UUID | None = None
    authority: UUID | None = None
    roles: frozenset[str] = frozenset()
    parties: tuple[UUID, ...] = ()
    function: str = ""
    trust_level: int = LOWEST
    names: dict[UUID, str] = field(default_factory=dict, compare=False)
    former: frozenset[UUID] = frozenset()
    bodies: frozenset[UUID] = frozenset()

    @classmethod
    def system(cls, authority: UUID) -> Actor:
        """The machine, working for one authority: jobs, timers, automatic steps."""
        return cls(authority=authority, function="System")

    @property
    def staff_of(self) -> UUID:
        """The authority that the actor works for. Raises NotAllowed for everybody else."""
        if self.authority is None:
            raise NotAllowed("Das ist Beschäftigten einer Behörde vorbehalten.")
        return self.authority

    @property
    def is_system(self) -> bool:
        return self.account is None and self.authority is not None

    @property
    def is_staff(self) -> bool:
        return self.authority is not None

    @property
    def is_limited(self) -> bool:
        """Whether this person sees only what is laid before them by name, such as an expert from outside."""
        return are_limited(self.roles)

    def check_is_unlimited(self) -> None:
        """Raises NotAllowed for whoever is limited to what is laid before them."""
        if self.is_limited:
            raise NotAllowed("Ihre Rolle sieht nur, was ihr zugewiesen ist.")

    def acting(self) -> AbstractContextManager[Context]:
        """The transaction in which this actor's rows, and no others, are visible."""
        return acting(authority=self.authority, account=self.account, parties=self.parties)

    def on_behalf_of(self, authority: UUID) -> AbstractContextManager[Context]:
        """The transaction in which the kernel writes an authority's rows because this applicant acted.

        Only for actions that an applicant triggers at a foreign authority (handing in, answering), after its own
        right to do so was checked.
        """
        return acting(authority=authority, account=self.account, parties=self.parties)
