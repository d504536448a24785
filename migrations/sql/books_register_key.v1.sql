-- Enters the key that signs the heads from now on: the first one, or the one that takes over. Its text is that of C2SP
-- signed-note, "name+key id+base64" of an Ed25519 key: what isn't one would be sealed for good, and no export be verified.
CREATE OR REPLACE FUNCTION books.register_key(p_key text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_parts text[] := regexp_match(p_key, '^([!-*,-~]{1,200})[+]([0-9a-f]{8})[+]([A-Za-z0-9+/]{44})$');
    v_key bytea := decode(v_parts[3], 'base64');
BEGIN
    IF v_parts IS NULL OR get_byte(v_key, 0) <> 1  -- Ed25519
       OR v_parts[2] <> left(encode(sha256(convert_to(v_parts[1], 'UTF8') || decode('0a', 'hex') || v_key), 'hex'), 8) THEN
        PERFORM refuse('entry-malformed');
    END IF;
    INSERT INTO seal_keys (key, recorded_at) VALUES (p_key, p_at) ON CONFLICT (key) DO NOTHING;
END $$;
