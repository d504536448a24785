-- Writes the one resolution of a hold: posted (all of it, or less: the rest is released), released, or expired.
-- Posting never fails on a limit: the minutes were set aside when the floor was checked.
CREATE OR REPLACE FUNCTION books.resolve_hold(
    p_community bigint, p_hold bigint, p_kind text, p_minutes bigint, p_entry_kind text,
    p_happened_on date, p_at timestamptz, p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, p_note text,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_hold holds;
    v_old hold_resolutions;
    v_written record;
    v_number bigint;
    v_seq bigint;
BEGIN
    IF p_at IS NULL OR p_kind IS NULL OR p_kind NOT IN ('posted', 'released', 'expired') THEN
        PERFORM refuse('entry-malformed');
    END IF;
    SELECT * INTO v_hold FROM holds h WHERE h.id = p_hold AND h.community_id = p_community;
    IF NOT FOUND THEN PERFORM refuse('hold-unknown'); END IF;
    SELECT greatest(p_at, max(a.clock)) INTO recorded_at
      FROM (SELECT clock FROM accounts WHERE id IN (v_hold.from_account, v_hold.to_account)
             ORDER BY id FOR NO KEY UPDATE) a;

    SELECT * INTO v_old FROM hold_resolutions r WHERE r.hold_id = p_hold;
    IF FOUND THEN
        IF v_old.kind <> p_kind OR (p_kind = 'posted' AND p_minutes IS DISTINCT FROM
               (SELECT t.minutes FROM transfers t WHERE t.entry_id = v_old.entry_id)) THEN
            PERFORM refuse('hold-resolved', jsonb_build_object('kind', v_old.kind));
        END IF;
        entry_id := v_old.entry_id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;

    UPDATE accounts SET held = held - v_hold.minutes, clock = resolve_hold.recorded_at WHERE id = v_hold.from_account
    RETURNING seq INTO v_seq;
    v_number := nextval('fact_ids');  -- before that of its entry: the minutes are freed, then they move
    IF p_kind = 'posted' THEN
        IF coalesce(p_minutes, 0) NOT BETWEEN 1 AND v_hold.minutes THEN PERFORM refuse('hold-exceeded'); END IF;
        v_written := write_entry(p_community, 'hold:' || p_hold, p_entry_kind, v_hold.cause_kind, v_hold.cause_id, NULL,
                                 p_happened_on, resolve_hold.recorded_at, p_by_sign_in, p_by_party, p_by_mandate,
                                 ARRAY[v_hold.from_account], ARRAY[v_hold.to_account], ARRAY[p_minutes], p_note, false);
        -- an entry that took the key "hold:7" before is not this hold's
        IF v_written.replayed THEN PERFORM refuse('key-reused', jsonb_build_object('entry', v_written.entry_id)); END IF;
        entry_id := v_written.entry_id; recorded_at := v_written.recorded_at;
    END IF;
    INSERT INTO hold_resolutions (id, hold_id, community_id, kind, entry_id, after_seq, recorded_at,
                                  by_sign_in, by_party, by_mandate)
    VALUES (v_number, p_hold, p_community, p_kind, resolve_hold.entry_id, v_seq, resolve_hold.recorded_at,
            p_by_sign_in, p_by_party, p_by_mandate);
    replayed := false;
END $$;
