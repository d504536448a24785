-- The root above 256 hashes that stand side by side one row below: leaves, or tiles. Nobody hands it in: see books.seal.
CREATE OR REPLACE FUNCTION books.tile(p_level integer, p_place bigint) RETURNS bytea
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
DECLARE
    v_row bytea[];
BEGIN
    IF p_level = 8 THEN
        SELECT array_agg(l.hash ORDER BY l.place) INTO STRICT v_row FROM leaves l
         WHERE l.place >= p_place << 8 AND l.place < (p_place + 1) << 8;
    ELSE
        SELECT array_agg(t.hash ORDER BY t.place) INTO STRICT v_row FROM tiles t
         WHERE t.level = p_level - 8 AND t.place >= p_place << 8 AND t.place < (p_place + 1) << 8;
    END IF;
    WHILE cardinality(v_row) > 1 LOOP
        SELECT array_agg(sha256(decode('01', 'hex') || v_row[2 * i - 1] || v_row[2 * i]) ORDER BY i) INTO STRICT v_row
          FROM generate_series(1, cardinality(v_row) / 2) i;
    END LOOP;
    RETURN v_row[1];
END $$;
