"""The SQL of `grant_filling`: which grants there are, their books, and what was drawn, paid, proven and claimed back.

Placeholders are filled by psycopg. `own` is the key of what a slot is about (a grant, a drawdown, a proof), `of` that of its
grant: the first half comes from the slot, so that keys are ordered by time.
"""

OWN = "(h.head || '-8000-000000000001')::uuid"
OF = "(g.head || '-8000-000000000001')::uuid"
LIVES = """
CREATE TEMP TABLE heads ON COMMIT DROP AS
  SELECT k, left(uuidv7((k - {latest}) * {apart}::interval)::text, 18) AS head, (k - {latest}) * {apart}::interval AS shift
  FROM generate_series({first} * {slots}, ({last} + 1) * {slots}) AS k;
CREATE UNIQUE INDEX ON heads (k);
CREATE TEMP TABLE lives ON COMMIT DROP AS
  SELECT s.*, s.rate * {rates} - s.claimed AS amount,
    ({today} - 1000 - s.n % 90 - CASE WHEN s.stage = 6 THEN 300 ELSE 0 END)::date AS begins_on,
    CASE WHEN s.stage <= 4 THEN {today} + 60 + s.n % 300 WHEN s.stage = 6 THEN {today} - 420 - s.n % 90
      ELSE {today} - 40 - s.n % 60 END AS ends_on,
    CASE WHEN s.stage <= 4 THEN {today} + 425 + s.n % 300 WHEN s.stage = 6 THEN {today} - 1 - s.n % 60
      WHEN s.stage = 5 THEN {today} + 30 + s.n % 300 ELSE {today} - 5 END AS proof_due_on,
    ({today} - 1030 - s.n % 365)::date AS notified_on
  FROM (
    SELECT n, n * {slots} AS slot, (1000 + 10 * (n % 50))::numeric(14, 2) AS rate, t.party_id, t.recipient_id, t.name,
      CASE WHEN {is_fresh} THEN -1 ELSE n % 10 END AS stage,
      CASE WHEN {is_fresh} THEN 0 WHEN n % 10 <= 4 THEN n % 10 * {rates} / 5 ELSE {rates} END AS paid,
      NOT {is_fresh} AND n % 20 = 4 AS is_ordered,
      CASE WHEN NOT {is_fresh} AND n % 10 = 8 THEN 1000 + 10 * (n % 50) ELSE 0 END AS claimed
    FROM generate_series({first}, {last}) AS n JOIN towns t ON t.number = n % {towns}
  ) s;
CREATE TEMP TABLE years ON COMMIT DROP AS
  SELECT l.n, l.slot, y.number, y.year, y.line::uuid AS line_id, CASE WHEN y.number = 3 THEN l.claimed ELSE 0 END AS claimed,
    CASE WHEN NOT {is_fresh} THEN l.rate * {a_year} WHEN y.number = 3 THEN l.rate * {rates} ELSE 0 END AS amount
  FROM lives l CROSS JOIN (VALUES (1, {year1}, {line1}), (2, {year2}, {line2}), (3, {year3}, {line3})) y(number, year, line);
CREATE TEMP TABLE drawn ON COMMIT DROP AS
  SELECT l.n, l.slot, l.slot + 2 + r AS k, r, l.rate, (r - 1) / {a_year} + 1 AS number, r <= l.paid AS is_paid,
    CASE WHEN r <= l.paid THEN {tail_paid} ELSE {tail_ordered} END AS tail,
    (l.begins_on + 20 + 24 * r)::date AS paid_on
  FROM lives l CROSS JOIN generate_series(1, {rates}) r WHERE r <= l.paid OR (l.is_ordered AND r = l.paid + 1);
CREATE INDEX ON years (n);
ANALYZE years;
ANALYZE drawn;
"""

