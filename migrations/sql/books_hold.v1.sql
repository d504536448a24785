-- Sets minutes aside for a payment to come. The floor is checked now, so that posting the hold never fails on it.
CREATE OR REPLACE FUNCTION books.hold(
    p_community bigint, p_key text, p_cause_kind text, p_cause bigint, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint,
    p_from bigint, p_to bigint, p_minutes bigint,
    OUT hold_id bigint, OUT recorded_at timestamptz, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_account accounts;
    v_from accounts;
    v_found integer := 0;
    v_ending boolean := false;
    v_old holds;
BEGIN
    IF p_at IS NULL OR p_from IS NOT DISTINCT FROM p_to THEN PERFORM refuse('entry-malformed'); END IF;
    recorded_at := p_at;
    FOR v_account IN SELECT * FROM accounts a WHERE a.id IN (p_from, p_to) ORDER BY a.id FOR NO KEY UPDATE LOOP
        IF v_account.community_id IS DISTINCT FROM p_community THEN PERFORM refuse('account-unknown'); END IF;
        v_found := v_found + 1;
        recorded_at := greatest(recorded_at, v_account.clock);
        v_ending := v_ending OR coalesce(v_account.closed_at, v_account.leaving_at) IS NOT NULL;
        IF v_account.id = p_from THEN v_from := v_account; END IF;
    END LOOP;
    IF v_found <> 2 THEN PERFORM refuse('account-unknown'); END IF;

    SELECT * INTO v_old FROM holds h WHERE h.community_id = p_community AND h.by_party = p_by_party AND h.key = p_key;
    IF FOUND THEN
        IF (v_old.cause_kind, v_old.cause_id, v_old.from_account, v_old.to_account, v_old.minutes::bigint)
           IS DISTINCT FROM (p_cause_kind, p_cause, p_from, p_to, p_minutes) THEN
            PERFORM refuse('key-reused', jsonb_build_object('hold', v_old.id));
        END IF;
        hold_id := v_old.id; recorded_at := v_old.recorded_at; replayed := true;
        RETURN;
    END IF;

    IF v_ending THEN  -- an account that is leaving sets aside no more than it has, and nothing is set aside for it
        FOR v_account IN SELECT * FROM accounts a WHERE a.id IN (p_from, p_to) ORDER BY a.id LOOP
            IF v_account.id = p_from THEN
                PERFORM refuse_ended(p_from, v_from.balance - v_from.held, v_from.balance - v_from.held - p_minutes);
            ELSE
                PERFORM refuse_ended(p_to, 0, p_minutes);
            END IF;
        END LOOP;
    END IF;
    IF v_from.limits_until <= recorded_at THEN
        v_from.floor := (refresh_limits(ARRAY[p_from], recorded_at))[1];
    END IF;
    IF v_from.balance - v_from.held - p_minutes < v_from.floor THEN
        PERFORM refuse('floor-reached', jsonb_build_object('account', v_from.id, 'floor', v_from.floor,
            'balance', v_from.balance, 'held', v_from.held, 'minutes', p_minutes));
    END IF;

    INSERT INTO holds (community_id, key, from_account, to_account, minutes, after_seq, cause_kind, cause_id, recorded_at,
                       by_sign_in, by_party, by_mandate)
    VALUES (p_community, p_key, p_from, p_to, p_minutes, v_from.seq, p_cause_kind, p_cause, hold.recorded_at,
            p_by_sign_in, p_by_party, p_by_mandate)
    ON CONFLICT (community_id, by_party, key) DO NOTHING RETURNING id INTO hold_id;
    IF hold_id IS NULL THEN  -- the same key at the same moment, on other accounts
        SELECT * INTO STRICT v_old FROM holds h
         WHERE h.community_id = p_community AND h.by_party = p_by_party AND h.key = p_key;
        PERFORM refuse('key-reused', jsonb_build_object('hold', v_old.id));
    END IF;
    UPDATE accounts SET held = held + p_minutes, clock = hold.recorded_at WHERE id = p_from;
    replayed := false;
END $$;
