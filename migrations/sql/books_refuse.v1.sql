-- Stops the transaction with the name of the rule that refused; ledger.store turns it into the domain error.
CREATE OR REPLACE FUNCTION books.refuse(p_rule text, p_detail jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = p_rule, DETAIL = p_detail::text;
END $$;