BOOKS = (
    """
INSERT INTO grants_grant (id, authority_id, case_id, call_id, party_id, recipient_id, recipient_name, reference, title,
  partners, state, amount, years, begins_on, ends_on, proof_due_on, earmarked_until, awarded_on, notified_on, closed_on)
SELECT {own}, {authority}::uuid, (h.head || {tail_award})::uuid, {call}::uuid, l.party_id, l.recipient_id, l.name,
  {prefix} || lpad(l.slot::text, 7, '0'), 'Digitale Akte ' || l.n, '[]',
  CASE WHEN l.stage = 9 THEN 'closed' ELSE 'running' END, l.amount,
  (SELECT jsonb_object_agg(y.year::text, (y.amount - y.claimed)::numeric(14, 2)::text) FROM years y
    WHERE y.n = l.n AND y.amount > 0),
  l.begins_on, l.ends_on, l.proof_due_on, NULL, l.notified_on, l.notified_on,
  CASE WHEN l.stage = 9 THEN {today} - 3 END
FROM lives l JOIN heads h ON h.k = l.slot
""",
    """
INSERT INTO grants_award (id, authority_id, grant_id, party_id, number, kind, case_id, financing, amount, cost, third_party,
  plan, begins_on, ends_on, awarded_on, notice_id)
SELECT (h.head || '-8000-00000000000' || v)::uuid, {authority}::uuid, {own}, l.party_id, v,
  CASE v WHEN 1 THEN 'award' ELSE 'reduction' END, (h.head || {tail_award})::uuid, t.financing,
  l.rate * {rates} - CASE v WHEN 1 THEN 0 ELSE l.claimed END, l.rate * {rates} * {cost}, 0, '[]', l.begins_on,
  l.ends_on, l.notified_on, NULL
FROM lives l JOIN heads h ON h.k = l.slot JOIN generate_series(1, 2) v ON v = 1 OR l.claimed > 0
  CROSS JOIN (SELECT financing FROM grants_award WHERE number = 1 ORDER BY id LIMIT 1) t
""",
    """
INSERT INTO grants_awardyear (id, authority_id, award_id, party_id, year, amount)
SELECT (h.head || '-8000-0000000000' || v || y.number)::uuid, {authority}::uuid,
  (h.head || '-8000-00000000000' || v)::uuid, l.party_id, y.year, y.amount - CASE v WHEN 1 THEN 0 ELSE y.claimed END
FROM lives l JOIN heads h ON h.k = l.slot JOIN years y ON y.n = l.n AND y.amount > 0
  JOIN generate_series(1, 2) v ON v = 1 OR l.claimed > 0
""",
    # Every movement of money: what it is, on which line, from where to where. `j` counts those of a slot.
    """
CREATE TEMP TABLE shifts ON COMMIT DROP AS
SELECT y.slot AS k, y.slot, 0 AS j, 'awarded' AS kind, y.line_id, 'free' AS source, 'open' AS target, y.amount,
  l.notified_on AS day FROM years y JOIN lives l USING (n) WHERE y.amount > 0
UNION ALL SELECT d.k, d.slot, 0, 'ordered', y.line_id, 'open', 'ordered', d.rate, d.paid_on - 5
  FROM drawn d JOIN years y USING (n, number)
UNION ALL SELECT d.k, d.slot, 1, 'paid', y.line_id, 'ordered', 'paid', d.rate, d.paid_on
  FROM drawn d JOIN years y USING (n, number) WHERE d.is_paid
UNION ALL SELECT y.slot + 1, y.slot, 0, 'proven', y.line_id, 'paid', 'proven', y.amount - y.claimed, {today} - 10
  FROM years y JOIN lives l USING (n) WHERE l.stage >= 8 AND y.amount > y.claimed
UNION ALL SELECT y.slot + 2, y.slot, 0, 'claimed', y.line_id, 'paid', 'to_recover', y.claimed, {today} - 9
  FROM years y WHERE y.claimed > 0;
ANALYZE shifts
""",
    """
INSERT INTO grants_movement (id, authority_id, key, kind, grant_id, text, booked_on, booked_at, booked_by_id)
SELECT DISTINCT ON (s.k, s.j) (h.head || '-8000-00000000000' || s.j)::uuid, {authority}::uuid,
  {prefix} || s.k || '/' || s.j,
  s.kind, {of}, {prefix} || lpad(s.slot::text, 7, '0'), s.day, s.day + time '12:00', {clerk}::uuid
FROM shifts s JOIN heads h ON h.k = s.k JOIN heads g ON g.k = s.slot
""",
    """
INSERT INTO grants_posting (id, authority_id, movement_id, line_id, grant_id, account, amount)
SELECT uuidv7(), {authority}::uuid, (h.head || '-8000-00000000000' || s.j)::uuid, s.line_id,
  CASE WHEN side = -1 AND s.source = 'free' THEN NULL ELSE {of} END, CASE side WHEN 1 THEN s.target ELSE s.source END,
  side * s.amount
FROM shifts s JOIN heads h ON h.k = s.k JOIN heads g ON g.k = s.slot CROSS JOIN (VALUES (-1), (1)) sides(side)
""",
    """
DELETE FROM grants_balance WHERE line_id IN ({line1}, {line2}, {line3});
INSERT INTO grants_balance (id, authority_id, line_id, grant_id, account, amount)
SELECT uuidv7(), authority_id, line_id, grant_id, account, sum(amount) FROM grants_posting
WHERE line_id IN ({line1}, {line2}, {line3}) GROUP BY authority_id, line_id, grant_id, account
""",
)

