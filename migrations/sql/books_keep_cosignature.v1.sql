-- Keeps what a witness signed under a head.
CREATE OR REPLACE FUNCTION books.keep_cosignature(p_size bigint, p_witness text, p_line text, p_at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
BEGIN
    INSERT INTO cosignatures (size, witness, line, received_at) VALUES (p_size, p_witness, p_line, p_at)
    ON CONFLICT (size, witness) DO NOTHING;
END $$;
