from rathaus.core.audit.kinds import define

PROGRAMME_SET = define("grants.programme.set", "Förderprogramm „{title}“ beschrieben")
MEASURE_ADDED = define("grants.measure.added", "Maßnahme „{title}“ angelegt")
CALL_SET_UP = define("grants.call.created", "Förderaufruf „{title}“ angelegt")
BUDGET_ADDED = define("grants.budget.added", "Mittel {year} für „{title}“: {amount}")
ALLOTTED = define("grants.call.allotted", "{total} auf {count} Kommunen verteilt")
AWARDED = define("grants.grant.awarded", "Mittel gebunden: {amount}")
NOTIFIED = define("grants.grant.notified", "Zuwendung läuft; Nachweis bis {proof_due}")
CHANGED = define("grants.grant.changed", "Bewilligung geändert: {amount}, Fassung {number}")
DRAWN = define("grants.drawdown.requested", "{number}. Rate beantragt: {amount}")
ORDERED = define("grants.payment.ordered", "Auszahlung angeordnet: {amount}")
DRAWDOWN_REFUSED = define("grants.drawdown.refused", "{number}. Rate nicht ausgezahlt")
RUN_PREPARED = define("grants.run.prepared", "Zahlungslauf {number} vorbereitet: {count} Zahlungen, {total}")
RUN_DISSOLVED = define("grants.run.dissolved", "Zahlungslauf {number} aufgelöst")
RUN_RELEASED = define("grants.run.released", "Zahlungslauf {number} freigegeben: {total}")
PAID = define("grants.payment.paid", "Ausgezahlt: {amount} am {on}")
PAYMENT_RETURNED = define("grants.payment.returned", "Zahlung zurückgekommen: {amount} ({reason})")
RETURN_TAKEN = define(
    "grants.return_file.taken", "Rückmeldung „{name}“ eingelesen: {paid} ausgezahlt, {returned} zurück"
)
PROOF_SUBMITTED = define("grants.proof.submitted", "{what} eingegangen: Ausgaben {spent}")
PROOF_ACCEPTED = define("grants.proof.accepted", "{what} geprüft: {due} stehen zu")
PROOF_REJECTED = define("grants.proof.rejected", "{what} nicht anerkannt")
RELEASED = define("grants.grant.released", "Nicht gebrauchte Mittel freigegeben: {amount}")
REUSED = define("grants.budget.reused", "Freigegebene Mittel {year} wieder bereitgestellt: {amount}")
CLAIMED = define("grants.claim.made", "Zurückgefordert: {amount}, Zinsen {interest}")
INSTALMENTS = define("grants.claim.divided", "Ratenzahlung vereinbart: {count} Raten")
REPAID = define("grants.claim.repaid", "Zahlung eingegangen: {amount}")
WAIVED = define("grants.claim.waived", "Erlassen: {amount}")
DISPOSED = define("grants.item.disposed", "„{name}“ veräußert am {on}")
CLOSED = define("grants.grant.closed", "Förderung abgeschlossen")
REMINDED = define("grants.grant.reminded", "Erinnert: {duty} bis {due}")
EXPORTED = define(
    "grants.programme.exported",
    "Förderprogramm „{title}“ ausgegeben: {cases} Vorgänge, {documents} Dokumente",
)
RATE_ENTERED = define("grants.rate.entered", "Basiszinssatz ab {on}: {rate} %")
EARLY_START_ALLOWED = define("grants.early_start.allowed", "Vorzeitiger Beginn ab {on} zugelassen")
