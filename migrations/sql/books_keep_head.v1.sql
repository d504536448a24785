-- Keeps a signed head of the tree as it stands.
CREATE OR REPLACE FUNCTION books.keep_head(p_size bigint, p_root bytea, p_note text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
BEGIN
    IF p_size IS DISTINCT FROM (SELECT max(l.place) + 1 FROM leaves l) THEN PERFORM refuse('entry-malformed'); END IF;
    INSERT INTO heads (size, root, note, signed_at) VALUES (p_size, p_root, p_note, p_at);
END $$;
