-- A mandate enters the books when it is granted: who may act for whom is sealed with what they write.
CREATE OR REPLACE FUNCTION books.mandate_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
BEGIN
    INSERT INTO mandates (mandate_id, sign_in_id, party_id, role, starts_on, ends_on, recorded_at)
    VALUES (NEW.id, NEW.sign_in_id, NEW.party_id, NEW.role, NEW.starts_on, NEW.ends_on, NEW.granted_at);
    RETURN NULL;
END $$;
