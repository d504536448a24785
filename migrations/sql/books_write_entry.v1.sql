-- Writes one entry of any number of transfers, held to the limits or not; see books.post for the usual one transfer.
--
-- Accounts are locked in the order of their ids, so that two entries never wait for each other in a circle. The entry is
-- inserted after the locks: of two requests with one key the second waits, finds the key taken, and answers what the
-- first wrote. A limit is checked on the net effect of the whole entry, and only on an account that goes down.
CREATE OR REPLACE FUNCTION books.write_entry(
    p_community bigint, p_key text, p_kind text, p_cause_kind text, p_cause bigint, p_reverses bigint,
    p_happened_on date, p_at timestamptz, p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint[], p_to bigint[], p_minutes bigint[], p_note text, p_limited boolean,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
DECLARE
    v_count integer := cardinality(p_minutes);
    -- the accounts, in the order of their ids
    v_ids bigint[]; v_before bigint[]; v_after bigint[]; v_held bigint[]; v_seqs bigint[]; v_floors bigint[];
    v_ending boolean;
    v_clock timestamptz; v_until timestamptz; v_ours boolean;
    v_old entries;
    v_from integer; v_to integer;
    v_salt bytea;
BEGIN
    IF coalesce(v_count, 0) = 0 OR p_at IS NULL OR cardinality(p_from) IS DISTINCT FROM v_count
       OR cardinality(p_to) IS DISTINCT FROM v_count OR p_happened_on > (p_at AT TIME ZONE 'UTC')::date + 1 THEN
        PERFORM refuse('entry-malformed');
    END IF;

    SELECT array_agg(a.id), array_agg(a.balance), array_agg(a.held), array_agg(a.seq), array_agg(a.floor),
           bool_or(a.closed_at IS NOT NULL OR (a.leaving_at IS NOT NULL AND p_limited)), max(a.clock),
           min(a.limits_until), bool_and(a.community_id = p_community)
      INTO v_ids, v_before, v_held, v_seqs, v_floors, v_ending, v_clock, v_until, v_ours
      FROM (SELECT * FROM accounts WHERE id = ANY (p_from || p_to) ORDER BY id FOR NO KEY UPDATE) a;
    IF v_ours IS DISTINCT FROM true OR NOT v_ids @> p_from OR NOT v_ids @> p_to THEN
        PERFORM refuse('account-unknown');
    END IF;
    recorded_at := greatest(p_at, v_clock);

    IF p_note <> '' THEN v_salt := uuid_send(gen_random_uuid()); END IF;
    INSERT INTO entries (community_id, key, kind, cause_kind, cause_id, reverses_id, happened_on, recorded_at,
                         by_sign_in, by_party, by_mandate, note_digest)
    VALUES (p_community, p_key, p_kind, p_cause_kind, p_cause, p_reverses, p_happened_on, write_entry.recorded_at,
            p_by_sign_in, p_by_party, p_by_mandate, sha256(v_salt || convert_to(p_note, 'UTF8')))
    ON CONFLICT (community_id, by_party, key) DO NOTHING RETURNING id INTO entry_id;
    IF entry_id IS NULL THEN
        SELECT * INTO STRICT v_old FROM entries e
         WHERE e.community_id = p_community AND e.by_party = p_by_party AND e.key = p_key;
        IF same_entry(v_old.id, p_kind, p_cause_kind, p_cause, p_reverses, p_happened_on, p_from, p_to, p_minutes,
                      p_note) IS NOT TRUE THEN
            PERFORM refuse('key-reused', jsonb_build_object('entry', v_old.id));
        END IF;
        entry_id := v_old.id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;
    IF v_salt IS NOT NULL THEN
        INSERT INTO notes (fact_id, salt, note) VALUES (write_entry.entry_id, v_salt, p_note);
    END IF;

    IF v_until <= recorded_at THEN v_floors := refresh_limits(v_ids, recorded_at); END IF;
    v_after := v_before;
    FOR i IN 1 .. v_count LOOP
        v_from := array_position(v_ids, p_from[i]);
        v_to := array_position(v_ids, p_to[i]);
        v_after[v_from] := v_after[v_from] - p_minutes[i];
        v_after[v_to] := v_after[v_to] + p_minutes[i];
        v_seqs[v_from] := v_seqs[v_from] + 1;
        v_seqs[v_to] := v_seqs[v_to] + 1;
        INSERT INTO transfers (entry_id, line, community_id, from_account, to_account, minutes,
                               from_seq, from_balance, to_seq, to_balance)
        VALUES (write_entry.entry_id, i, p_community, p_from[i], p_to[i], p_minutes[i],
                v_seqs[v_from], v_after[v_from], v_seqs[v_to], v_after[v_to]);
    END LOOP;

    IF v_ending THEN
        FOR i IN 1 .. cardinality(v_ids) LOOP
            PERFORM refuse_ended(v_ids[i], v_before[i], CASE WHEN p_limited THEN v_after[i] ELSE 0 END);
        END LOOP;
    END IF;
    FOR i IN 1 .. cardinality(v_ids) LOOP
        IF p_limited AND v_after[i] < v_before[i] AND v_after[i] - v_held[i] < v_floors[i] THEN
            PERFORM refuse('floor-reached', jsonb_build_object('account', v_ids[i], 'floor', v_floors[i],
                'balance', v_before[i], 'held', v_held[i], 'minutes', v_before[i] - v_after[i]));
        END IF;
    END LOOP;
    UPDATE accounts a SET balance = v_after[array_position(v_ids, a.id)], seq = v_seqs[array_position(v_ids, a.id)],
                          clock = write_entry.recorded_at
     WHERE a.id = ANY (v_ids);
    replayed := false;
END $$;
