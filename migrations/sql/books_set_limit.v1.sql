-- Writes the default limits of a kind of account, or an exception for one account with its reason and its end.
-- It begins when it is recorded or later, never before: a past entry is judged by the limits of its day.
CREATE OR REPLACE FUNCTION books.set_limit(
    p_community bigint, p_kind text, p_account bigint, p_floor bigint, p_ceiling bigint,
    p_starts_at timestamptz, p_ends_at timestamptz, p_reason text, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint, OUT limit_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
    v_at timestamptz := p_at;
    v_ids bigint[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('books.limits'), p_community::integer);
    FOR v_account IN
        SELECT * FROM accounts a
         WHERE a.community_id = p_community AND (a.id = p_account OR (p_account IS NULL AND a.kind = p_kind))
         ORDER BY a.id FOR NO KEY UPDATE
    LOOP
        v_at := greatest(v_at, v_account.clock);
        v_ids := v_ids || v_account.id;
    END LOOP;
    IF p_account IS NOT NULL AND cardinality(v_ids) = 0 THEN PERFORM refuse('account-unknown'); END IF;
    INSERT INTO limits (community_id, account_kind, account_id, floor, ceiling, starts_at, ends_at, reason, recorded_at,
                        by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_kind, p_account, p_floor, p_ceiling, greatest(p_starts_at, v_at), p_ends_at, p_reason, v_at,
            p_by_sign_in, p_by_party, p_by_mandate)
    RETURNING id INTO limit_id;
    UPDATE accounts a SET floor = l.floor, ceiling = l.ceiling, limits_until = l.until, clock = v_at
      FROM unnest(v_ids) AS changed (id)
      CROSS JOIN LATERAL limits_at(p_community, (SELECT kind FROM accounts k WHERE k.id = changed.id), changed.id, v_at) l
     WHERE a.id = changed.id;
END $$;
