-- Writes one entry of one or more transfers. Everything that moves minutes ends here.
--
-- Accounts are locked in the order of their ids, so that two entries never wait for each other in a circle. The key is
-- looked for after the locks: of two requests with one key the second waits, then finds what the first wrote.
-- A limit is checked on the net effect of the whole entry, and only on an account that goes down.
CREATE OR REPLACE FUNCTION books.write_entry(
    p_community bigint, p_key text, p_kind text, p_cause_kind text, p_cause bigint, p_reverses bigint,
    p_happened_on date, p_at timestamptz, p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint[], p_to bigint[], p_minutes bigint[], p_note text, p_limited boolean,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
DECLARE
    v_count integer := cardinality(p_minutes);
    v_content bytea := sha256(convert_to(concat_ws('|', p_kind, p_cause_kind, p_cause, p_reverses, p_happened_on,
                                                   p_from::text, p_to::text, p_minutes::text, p_note), 'UTF8'));
    v_account accounts;
    v_accounts accounts[] := '{}';
    v_net bigint;
    v_old entries;
    v_salt bytea;
    v_from_seq bigint; v_from_balance bigint; v_to_seq bigint; v_to_balance bigint;
BEGIN
    IF v_count IS NULL OR v_count = 0 OR cardinality(p_from) IS DISTINCT FROM v_count
       OR cardinality(p_to) IS DISTINCT FROM v_count THEN
        PERFORM refuse('entry-malformed');
    END IF;

    recorded_at := p_at;
    FOR v_account IN
        SELECT * FROM accounts a WHERE a.id = ANY (p_from || p_to) ORDER BY a.id FOR NO KEY UPDATE
    LOOP
        IF v_account.community_id <> p_community THEN PERFORM refuse('account-unknown'); END IF;
        recorded_at := greatest(recorded_at, v_account.clock);
        v_accounts := v_accounts || v_account;
    END LOOP;

    SELECT * INTO v_old FROM entries e WHERE e.community_id = p_community AND e.by_party = p_by_party AND e.key = p_key;
    IF FOUND THEN
        IF v_old.content <> v_content THEN
            PERFORM refuse('key-reused', jsonb_build_object('entry', v_old.id));
        END IF;
        entry_id := v_old.id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;

    FOREACH v_account IN ARRAY v_accounts LOOP
        IF v_account.closed_at IS NOT NULL THEN
            PERFORM refuse('account-closed', jsonb_build_object('account', v_account.id));
        END IF;
        IF v_count = 1 THEN
            v_net := CASE WHEN v_account.id = p_from[1] THEN -p_minutes[1] ELSE p_minutes[1] END;
        ELSE
            SELECT coalesce(sum(CASE WHEN t.to_account = v_account.id THEN t.minutes ELSE 0 END
                              - CASE WHEN t.from_account = v_account.id THEN t.minutes ELSE 0 END), 0) INTO v_net
              FROM unnest(p_from, p_to, p_minutes) AS t (from_account, to_account, minutes);
        END IF;
        IF v_account.limits_until <= recorded_at THEN
            SELECT l.floor, l.ceiling, l.until INTO v_account.floor, v_account.ceiling, v_account.limits_until
              FROM limits_at(p_community, v_account.kind, v_account.id, recorded_at) l;
            UPDATE accounts SET floor = v_account.floor, ceiling = v_account.ceiling,
                                limits_until = v_account.limits_until WHERE id = v_account.id;
        END IF;
        IF p_limited AND v_net < 0 AND v_account.balance + v_net - v_account.held < v_account.floor THEN
            PERFORM refuse('floor-reached', jsonb_build_object('account', v_account.id, 'floor', v_account.floor,
                'balance', v_account.balance, 'held', v_account.held, 'minutes', -v_net));
        END IF;
    END LOOP;

    IF p_note <> '' THEN v_salt := uuid_send(gen_random_uuid()); END IF;
    INSERT INTO entries (community_id, key, content, kind, cause_kind, cause_id, reverses_id, happened_on, recorded_at,
                         by_sign_in, by_party, by_mandate, note_digest)
    VALUES (p_community, p_key, v_content, p_kind, p_cause_kind, p_cause, p_reverses, p_happened_on, write_entry.recorded_at,
            p_by_sign_in, p_by_party, p_by_mandate, sha256(v_salt || convert_to(p_note, 'UTF8')))
    ON CONFLICT (community_id, by_party, key) DO NOTHING RETURNING id INTO entry_id;
    IF entry_id IS NULL THEN PERFORM refuse('key-reused'); END IF;  -- the same key at the same moment, other accounts
    IF v_salt IS NOT NULL THEN
        INSERT INTO notes (entry_id, salt, note) VALUES (write_entry.entry_id, v_salt, p_note);
    END IF;

    FOR i IN 1 .. v_count LOOP
        UPDATE accounts SET balance = balance - p_minutes[i], seq = seq + 1, clock = write_entry.recorded_at
         WHERE id = p_from[i] RETURNING seq, balance INTO v_from_seq, v_from_balance;
        UPDATE accounts SET balance = balance + p_minutes[i], seq = seq + 1, clock = write_entry.recorded_at
         WHERE id = p_to[i] RETURNING seq, balance INTO v_to_seq, v_to_balance;
        IF v_from_seq IS NULL OR v_to_seq IS NULL THEN PERFORM refuse('account-unknown'); END IF;
        INSERT INTO transfers (entry_id, line, community_id, from_account, to_account, minutes,
                               from_seq, from_balance, to_seq, to_balance)
        VALUES (write_entry.entry_id, i, p_community, p_from[i], p_to[i], p_minutes[i],
                v_from_seq, v_from_balance, v_to_seq, v_to_balance);
    END LOOP;
    replayed := false;
END $$;
