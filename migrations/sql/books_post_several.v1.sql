-- Posts an entry of several transfers under the limits of every account that it takes from.
CREATE OR REPLACE FUNCTION books.post_several(
    p_community bigint, p_key text, p_kind text, p_cause_kind text, p_cause bigint,
    p_happened_on date, p_at timestamptz, p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint[], p_to bigint[], p_minutes bigint[], p_note text,
    OUT entry_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_written record;
BEGIN
    IF p_kind = 'correction' THEN PERFORM refuse('entry-malformed'); END IF;  -- see books.reverse
    v_written := write_entry(p_community, p_key, p_kind, p_cause_kind, p_cause, NULL, p_happened_on, p_at,
                             p_by_sign_in, p_by_party, p_by_mandate, p_from, p_to, p_minutes, p_note, true);
    entry_id := v_written.entry_id; recorded_at := v_written.recorded_at; replayed := v_written.replayed;
END $$;
