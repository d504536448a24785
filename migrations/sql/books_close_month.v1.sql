-- Closes a month that is over: its figures are those of the entries recorded so far that count in it, and stay.
-- Months are closed in their order; the first one closed takes with it, without figures, those before it.
CREATE OR REPLACE FUNCTION books.close_month(
    p_community bigint, p_month date, p_at timestamptz,
    p_by_sign_in bigint, p_by_party bigint, p_by_mandate bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
    v_last date;
    v_at timestamptz;
BEGIN
    IF p_at IS NULL OR p_month IS NULL OR extract(day FROM p_month) <> 1 THEN PERFORM refuse('entry-malformed'); END IF;
    -- who is writing ends first, and is seen: else an entry of the month could be neither counted nor late
    IF current_setting('transaction_isolation') <> 'read committed' THEN PERFORM refuse('entry-malformed'); END IF;
    LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE;
    SELECT max(m.month), greatest(p_at, max(m.recorded_at)) INTO v_last, v_at
      FROM months m WHERE m.community_id = p_community;
    IF (p_month + interval '1 month')::date > (p_at AT TIME ZONE 'UTC')::date THEN PERFORM refuse('month-not-over'); END IF;
    IF p_month <= v_last THEN PERFORM refuse('month-closed'); END IF;
    IF p_month <> (v_last + interval '1 month')::date THEN
        PERFORM refuse('month-skipped', jsonb_build_object('next', (v_last + interval '1 month')::date));
    END IF;
    INSERT INTO months (community_id, month, entries, minutes, late, recorded_at, by_sign_in, by_party, by_mandate)
    SELECT p_community, p_month, count(DISTINCT e.id), coalesce(sum(t.minutes), 0),
           count(DISTINCT e.id) FILTER (WHERE e.happened_on < p_month), v_at, p_by_sign_in, p_by_party, p_by_mandate
      FROM entries e JOIN transfers t ON t.entry_id = e.id
     WHERE e.community_id = p_community AND e.happened_on < (p_month + interval '1 month')::date
       AND period_of(p_community, e.happened_on, e.id) = p_month;
END $$;
