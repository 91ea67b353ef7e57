"""Prüft dieses Paket: Prüfsummen, Siegel des Verlaufs, Buchungen. Braucht nur Python 3, keine weiteren Programme.

    python3 pruefen.py

Endet mit 0, wenn alles stimmt, sonst mit 1.
"""

import csv
import hashlib
import json
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

AWARDED = ("open", "ordered", "paid", "proven")


def main(folder):
    """Prints what was checked and every fault; answers the number of faults."""
    faults: list = []
    say(f"Dateien: {check_sums(folder, faults)} mit richtiger Prüfsumme verglichen")
    sealed, unsealed, blocks, head = check_seals(folder, faults)
    say(f"Verlauf: {sealed} Ereignisse unter {blocks} Siegeln, {unsealed} noch ohne Siegel")
    if head:
        say(f"Kopf der Kette: {head}")
        say("  Vergleichen Sie ihn mit dem Kopf, den die Behörde außerhalb des Systems aufbewahrt.")
    say(f"Buchungen: {check_books(folder, faults)} nachgerechnet")
    for fault in faults:
        say(f"FEHLER: {fault}")
    say("Alles stimmt." if not faults else f"{len(faults)} Fehler.")
    return len(faults)


def check_sums(folder, faults):
    known = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        known[name] = digest
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS" and "__pycache__" not in path.parts
    }
    faults.extend(f"{name} fehlt." for name in sorted(known.keys() - there))
    faults.extend(f"{name} gehört nicht dazu." for name in sorted(there - known.keys()))
    for name in sorted(known.keys() & there):
        if hash_of(folder / name) != known[name]:
            faults.append(f"{name} wurde verändert.")
    return len(known.keys() & there)


def hash_of(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def check_seals(folder, faults):
    blocks = json.loads((folder / "siegel.json").read_text(encoding="utf-8"))["bloecke"]
    hashes = {}
    before = None
    for block in blocks:
        number = block["nummer"]
        if before and (number != before["nummer"] + 1 or block["vorher"] != before["hash"]):
            faults.append(f"Block {number}: Die Kette ist unterbrochen.")
        if "ereignisse" in block:
            hashes[number] = set(block["ereignisse"])
        if block["wurzel"]:
            if "ereignisse" in block and sha256("".join(block["ereignisse"])) != block["wurzel"]:
                faults.append(f"Block {number}: Die Ereignisse passen nicht zur Wurzel.")
            if sha256(f"{block['vorher']}|{block['horizont']}|{block['wurzel']}") != block["hash"]:
                faults.append(f"Block {number}: Das Siegel stimmt nicht.")
        elif "ereignisse" in block:
            say(f"Block {number} ist von älterer Art und lässt sich nur im System selbst prüfen.")
        before = block
    sealed = unsealed = 0
    for path in sorted(folder.glob("vorgaenge/*/events.json")):
        for event in json.loads(path.read_text(encoding="utf-8"))["ereignisse"]:
            if event["block"] is None:
                unsealed += 1
            elif sha256(text_of(event)) in hashes.get(event["block"], ()):
                sealed += 1
            else:
                faults.append(f"{path.parent.name}: Ereignis {event['id']} liegt nicht unter seinem Siegel.")
    return sealed, unsealed, len(blocks), before["hash"] if before else ""


def text_of(event):
    names = ("id", "behoerde", "name", "vorgang", "konto", "funktion", "daten", "am", "transaktion")
    return json.dumps([event[name] for name in names], sort_keys=True, ensure_ascii=False)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def check_books(folder, faults):
    """Each movement adds up to nothing on each line; balances are the sums; an award is where its money stands."""
    count = 0
    for path in sorted(folder.rglob("journal.csv")):
        moved: dict = defaultdict(Decimal)
        balances: dict = defaultdict(Decimal)
        for row in table(path):
            count += 1
            amount = number(row["Betrag"])
            moved[row["Bewegung"], row["Mittel"]] += amount
            balances[row["Mittel"], row["Zuwendung"], row["Konto"]] += amount
        where = path.parent.relative_to(folder).as_posix()
        faults.extend(f"{where}: Bewegung {key[0]} geht nicht auf." for key, sum_ in moved.items() if sum_)
        kept = {
            (row["Mittel"], row["Zuwendung"], row["Konto"]): number(row["Saldo"])
            for row in table(path.with_name("salden.csv"))
        }
        for key in kept:
            if balances.get(key, Decimal(0)) != kept[key]:
                faults.append(f"{where}: Saldo {' / '.join(key)} ist nicht die Summe der Buchungen.")
        grant = path.with_name("grant.json")
        if grant.exists():
            told = json.loads(grant.read_text(encoding="utf-8"))["zuwendung"]
            mine = (
                s for (_, of, account), s in balances.items() if of == told["vorgang"] and account in AWARDED
            )
            if sum(mine, Decimal(0)) != Decimal(told["betrag"]):
                faults.append(f"{where}: Die Zuwendung ist nicht, was gebucht ist.")
    return count


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def number(text):
    return Decimal(text.replace(",", "."))


def say(text):
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(1 if main(Path(__file__).resolve().parent) else 0)
