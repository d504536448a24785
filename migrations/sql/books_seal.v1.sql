-- Gives leaves to the facts that have none, in the order of their numbers, and answers them; at most p_most.
--
-- Numbers are not the order of commits: a fact with a smaller number may be committed after one with a larger was sealed.
-- So every committed fact without a leaf is taken, and `below` only spares the search where nothing can appear any more.
-- With p_still, writers are waited for and kept out until the end of this transaction: what has no leaf then, up to the
-- last number given, will never be. In a transaction that began its view before (REPEATABLE READ) that would be untrue.
-- Indexes are always used: what is known of a table that just grew may be out of date, and each fact looked for among all
-- leaves would take hours.
-- Tiles are made here too, as soon as they are complete: heads are signed over them, and nobody may choose one.
CREATE OR REPLACE FUNCTION books.seal(p_most integer, p_still boolean) RETURNS TABLE (place bigint, hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_below bigint;
    v_size bigint;
    v_last bigint;
    v_count bigint;
BEGIN
    SELECT s.below INTO STRICT v_below FROM sealing s FOR UPDATE;  -- one sealer at a time
    SELECT coalesce(max(l.place) + 1, 0) INTO v_size FROM leaves l;
    IF p_still THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN PERFORM refuse('entry-malformed'); END IF;
        LOCK TABLE accounts, account_events, limits, mandates, months, seal_keys, holds, entries, hold_resolutions
            IN SHARE MODE;
        SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END INTO v_last FROM fact_ids s;
    END IF;
    RETURN QUERY
    INSERT INTO leaves AS n (place, fact_id, hash)
    SELECT v_size - 1 + row_number() OVER (ORDER BY f.id), f.id, sha256(decode('00', 'hex') || convert_to(f.line, 'UTF8'))
      FROM (SELECT f.id, f.line FROM facts f
             WHERE f.id > v_below AND NOT EXISTS (SELECT FROM leaves l WHERE l.fact_id = f.id)
             ORDER BY f.id LIMIT p_most) f
    RETURNING n.place, n.hash;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_size := v_size + v_count;
    FOR v_level IN 8 .. 56 BY 8 LOOP
        EXIT WHEN v_size >> v_level = 0;
        INSERT INTO tiles (level, place, hash)
        SELECT v_level, n, tile(v_level, n)
          FROM generate_series((SELECT coalesce(max(t.place) + 1, 0) FROM tiles t WHERE t.level = v_level),
                               (v_size >> v_level) - 1) n;
    END LOOP;
    IF p_still AND v_count < p_most THEN UPDATE sealing SET below = v_last; END IF;
END $$;
