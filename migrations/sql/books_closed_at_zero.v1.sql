-- An account is closed at zero, with nothing set aside. A trigger on the closing alone: a CHECK would be parsed again at
-- every transfer. That nothing moves a closed account is for the functions to refuse, and for the audit to see.
CREATE OR REPLACE FUNCTION books.closed_at_zero() RETURNS trigger
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
BEGIN
    IF NEW.closed_at IS NOT NULL AND (NEW.balance <> 0 OR NEW.held <> 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_closed_at_zero',
            MESSAGE = 'an account is closed at zero, with nothing set aside';
    END IF;
    RETURN NULL;
END $$;
