-- Corrects a whole entry by its mirror, at most once, with a reason; a correction is never corrected (write a new entry).
-- A mistake is put right even where a limit would refuse: the audit shows the accounts that it leaves outside.
CREATE OR REPLACE FUNCTION books.reverse(
    p_community bigint, p_entry bigint, p_key text, p_at timestamptz, p_happened_on date,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, p_reason text,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_entry entries;
    v_from bigint[]; v_to bigint[]; v_minutes bigint[];
BEGIN
    IF coalesce(btrim(p_reason), '') = '' THEN PERFORM refuse('reason-missing'); END IF;
    SELECT * INTO v_entry FROM entries e WHERE e.id = p_entry AND e.community_id = p_community;
    IF NOT FOUND THEN PERFORM refuse('entry-unknown'); END IF;
    IF v_entry.reverses_id IS NOT NULL THEN PERFORM refuse('correction-of-correction'); END IF;
    SELECT array_agg(t.to_account ORDER BY t.line DESC), array_agg(t.from_account ORDER BY t.line DESC),
           array_agg(t.minutes ORDER BY t.line DESC)
      INTO v_from, v_to, v_minutes FROM transfers t WHERE t.entry_id = p_entry;
    IF EXISTS (SELECT FROM accounts a WHERE a.id = ANY (v_to) AND a.party_id = p_by_party) THEN
        PERFORM refuse('correction-gains');
    END IF;
    BEGIN
        SELECT r.entry_id, r.recorded_at, r.replayed INTO entry_id, recorded_at, replayed
          FROM write_entry(p_community, p_key, 'correction', v_entry.cause_kind, v_entry.cause_id, p_entry, p_happened_on,
                      p_at, p_by_sign_in, p_by_party, p_by_mandate, v_from, v_to, v_minutes, p_reason, false) r;
    EXCEPTION WHEN unique_violation THEN
        PERFORM refuse('entry-corrected-already');
    END;
END $$;
