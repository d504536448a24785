-- Enters the key that signs the heads from now on: the first one, or the one that takes over.
CREATE OR REPLACE FUNCTION books.register_key(p_key text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
BEGIN
    INSERT INTO seal_keys (key, recorded_at) VALUES (p_key, p_at) ON CONFLICT (key) DO NOTHING;
END $$;
