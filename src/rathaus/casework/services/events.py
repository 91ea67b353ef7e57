from rathaus.core.audit.kinds import define

PUBLISHED = define("services.version.published", "Leistung „{service}“ in Fassung {number} veröffentlicht")
OFFERED = define("services.offer.changed", "Leistung „{slug}“ wird in Fassung {number} angeboten")
