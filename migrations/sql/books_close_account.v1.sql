-- Closes an account that stands at zero, with nothing held on it and nothing held for it; what remains is settled first.
CREATE OR REPLACE FUNCTION books.close_account(
    p_community bigint, p_account bigint, p_at timestamptz, p_reason text,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
    v_awaited bigint;
    v_salt bytea := uuid_send(gen_random_uuid());
    v_event bigint;
BEGIN
    IF coalesce(p_reason, '') !~ '[[:alnum:]]' THEN PERFORM refuse('reason-missing'); END IF;
    IF p_at IS NULL THEN PERFORM refuse('entry-malformed'); END IF;
    SELECT * INTO v_account FROM accounts a WHERE a.id = p_account AND a.community_id = p_community FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('account-unknown'); END IF;
    IF v_account.closed_at IS NOT NULL THEN PERFORM refuse('account-closed'); END IF;
    SELECT coalesce(sum(h.minutes), 0) INTO v_awaited FROM holds h
     WHERE h.to_account = p_account AND NOT EXISTS (SELECT FROM hold_resolutions r WHERE r.hold_id = h.id);
    IF v_account.balance <> 0 OR v_account.held <> 0 OR v_awaited <> 0 THEN
        PERFORM refuse('account-not-settled', jsonb_build_object('balance', v_account.balance, 'held', v_account.held,
            'awaited', v_awaited));
    END IF;
    UPDATE accounts SET closed_at = greatest(p_at, clock), clock = greatest(p_at, clock) WHERE id = p_account;
    INSERT INTO account_events (community_id, account_id, kind, note_digest, recorded_at, by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_account, 'closed', sha256(v_salt || convert_to(p_reason, 'UTF8')),
            greatest(p_at, v_account.clock), p_by_sign_in, p_by_party, p_by_mandate)
    RETURNING id INTO v_event;
    INSERT INTO notes (fact_id, salt, note) VALUES (v_event, v_salt, p_reason);
END $$;
