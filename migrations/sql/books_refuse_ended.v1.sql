-- Refuses what would move an account that is closed, or take one that is leaving any way but toward zero.
CREATE OR REPLACE FUNCTION books.refuse_ended(p_account bigint, p_before bigint, p_after bigint) RETURNS void
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO STRICT v_account FROM accounts a WHERE a.id = p_account;
    IF v_account.closed_at IS NOT NULL THEN
        PERFORM refuse('account-closed', jsonb_build_object('account', p_account));
    END IF;
    IF v_account.leaving_at IS NOT NULL AND p_after NOT BETWEEN least(p_before, 0) AND greatest(p_before, 0) THEN
        PERFORM refuse('account-leaving', jsonb_build_object('account', p_account, 'balance', p_before));
    END IF;
END $$;
