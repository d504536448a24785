-- Every fact of the books with its line: the bytes that are sealed, exported and verified, in UTF-8. One JSON object, its
-- names in this order; instants in UTC with microseconds; words and names only as commitments.
CREATE OR REPLACE VIEW books.facts (id, line) AS
SELECT e.id, format(
    '{"fact": "entry", "id": %s, "community": %s, "kind": "%s", "cause": %s, "reverses": %s, "happened_on": "%s", '
    '"recorded_at": "%s", "by_sign_in": %s, "by_party": %s, "by_mandate": %s, "note": %s, "transfers": [%s]}',
    e.id, e.community_id, e.kind, CASE WHEN e.cause_kind IS NULL THEN 'null' ELSE
    format('[%s, %s]', to_json(e.cause_kind), e.cause_id) END, coalesce(e.reverses_id::text, 'null'),
    to_char(e.happened_on, 'YYYY-MM-DD'), to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(e.by_sign_in::text, 'null'), e.by_party, coalesce(e.by_mandate::text, 'null'),
    coalesce('"' || encode(e.note_digest, 'hex') || '"', 'null'),
    (SELECT string_agg(format(
        '{"from": %s, "to": %s, "minutes": %s, "from_seq": %s, "from_balance": %s, "to_seq": %s, "to_balance": %s}',
        t.from_account, t.to_account, t.minutes, t.from_seq, t.from_balance, t.to_seq, t.to_balance), ', '
        ORDER BY t.line) FROM books.transfers t WHERE t.entry_id = e.id))
  FROM books.entries e
UNION ALL
SELECT h.id, format(
    '{"fact": "hold", "id": %s, "community": %s, "from": %s, "to": %s, "minutes": %s, "after_seq": %s, "cause": %s, '
    '"recorded_at": "%s", "by_sign_in": %s, "by_party": %s, "by_mandate": %s}',
    h.id, h.community_id, h.from_account, h.to_account, h.minutes, h.after_seq, CASE WHEN h.cause_kind IS NULL
    THEN 'null' ELSE format('[%s, %s]', to_json(h.cause_kind), h.cause_id) END,
    to_char(h.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(h.by_sign_in::text, 'null'), h.by_party, coalesce(h.by_mandate::text, 'null'))
  FROM books.holds h
UNION ALL
SELECT r.id, format(
    '{"fact": "resolution", "id": %s, "community": %s, "hold": %s, "kind": "%s", "entry": %s, "after_seq": %s, '
    '"recorded_at": "%s", "by_sign_in": %s, "by_party": %s, "by_mandate": %s}',
    r.id, r.community_id, r.hold_id, r.kind, coalesce(r.entry_id::text, 'null'), r.after_seq,
    to_char(r.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(r.by_sign_in::text, 'null'), r.by_party, coalesce(r.by_mandate::text, 'null'))
  FROM books.hold_resolutions r
UNION ALL
SELECT v.id, format(
    '{"fact": "account", "id": %s, "community": %s, "account": %s, "kind": "%s", "account_kind": "%s", '
    '"recorded_at": "%s", "by_sign_in": %s, "by_party": %s, "by_mandate": %s, "note": %s}',
    v.id, v.community_id, v.account_id, v.kind, a.kind,
    to_char(v.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(v.by_sign_in::text, 'null'), v.by_party, coalesce(v.by_mandate::text, 'null'),
    coalesce('"' || encode(v.note_digest, 'hex') || '"', 'null'))
  FROM books.account_events v JOIN books.accounts a ON a.id = v.account_id
UNION ALL
SELECT l.id, format(
    '{"fact": "limit", "id": %s, "community": %s, "account_kind": %s, "account": %s, "floor": %s, "ceiling": %s, '
    '"starts_at": "%s", "ends_at": %s, "note": "%s", "recorded_at": "%s", "by_sign_in": %s, "by_party": %s, '
    '"by_mandate": %s}',
    l.id, l.community_id, coalesce('"' || l.account_kind || '"', 'null'), coalesce(l.account_id::text, 'null'),
    coalesce(l.floor::text, 'null'), coalesce(l.ceiling::text, 'null'),
    to_char(l.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce('"' || to_char(l.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"', 'null'),
    encode(l.note_digest, 'hex'), to_char(l.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(l.by_sign_in::text, 'null'), l.by_party, coalesce(l.by_mandate::text, 'null'))
  FROM books.limits l
UNION ALL
SELECT m.id, format(
    '{"fact": "mandate", "id": %s, "mandate": %s, "sign_in": %s, "party": %s, "role": %s, "starts_on": "%s", '
    '"ends_on": %s, "recorded_at": "%s"}',
    m.id, m.mandate_id, m.sign_in_id, m.party_id, to_json(m.role), to_char(m.starts_on, 'YYYY-MM-DD'),
    coalesce('"' || to_char(m.ends_on, 'YYYY-MM-DD') || '"', 'null'),
    to_char(m.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
  FROM books.mandates m
UNION ALL
SELECT c.id, format(
    '{"fact": "month", "id": %s, "community": %s, "month": "%s", "entries": %s, "minutes": %s, "late": %s, '
    '"recorded_at": "%s", "by_sign_in": %s, "by_party": %s, "by_mandate": %s}',
    c.id, c.community_id, to_char(c.month, 'YYYY-MM'), c.entries, c.minutes, c.late,
    to_char(c.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    coalesce(c.by_sign_in::text, 'null'), c.by_party, coalesce(c.by_mandate::text, 'null'))
  FROM books.months c
UNION ALL
SELECT k.id, format('{"fact": "key", "id": %s, "key": %s, "recorded_at": "%s"}',
    k.id, to_json(k.key), to_char(k.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
  FROM books.seal_keys k;
