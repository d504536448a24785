-- Opens the account of a party in a community, at zero; a party has one in each (transit accounts apart).
CREATE OR REPLACE FUNCTION books.open_account(
    p_community bigint, p_party bigint, p_kind text, p_token text, p_at timestamptz, OUT account_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_limits record;
BEGIN
    -- a default that changes at this moment waits, or is seen: set_limit takes the same lock alone
    PERFORM pg_advisory_xact_lock_shared(hashtext('books.limits'), p_community::integer);
    SELECT * INTO v_limits FROM limits_at(p_community, p_kind, NULL, p_at);
    BEGIN
        INSERT INTO accounts (community_id, party_id, token, kind, clock, opened_at, floor, ceiling, limits_until)
        VALUES (p_community, p_party, p_token, p_kind, p_at, p_at, v_limits.floor, v_limits.ceiling, v_limits.until)
        RETURNING id INTO account_id;
    EXCEPTION WHEN unique_violation THEN
        PERFORM refuse('account-exists');
    END;
END $$;
