from rathaus.core.audit.kinds import define

CALL_SET_UP = define("grants.call.created", "Förderaufruf „{title}“ angelegt")
BUDGET_ADDED = define("grants.budget.added", "Mittel {year} für „{title}“: {amount}")
ALLOTTED = define("grants.call.allotted", "{total} auf {count} Kommunen verteilt")
AWARDED = define("grants.grant.awarded", "Mittel gebunden: {amount}")
