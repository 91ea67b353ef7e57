from rathaus.core.audit.kinds import define

MEMBER_SET = define("identity.membership.set", "{function} arbeitet hier als: {roles}")
MANDATE_GIVEN = define("identity.mandate.given", "Vertretung erteilt: {function}")
PASSWORD_SET = define("identity.password.set", "Kennwort neu gesetzt: {function}")
