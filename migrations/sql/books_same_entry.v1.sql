-- Whether an entry says what is asked again under its key. Words that were erased since can't be compared: they pass.
CREATE OR REPLACE FUNCTION books.same_entry(
    p_entry bigint, p_kind text, p_cause_kind text, p_cause bigint, p_reverses bigint, p_happened_on date,
    p_from bigint[], p_to bigint[], p_minutes bigint[], p_note text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = books, pg_temp AS $$
BEGIN
    RETURN (
        SELECT (e.kind, e.cause_kind, e.cause_id, e.reverses_id, e.happened_on)
               IS NOT DISTINCT FROM (p_kind, p_cause_kind, p_cause, p_reverses, p_happened_on)
           AND (SELECT (array_agg(t.from_account ORDER BY t.line), array_agg(t.to_account ORDER BY t.line),
                        array_agg(t.minutes::bigint ORDER BY t.line))
                  FROM transfers t WHERE t.entry_id = e.id) = (p_from, p_to, p_minutes)
           AND CASE WHEN e.note_digest IS NULL OR coalesce(p_note, '') = ''
                    THEN e.note_digest IS NULL AND coalesce(p_note, '') = ''
                    ELSE n.salt IS NULL OR e.note_digest = sha256(n.salt || convert_to(p_note, 'UTF8')) END
          FROM entries e LEFT JOIN notes n ON n.fact_id = e.id
         WHERE e.id = p_entry);
END $$;
