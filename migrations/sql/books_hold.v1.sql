-- Sets minutes aside for a payment to come. The floor is checked now, so that posting the hold never fails on it.
CREATE OR REPLACE FUNCTION books.hold(
    p_community bigint, p_key text, p_cause_kind text, p_cause bigint, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint, p_to bigint, p_minutes bigint,
    OUT hold_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_content bytea := sha256(convert_to(concat_ws('|', p_cause_kind, p_cause, p_from, p_to, p_minutes), 'UTF8'));
    v_account accounts;
    v_found integer := 0;
    v_old holds;
BEGIN
    recorded_at := p_at;
    FOR v_account IN SELECT * FROM accounts a WHERE a.id IN (p_from, p_to) ORDER BY a.id FOR NO KEY UPDATE LOOP
        IF v_account.community_id <> p_community THEN PERFORM refuse('account-unknown'); END IF;
        v_found := v_found + 1;
        recorded_at := greatest(recorded_at, v_account.clock);
    END LOOP;
    IF v_found <> 2 THEN PERFORM refuse('account-unknown'); END IF;

    SELECT * INTO v_old FROM holds h WHERE h.community_id = p_community AND h.by_party = p_by_party AND h.key = p_key;
    IF FOUND THEN
        IF v_old.content <> v_content THEN PERFORM refuse('key-reused', jsonb_build_object('hold', v_old.id)); END IF;
        hold_id := v_old.id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;

    IF EXISTS (SELECT FROM accounts a WHERE a.id IN (p_from, p_to) AND a.closed_at IS NOT NULL) THEN
        PERFORM refuse('account-closed');
    END IF;
    SELECT * INTO v_account FROM accounts a WHERE a.id = p_from;
    IF v_account.limits_until <= recorded_at THEN
        SELECT l.floor, l.ceiling, l.until INTO v_account.floor, v_account.ceiling, v_account.limits_until
          FROM limits_at(p_community, v_account.kind, v_account.id, recorded_at) l;
    END IF;
    IF v_account.balance - v_account.held - p_minutes < v_account.floor THEN
        PERFORM refuse('floor-reached', jsonb_build_object('account', v_account.id, 'floor', v_account.floor,
            'balance', v_account.balance, 'held', v_account.held, 'minutes', p_minutes));
    END IF;

    INSERT INTO holds (community_id, key, content, from_account, to_account, minutes, cause_kind, cause_id, recorded_at,
                       by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_key, v_content, p_from, p_to, p_minutes, p_cause_kind, p_cause, hold.recorded_at,
            p_by_sign_in, p_by_party, p_by_mandate)
    ON CONFLICT (community_id, by_party, key) DO NOTHING RETURNING id INTO hold_id;
    IF hold_id IS NULL THEN PERFORM refuse('key-reused'); END IF;
    UPDATE accounts SET held = held + p_minutes, clock = hold.recorded_at, floor = v_account.floor,
                        ceiling = v_account.ceiling, limits_until = v_account.limits_until WHERE id = p_from;
    replayed := false;
END $$;
