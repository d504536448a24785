-- Opens the account of a party in a community, at zero; a party has one in each (transit accounts apart).
-- Opened by nobody in particular, it is the community's own system that opens it. The holder's name is kept beside it.
CREATE OR REPLACE FUNCTION books.open_account(
    p_community bigint, p_party bigint, p_kind text, p_token text, p_holder text, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, OUT account_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_limits record;
    v_at timestamptz;
    v_salt bytea := uuid_send(gen_random_uuid());
    v_event bigint;
BEGIN
    -- a default that changes at this moment waits, or is seen: set_limit takes the same lock alone
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books.limits', p_community));
    -- when the clock went back: not before the defaults that it is under
    SELECT greatest(p_at, max(l.recorded_at)) INTO v_at FROM limits l
     WHERE l.community_id = p_community AND l.account_kind = p_kind;
    IF p_at IS NULL THEN PERFORM refuse('entry-malformed'); END IF;
    v_limits := limits_at(p_community, p_kind, NULL, v_at);
    INSERT INTO accounts (community_id, party_id, token, kind, clock, opened_at, floor, ceiling, limits_until)
    VALUES (p_community, p_party, p_token, p_kind, v_at, v_at, v_limits.floor, v_limits.ceiling, v_limits.until)
    ON CONFLICT (community_id, party_id) WHERE kind <> 'transit' DO NOTHING RETURNING id INTO account_id;
    IF account_id IS NULL THEN PERFORM refuse('account-exists'); END IF;
    INSERT INTO account_events (community_id, account_id, kind, note_digest, recorded_at, by_sign_in, by_party, by_mandate)
    SELECT p_community, open_account.account_id, 'opened', sha256(v_salt || convert_to(p_holder, 'UTF8')), v_at,
           p_by_sign_in, coalesce(p_by_party, c.system_party_id), p_by_mandate
      FROM public.communities c WHERE c.id = p_community
    RETURNING id INTO v_event;
    INSERT INTO notes (fact_id, salt, note) VALUES (v_event, v_salt, p_holder);
END $$;
