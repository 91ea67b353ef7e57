from rathaus.core.audit.kinds import define

STARTED = define("bulk.run.started", "Sammelbearbeitung begonnen: {title}, {total} Vorgänge")
FINISHED = define("bulk.run.finished", "Sammelbearbeitung beendet: {title}, {done} erledigt, {failed} nicht")
RESUMED = define("bulk.run.resumed", "Sammelbearbeitung fortgesetzt: {title}")
