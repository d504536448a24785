-- Notes that the holder of an account leaves: from now on it only moves toward zero; at zero it can be closed.
CREATE OR REPLACE FUNCTION books.leave_account(
    p_community bigint, p_account bigint, p_at timestamptz, p_reason text,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
    v_salt bytea := uuid_send(gen_random_uuid());
    v_event bigint;
BEGIN
    IF coalesce(p_reason, '') !~ '[[:alnum:]]' THEN PERFORM refuse('reason-missing'); END IF;
    IF p_at IS NULL THEN PERFORM refuse('entry-malformed'); END IF;
    SELECT * INTO v_account FROM accounts a WHERE a.id = p_account AND a.community_id = p_community FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('account-unknown'); END IF;
    PERFORM refuse_ended(p_account, 0, 1);
    UPDATE accounts SET leaving_at = greatest(p_at, clock), clock = greatest(p_at, clock) WHERE id = p_account;
    INSERT INTO account_events (community_id, account_id, kind, note_digest, recorded_at, by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_account, 'leaving', sha256(v_salt || convert_to(p_reason, 'UTF8')),
            greatest(p_at, v_account.clock), p_by_sign_in, p_by_party, p_by_mandate)
    RETURNING id INTO v_event;
    INSERT INTO notes (fact_id, salt, note) VALUES (v_event, v_salt, p_reason);
END $$;
