from rathaus.core.audit.kinds import define

PUBLISHED = define("services.version.published", "Leistung „{service}“ in Fassung {number} veröffentlicht")
TERMS_SET = define(
    "services.terms.set", "Regeln von „{slug}“ geändert (Nr. {number}): {changes}. Grund: {note}"
)
WINDOW_SET = define("services.offer.window_set", "Zeitraum von „{slug}“ geändert: {window}")
OFFERED = define("services.offer.changed", "Leistung „{slug}“ wird in Fassung {number} angeboten")
