-- A town that lends a thousand resources, and what was booked of them: written as the operations would have.
-- {days}: how many days have bookings; {every}: one booking in so many is kept.
INSERT INTO parties (id, token, kind, name, created_at) OVERRIDING SYSTEM VALUE
SELECT 1000000 + n, 'bench-party-' || n, 'organisation', 'Association ' || n, now() FROM generate_series(0, 200) n;

INSERT INTO resources (id, token, lender_id, kind, name, capacity, quantity, opening_hours, buffer_minutes, created_at,
                       published_at, decided_by, slots)
OVERRIDING SYSTEM VALUE
SELECT n, 'bench-resource-' || n, 1000000,
       CASE WHEN n > 950 THEN 'pool' WHEN n % 10 = 0 THEN 'thing' ELSE 'room' END, 'Salle ' || n,
       CASE WHEN n <= 950 AND n % 10 > 0 THEN 10 + n % 200 END, CASE WHEN n > 950 THEN 40 END,
       (ARRAY['', 'Mo-Su 08:00-22:00', 'Mo-Fr 08:00-22:00; Sa 09:00-18:00; PH off', 'Mo-Sa 09:00-23:00'])[1 + n % 4],
       (ARRAY[0, 15, 30, 60])[1 + n % 4], now(), now(), 'nobody',
       CASE WHEN n % 50 = 7 THEN '08:00-13:00,13:00-19:00' ELSE '' END
  FROM generate_series(1, 1000) n;
-- fifty halls of two halves, each of which is a room
INSERT INTO resource_units (resource_id, unit_id) SELECT n, n FROM generate_series(1, 900) n;
INSERT INTO resource_units (resource_id, unit_id)
SELECT n, 801 + 2 * (n - 901) + half FROM generate_series(901, 950) n, generate_series(0, 1) half;

CREATE TEMP TABLE made AS
SELECT row_number() OVER (ORDER BY unit, day, part) AS id, unit, starts_at,
       starts_at + make_interval(mins => 60 + (random() * 90)::int) AS ends_at
  FROM (SELECT unit, day, part,
               date_trunc('day', now()) + make_interval(days => day - {days} / 2, hours => 8 + 6 * part,
                                                        mins => 15 * (random() * 8)::int) AS starts_at
          FROM generate_series(1, 900) unit, generate_series(1, {days}) day, generate_series(0, 1) part
         WHERE random() * {every} < 1) spans;
INSERT INTO bookings (id, token, lender_id, party_id, purpose, people, starts_at, ends_at, zone, minutes, explanation,
                      by_party, asked_at, answer_before)
OVERRIDING SYSTEM VALUE
SELECT id, 'bench-booking-' || id, 1000000, 1000001 + id % 200, 'Réunion', 20, starts_at, ends_at, 'Europe/Paris', 0,
       '{{}}', 1000001 + id % 200, starts_at - interval '20 days', starts_at FROM made;
INSERT INTO booking_items (id, booking_id, resource_id, quantity, minutes, buffer_minutes) OVERRIDING SYSTEM VALUE
SELECT id, id, unit, 1, 0, (ARRAY[0, 15, 30, 60])[1 + unit % 4] FROM made;
INSERT INTO booking_decisions (booking_id, verdict, by_party, decided_at)
SELECT id, 'accepted', 1000000, starts_at - interval '20 days' FROM made;
INSERT INTO occupancy (booking_item_id, unit_id, during)
SELECT id, unit, tstzrange(starts_at, ends_at + make_interval(mins => (ARRAY[0, 15, 30, 60])[1 + unit % 4])) FROM made
 ORDER BY id;

-- of two pools, one has ten thousand loans and the other a hundred; the others two hundred each
CREATE TEMP TABLE loans AS
SELECT 2000000 + row_number() OVER () AS id, pool, starts_at, starts_at + interval '2 hours' AS ends_at
  FROM (SELECT pool, now() + make_interval(hours => (random() * 24 * {days})::int - 12 * {days}) AS starts_at
          FROM generate_series(951, 1000) pool,
               LATERAL generate_series(1, CASE pool WHEN 951 THEN 10000 WHEN 952 THEN 100 ELSE 200 END)) spans;
INSERT INTO bookings (id, token, lender_id, party_id, purpose, starts_at, ends_at, zone, minutes, explanation, by_party,
                      asked_at, answer_before)
OVERRIDING SYSTEM VALUE
SELECT id, 'bench-booking-' || id, 1000000, 1000001, 'Fête', starts_at, ends_at, 'Europe/Paris', 0, '{{}}', 1000001,
       starts_at - interval '20 days', starts_at FROM loans;
INSERT INTO booking_items (id, booking_id, resource_id, quantity, minutes, buffer_minutes) OVERRIDING SYSTEM VALUE
SELECT id, id, pool, 1, 0, 0 FROM loans;
INSERT INTO pool_occupancy (booking_item_id, pool_id, quantity, during)
SELECT id, pool, 1, tstzrange(starts_at, ends_at) FROM loans;
DROP TABLE made, loans;
SELECT setval(pg_get_serial_sequence(name, 'id'), 5000000)
  FROM unnest(ARRAY['parties', 'resources', 'bookings', 'booking_items']) name;