DRAWN = (
    """
INSERT INTO grants_drawdown (id, authority_id, grant_id, party_id, case_id, number, year, amount, iban, holder, used,
  used_on, is_final, state, requested_on)
SELECT {own}, {authority}::uuid, {of}, l.party_id, (h.head || d.tail)::uuid, d.r, y.year, d.rate, {iban},
  'Gemeindekasse', d.rate * (d.r - 1), CASE WHEN d.r > 1 THEN d.paid_on - 10 END, false,
  CASE WHEN d.is_paid THEN 'paid' ELSE 'ordered' END, d.paid_on - 10
FROM drawn d JOIN lives l USING (n) JOIN years y USING (n, number) JOIN heads h ON h.k = d.k JOIN heads g ON g.k = d.slot
""",
    """
CREATE TEMP TABLE runs ON COMMIT DROP AS
SELECT r, block, uuidv7() AS id, 1000 + row_number() OVER (ORDER BY r, block) AS number, count, total, day
FROM (SELECT r, n / 1000 AS block, count(*) AS count, sum(rate) AS total, min(paid_on) AS day FROM drawn WHERE is_paid
  GROUP BY 1, 2) d;
INSERT INTO grants_paymentrun (id, authority_id, programme_id, number, state, executes_on, total, count, blob_id,
  prepared_at, prepared_by_id, released_at, released_by_id)
SELECT id, {authority}::uuid, {programme}::uuid, number, 'done', day, total, count, {blob}::uuid, day - 2 + time '09:00',
  {clerk}::uuid, day - 1 + time '09:00', {approver}::uuid FROM runs
""",
    """
INSERT INTO grants_payment (id, authority_id, grant_id, party_id, drawdown_id, run_id, end_to_end, line_id, amount, iban,
  holder, state, ordered_on, paid_on, return_reason)
SELECT {own}, {authority}::uuid, {of}, l.party_id, {own}, CASE WHEN d.is_paid THEN runs.id END,
  {prefix} || lpad(d.k::text, 7, '0'), y.line_id, d.rate, {iban}, 'Gemeindekasse',
  CASE WHEN d.is_paid THEN 'paid' ELSE 'ordered' END, d.paid_on - 5, CASE WHEN d.is_paid THEN d.paid_on END, ''
FROM drawn d JOIN lives l USING (n) JOIN years y USING (n, number) JOIN heads h ON h.k = d.k JOIN heads g ON g.k = d.slot
  LEFT JOIN runs ON runs.r = d.r AND runs.block = d.n / 1000
""",
    """
INSERT INTO grants_proof (id, authority_id, grant_id, party_id, case_id, kind, state, spent, third_party, lines, vouchers,
  due, to_repay, steps, submitted_on, decided_on)
SELECT {own}, {authority}::uuid, {of}, l.party_id,
  (h.head || CASE l.stage WHEN 7 THEN {tail_checking} ELSE {tail_accepted} END)::uuid, 'verwendung',
  CASE l.stage WHEN 7 THEN 'submitted' ELSE 'accepted' END, l.amount * {cost}, 0, '[]', '[]', l.amount, l.claimed, '[]',
  {today} - 12 - l.n % 20, CASE WHEN l.stage > 7 THEN {today} - 10 END
FROM lives l JOIN heads h ON h.k = l.slot + 1 JOIN heads g ON g.k = l.slot WHERE l.stage >= 7
""",
    """
INSERT INTO grants_claim (id, authority_id, grant_id, party_id, case_id, reason, amount, interest, steps, due_on, made_on,
  waived_reason)
SELECT {own}, {authority}::uuid, {of}, l.party_id, (h.head || {tail_accepted})::uuid, 'nachweis', l.claimed, 0, '[]',
  {today} - 9 + l.n % 60, {today} - 9, ''
FROM lives l JOIN heads h ON h.k = l.slot + 2 JOIN heads g ON g.k = l.slot WHERE l.claimed > 0
""",
)
