from django.apps import AppConfig

from rathaus.core.identity.roles import limit_role


class GrantsConfig(AppConfig):
    name = "rathaus.domains.grants"
    label = "grants"
    verbose_name = "Förderung"

    def ready(self) -> None:
        from rathaus.domains.grants import call_facts, case_export, facts, review_export  # noqa: F401  packages and files have them
        from rathaus.domains.grants.actions import (  # noqa: F401  they register the operations
            assessment,
            award,
            change,
            claims,
            disposal,
            drawdown,
            dunning,
            early_start,
            proof,
            reviews,
        )
        from rathaus.domains.grants.permissions import EXPERT

        limit_role(EXPERT)
