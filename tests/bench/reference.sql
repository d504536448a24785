-- The least that any ledger must do: one entry, one transfer, two balances that stay above their floors.
CREATE SCHEMA reference;
CREATE TABLE reference.accounts (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT -1000000000
) WITH (fillfactor = 50);
CREATE TABLE reference.entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_on date NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE TABLE reference.transfers (
    entry_id bigint PRIMARY KEY REFERENCES reference.entries,
    from_account bigint NOT NULL REFERENCES reference.accounts,
    to_account bigint NOT NULL REFERENCES reference.accounts,
    minutes bigint NOT NULL CHECK (minutes > 0)
);
CREATE FUNCTION reference.post(p_from bigint, p_to bigint, p_minutes bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_entry bigint;
    v_low bigint := least(p_from, p_to);
    v_high bigint := greatest(p_from, p_to);
BEGIN
    UPDATE reference.accounts SET balance = balance + CASE WHEN id = p_from THEN -p_minutes ELSE p_minutes END
     WHERE id = v_low AND (id = p_to OR balance - p_minutes >= floor);
    IF NOT FOUND THEN RAISE EXCEPTION 'floor'; END IF;
    UPDATE reference.accounts SET balance = balance + CASE WHEN id = p_from THEN -p_minutes ELSE p_minutes END
     WHERE id = v_high AND (id = p_to OR balance - p_minutes >= floor);
    IF NOT FOUND THEN RAISE EXCEPTION 'floor'; END IF;
    INSERT INTO reference.entries (happened_on, recorded_at) VALUES (current_date, now()) RETURNING id INTO v_entry;
    INSERT INTO reference.transfers VALUES (v_entry, p_from, p_to, p_minutes);
    RETURN v_entry;
END $$;
