-- Closes an account that stands at zero with nothing held; what remains is settled by an entry first.
CREATE OR REPLACE FUNCTION books.close_account(p_community bigint, p_account bigint, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts a WHERE a.id = p_account AND a.community_id = p_community FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('account-unknown'); END IF;
    IF v_account.closed_at IS NOT NULL THEN PERFORM refuse('account-closed'); END IF;
    IF v_account.balance <> 0 OR v_account.held <> 0 THEN
        PERFORM refuse('account-not-settled', jsonb_build_object('balance', v_account.balance, 'held', v_account.held));
    END IF;
    UPDATE accounts SET closed_at = greatest(p_at, clock), clock = greatest(p_at, clock) WHERE id = p_account;
END $$;
