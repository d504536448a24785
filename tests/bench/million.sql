-- Entry n goes from account n to account 7n + 3, of so many; each account's numbers and balances follow from that.
CREATE TEMP TABLE made AS
SELECT nextval('books.fact_ids') AS id, n, ids[1 + n % {accounts}] AS payer, ids[1 + (7 * n + 3) % {accounts}] AS payee,
       1 + n % 90 AS minutes
  FROM generate_series(1, {entries}) n, (SELECT array_agg(id ORDER BY id) AS ids FROM books.accounts WHERE kind = 'person') a
 WHERE n % {accounts} <> (7 * n + 3) % {accounts};
CREATE TEMP TABLE lived AS
SELECT lines.id, account, gives, row_number() OVER life + a.seq AS seq, sum(moved) OVER life + a.balance AS balance
  FROM (SELECT id, payer AS account, true AS gives, -minutes AS moved FROM made
        UNION ALL SELECT id, payee, false, minutes FROM made) lines
  JOIN books.accounts a ON a.id = lines.account
WINDOW life AS (PARTITION BY account ORDER BY lines.id);
INSERT INTO books.entries (id, community_id, key, kind, happened_on, recorded_at, by_party)
SELECT id, {community}, 'made:' || n, 'exchange', '2026-01-02', timestamptz '2026-01-02 00:00+00' + n * interval '1 second', 1
  FROM made;
INSERT INTO books.transfers (entry_id, line, community_id, from_account, to_account, minutes, from_seq, from_balance,
                             to_seq, to_balance)
SELECT m.id, 1, {community}, m.payer, m.payee, m.minutes, f.seq, f.balance, t.seq, t.balance
  FROM made m JOIN lived f ON f.id = m.id AND f.gives JOIN lived t ON t.id = m.id AND NOT t.gives;
UPDATE books.accounts a SET seq = l.seq, balance = l.balance, clock = timestamptz '2026-01-02 00:00+00'
       + {entries} * interval '1 second'
  FROM (SELECT DISTINCT ON (account) account, seq, balance FROM lived ORDER BY account, seq DESC) l WHERE a.id = l.account;
