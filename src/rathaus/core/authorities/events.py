from rathaus.core.audit.kinds import define

MERGED = define("authorities.authority.merged", "Aufgegangen zum {on} in: {successor}")
SUCCEEDED = define("authorities.authority.succeeded", "Rechtsnachfolge ab {on} für: {predecessor}")
