"""Why a bank sends a transfer back or refuses it: the codes of ISO 20022 (ExternalStatusReason1Code) in German."""

LONGEST = 300

WORDS = {
    "AC01": "Die Kontonummer stimmt nicht.",
    "AC03": "Die IBAN des Empfängers stimmt nicht.",
    "AC04": "Das Konto ist aufgelöst.",
    "AC06": "Das Konto ist gesperrt.",
    "AG01": "Auf dieses Konto darf nicht überwiesen werden.",
    "AG02": "Der Auftrag ist von einer falschen Art.",
    "AM02": "Der Betrag ist höher als erlaubt.",
    "AM04": "Das Konto ist nicht gedeckt.",
    "AM05": "Die Zahlung wurde doppelt eingereicht.",
    "AM10": "Die Kontrollsumme stimmt nicht.",
    "AM18": "Die Zahl der Überweisungen stimmt nicht.",
    "BE04": "Die Anschrift des Empfängers fehlt oder stimmt nicht.",
    "CUST": "Der Auftraggeber hat die Zahlung zurückgerufen.",
    "DT01": "Der Ausführungstag ist ungültig.",
    "DU01": "Die Bank kennt diese Datei schon.",
    "DUPL": "Die Zahlung wurde doppelt eingereicht.",
    "FF01": "Das Format der Datei stimmt nicht.",
    "FOCR": "Die Bank hat die Zahlung nach einem Rückruf zurückgegeben.",
    "FRAD": "Es besteht der Verdacht auf Betrug.",
    "MD07": "Der Empfänger ist verstorben.",
    "MS02": "Der Empfänger hat die Zahlung ohne Angabe von Gründen abgelehnt.",
    "MS03": "Die Bank nennt keinen Grund.",
    "RC01": "Die BIC stimmt nicht.",
    "RR01": "Angaben zum Konto des Auftraggebers fehlen.",
    "RR02": "Angaben zum Auftraggeber fehlen.",
    "RR03": "Angaben zum Empfänger fehlen.",
    "RR04": "Gesetzliche Vorgaben stehen der Zahlung entgegen.",
    "TECH": "Bei der Bank gab es einen technischen Fehler.",
    "TM01": "Der Auftrag kam nach dem Annahmeschluss.",
}


def sentence(code: str, remark: str = "") -> str:
    """The reason for people, with the bank's code and its own remark, at most 300 characters. Empty if it said nothing."""
    known = f"{WORDS[code][:-1]} ({code})." if code in WORDS else code and f"Grund der Bank: {code}"
    return " ".join(part for part in (known, " ".join(remark.split())) if part)[:LONGEST]
