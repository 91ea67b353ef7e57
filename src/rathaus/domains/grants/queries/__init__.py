"""Named reads of grants."""

from rathaus.domains.grants.queries.books import Invariants, Money, check_invariants
from rathaus.domains.grants.queries.figures import CallFigures, figures
from rathaus.domains.grants.queries.lists import (
    GrantFigures,
    GrantPage,
    GrantRow,
    all_grants,
    applications_page,
    grants_page,
)
from rathaus.domains.grants.queries.programmes import (
    Applications,
    Errand,
    LineMoney,
    ProgrammeFile,
    ProgrammeRow,
    applications,
    desk_figures,
    errands,
    lines_of_programme,
    measures_of,
    programme_file,
    programmes,
    total_of,
)
from rathaus.domains.grants.queries.shares import (
    URGENT,
    Share,
    Shares,
    StageSum,
    counts_by_stage,
    shares,
    stage_counts,
)
from rathaus.domains.grants.queries.stages import with_stage
from rathaus.domains.grants.queries.standings import Standing, own_standing, own_standings, standings

__all__ = [
    "URGENT",
    "Applications",
    "CallFigures",
    "Errand",
    "GrantFigures",
    "GrantPage",
    "GrantRow",
    "Invariants",
    "LineMoney",
    "Money",
    "ProgrammeFile",
    "ProgrammeRow",
    "Share",
    "Shares",
    "StageSum",
    "Standing",
    "all_grants",
    "applications",
    "applications_page",
    "check_invariants",
    "counts_by_stage",
    "desk_figures",
    "errands",
    "figures",
    "grants_page",
    "lines_of_programme",
    "measures_of",
    "own_standing",
    "own_standings",
    "programme_file",
    "programmes",
    "shares",
    "stage_counts",
    "standings",
    "total_of",
    "with_stage",
]
