-- Corrects a whole entry by its mirror, at most once, with a reason; a correction is never corrected (write a new entry).
-- A mistake is put right even where a limit would refuse: the audit shows the accounts that it leaves outside.
-- Who acts for a party that gains is refused; the community's own account is nobody's gain.
CREATE OR REPLACE FUNCTION books.reverse(
    p_community bigint, p_entry bigint, p_key text, p_at timestamptz, p_happened_on date,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, p_reason text,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_entry entries;
    v_other entries;
    v_from bigint[]; v_to bigint[]; v_minutes bigint[];
    v_written record;
BEGIN
    IF coalesce(p_reason, '') !~ '[[:alnum:]]' THEN PERFORM refuse('reason-missing'); END IF;
    SELECT * INTO v_entry FROM entries e WHERE e.id = p_entry AND e.community_id = p_community;
    IF NOT FOUND THEN PERFORM refuse('entry-unknown'); END IF;
    IF v_entry.reverses_id IS NOT NULL THEN PERFORM refuse('correction-of-correction'); END IF;
    SELECT array_agg(t.to_account ORDER BY t.line DESC), array_agg(t.from_account ORDER BY t.line DESC),
           array_agg(t.minutes ORDER BY t.line DESC)
      INTO v_from, v_to, v_minutes FROM transfers t WHERE t.entry_id = p_entry;
    IF EXISTS (SELECT FROM unnest(v_from || v_to, v_minutes || v_minutes) WITH ORDINALITY AS m (account, minutes, place)
                 JOIN accounts a ON a.id = m.account
                WHERE a.party_id = p_by_party AND a.kind <> 'community'
                GROUP BY a.id
               HAVING sum(CASE WHEN m.place <= cardinality(v_from) THEN -m.minutes ELSE m.minutes END) > 0) THEN
        PERFORM refuse('correction-gains');
    END IF;
    -- of two corrections at once the second waits here, then sees the first
    PERFORM FROM accounts a WHERE a.id = ANY (v_from || v_to) ORDER BY a.id FOR NO KEY UPDATE;
    SELECT * INTO v_other FROM entries e WHERE e.reverses_id = p_entry;
    IF FOUND AND (v_other.by_party, v_other.key) IS DISTINCT FROM (p_by_party, p_key) THEN
        PERFORM refuse('entry-corrected-already', jsonb_build_object('entry', v_other.id));
    END IF;
    v_written := write_entry(p_community, p_key, 'correction', v_entry.cause_kind, v_entry.cause_id, p_entry,
                             p_happened_on, p_at, p_by_sign_in, p_by_party, p_by_mandate, v_from, v_to, v_minutes,
                             p_reason, false);
    entry_id := v_written.entry_id; recorded_at := v_written.recorded_at; replayed := v_written.replayed;
END $$;
