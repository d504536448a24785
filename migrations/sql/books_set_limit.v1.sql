-- Writes the default limits of a kind of account, or an exception for one account with its reason and its end.
-- It begins when it is recorded or later, never before: a past entry is judged by the limits of its day.
CREATE OR REPLACE FUNCTION books.set_limit(
    p_community bigint, p_kind text, p_account bigint, p_floor bigint, p_ceiling bigint,
    p_starts_at timestamptz, p_ends_at timestamptz, p_reason text, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, OUT limit_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_at timestamptz;
    v_ids bigint[];
    v_salt bytea := uuid_send(gen_random_uuid());
BEGIN
    IF coalesce(p_reason, '') !~ '[[:alnum:]]' THEN PERFORM refuse('reason-missing'); END IF;
    IF p_at IS NULL OR p_starts_at IS NULL THEN PERFORM refuse('entry-malformed'); END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('books.limits', p_community));
    SELECT array_agg(a.id), greatest(p_at, max(a.clock)) INTO v_ids, v_at
      FROM (SELECT id, clock FROM accounts
             WHERE community_id = p_community AND (id = p_account OR (p_account IS NULL AND kind = p_kind))
             ORDER BY id FOR NO KEY UPDATE) a;
    IF p_account IS NOT NULL AND v_ids IS NULL THEN PERFORM refuse('account-unknown'); END IF;
    -- a kind without an account yet has had defaults nevertheless
    SELECT greatest(v_at, max(l.recorded_at)) INTO v_at FROM limits l
     WHERE l.community_id = p_community AND l.account_kind = p_kind;
    IF p_ends_at <= greatest(p_starts_at, v_at) THEN PERFORM refuse('limit-ends-before'); END IF;
    INSERT INTO limits (community_id, account_kind, account_id, floor, ceiling, starts_at, ends_at, note_digest, recorded_at,
                        by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_kind, p_account, p_floor, p_ceiling, greatest(p_starts_at, v_at), p_ends_at,
            sha256(v_salt || convert_to(p_reason, 'UTF8')), v_at, p_by_sign_in, p_by_party, p_by_mandate)
    RETURNING id INTO limit_id;
    INSERT INTO notes (fact_id, salt, note) VALUES (limit_id, v_salt, p_reason);
    UPDATE accounts SET clock = v_at WHERE id = ANY (v_ids);
    PERFORM refresh_limits(v_ids, v_at);
END $$;
