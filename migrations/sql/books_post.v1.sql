-- Posts an entry of one transfer under the limits of the account that it takes from: nearly all of them. What
-- books.write_entry does for several, without its arrays.
--
-- The two accounts are moved in the order of their ids, so that two entries never wait for each other in a circle; what
-- each update answers is what the line shows. The entry is inserted after them: of two requests with one key the second
-- waits, finds the key taken, takes back what it moved, and answers what the first wrote.
CREATE OR REPLACE FUNCTION books.post(
    p_community bigint, p_key text, p_kind text, p_cause_kind text, p_cause bigint,
    p_happened_on date, p_at timestamptz, p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint, p_to bigint, p_minutes bigint, p_note text,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_pays_first boolean := p_from < p_to;
    v_minutes bigint := CASE WHEN v_pays_first THEN -p_minutes ELSE p_minutes END;  -- what the first account gets
    v_first record; v_second record; v_payer record; v_paid record;
    v_floor bigint;
    v_old entries;
    v_salt bytea;
BEGIN
    IF p_at IS NULL OR p_from IS NOT DISTINCT FROM p_to OR p_happened_on > (p_at AT TIME ZONE 'UTC')::date + 1
       OR p_kind = 'correction' THEN  -- see books.reverse
        PERFORM refuse('entry-malformed');
    END IF;
    UPDATE accounts a SET balance = a.balance + v_minutes, seq = a.seq + 1, clock = greatest(a.clock, p_at)
     WHERE a.id = least(p_from, p_to) AND a.community_id = p_community
    RETURNING a.id, a.balance, a.held, a.seq, a.floor, a.limits_until, a.clock,
              coalesce(a.closed_at, a.leaving_at) AS ending INTO v_first;
    IF NOT FOUND THEN PERFORM refuse('account-unknown'); END IF;
    UPDATE accounts a SET balance = a.balance - v_minutes, seq = a.seq + 1, clock = greatest(a.clock, v_first.clock)
     WHERE a.id = greatest(p_from, p_to) AND a.community_id = p_community
    RETURNING a.id, a.balance, a.held, a.seq, a.floor, a.limits_until, a.clock,
              coalesce(a.closed_at, a.leaving_at) AS ending INTO v_second;
    IF NOT FOUND THEN PERFORM refuse('account-unknown'); END IF;
    recorded_at := v_second.clock;
    IF v_first.clock < recorded_at THEN
        UPDATE accounts a SET clock = v_second.clock WHERE a.id = v_first.id;
    END IF;
    IF v_pays_first THEN v_payer := v_first; v_paid := v_second; ELSE v_payer := v_second; v_paid := v_first; END IF;

    IF p_note <> '' THEN v_salt := uuid_send(gen_random_uuid()); END IF;
    INSERT INTO entries (community_id, key, kind, cause_kind, cause_id, happened_on, recorded_at,
                         by_sign_in, by_party, by_mandate, note_digest)
    VALUES (p_community, p_key, p_kind, p_cause_kind, p_cause, p_happened_on, v_second.clock,
            p_by_sign_in, p_by_party, p_by_mandate, sha256(v_salt || convert_to(p_note, 'UTF8')))
    ON CONFLICT (community_id, by_party, key) DO NOTHING RETURNING id INTO entry_id;
    IF entry_id IS NULL THEN
        UPDATE accounts a SET balance = a.balance + CASE WHEN a.id = p_from THEN p_minutes ELSE -p_minutes END,
                              seq = a.seq - 1
         WHERE a.id IN (p_from, p_to);
        SELECT * INTO STRICT v_old FROM entries e
         WHERE e.community_id = p_community AND e.by_party = p_by_party AND e.key = p_key;
        IF same_entry(v_old.id, p_kind, p_cause_kind, p_cause, NULL, p_happened_on, ARRAY[p_from], ARRAY[p_to],
                      ARRAY[p_minutes], p_note) IS NOT TRUE THEN
            PERFORM refuse('key-reused', jsonb_build_object('entry', v_old.id));
        END IF;
        entry_id := v_old.id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;
    IF v_salt IS NOT NULL THEN
        INSERT INTO notes (fact_id, salt, note) VALUES (post.entry_id, v_salt, p_note);
    END IF;
    INSERT INTO transfers (entry_id, line, community_id, from_account, to_account, minutes,
                           from_seq, from_balance, to_seq, to_balance)
    VALUES (post.entry_id, 1, p_community, p_from, p_to, p_minutes,
            v_payer.seq, v_payer.balance, v_paid.seq, v_paid.balance);

    IF v_first.ending IS NOT NULL OR v_second.ending IS NOT NULL THEN
        PERFORM refuse_ended(v_first.id, v_first.balance - v_minutes, v_first.balance);
        PERFORM refuse_ended(v_second.id, v_second.balance + v_minutes, v_second.balance);
    END IF;
    v_floor := v_payer.floor;
    IF least(v_first.limits_until, v_second.limits_until) <= recorded_at THEN
        v_floor := (refresh_limits(ARRAY[v_first.id, v_second.id], recorded_at))[CASE WHEN v_pays_first THEN 1 ELSE 2 END];
    END IF;
    IF v_payer.balance - v_payer.held < v_floor THEN
        PERFORM refuse('floor-reached', jsonb_build_object('account', p_from, 'floor', v_floor,
            'balance', v_payer.balance + p_minutes, 'held', v_payer.held, 'minutes', p_minutes));
    END IF;
    replayed := false;
END $$;
