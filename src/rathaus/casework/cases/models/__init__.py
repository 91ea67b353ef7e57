"""The kernel's tables: what was applied for, where the case stands, who must act, what was decided and told."""

from rathaus.casework.cases.models.case import Application, Case, Draft, ReferenceCounter, label_of
from rathaus.casework.cases.models.decision import Decision, Notice, Remedy
from rathaus.casework.cases.models.shared import OWN_PARTY, pair
from rathaus.casework.cases.models.talk import Confirmation, Message
from rathaus.casework.cases.models.work import CaseProcess, Finding, Incident, Subscription, Task, Timer

__all__ = [
    "OWN_PARTY",
    "Application",
    "Case",
    "CaseProcess",
    "Confirmation",
    "Decision",
    "Draft",
    "Finding",
    "Incident",
    "Message",
    "Notice",
    "ReferenceCounter",
    "Remedy",
    "Subscription",
    "Task",
    "Timer",
    "label_of",
    "pair",
]
