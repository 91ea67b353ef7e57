"""The money of grant programmes and the life of each grant."""

from rathaus.domains.grants.models.application import EarlyStart, Project
from rathaus.domains.grants.models.claim import BaseRate, Claim, Instalment, Receipt
from rathaus.domains.grants.models.deadline import DeadlineChoice
from rathaus.domains.grants.models.grant import Award, AwardYear, Grant, Item, Proof, Reminder
from rathaus.domains.grants.models.journal import Balance, Movement, Posting
from rathaus.domains.grants.models.payment import Drawdown, Payment, PaymentRun, ReturnFile
from rathaus.domains.grants.models.programme import Allotment, BudgetLine, Call, Measure, Programme
from rathaus.domains.grants.models.review import JuryVote, Review

__all__ = [
    "Allotment",
    "Award",
    "AwardYear",
    "Balance",
    "BaseRate",
    "BudgetLine",
    "Call",
    "Claim",
    "DeadlineChoice",
    "Drawdown",
    "EarlyStart",
    "Grant",
    "Instalment",
    "Item",
    "JuryVote",
    "Measure",
    "Movement",
    "Payment",
    "PaymentRun",
    "Posting",
    "Programme",
    "Project",
    "Proof",
    "Receipt",
    "Reminder",
    "ReturnFile",
    "Review",
]
