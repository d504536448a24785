-- The limits of an account at an instant, and until when they hold: its own exception in force, else the default of
-- its kind; of several, the one written last. A row counts from the moment when it was recorded, never before.
CREATE OR REPLACE FUNCTION books.limits_at(
    p_community bigint, p_kind text, p_account bigint, p_at timestamptz,
    OUT floor bigint, OUT ceiling bigint, OUT until timestamptz)
LANGUAGE plpgsql STABLE SET search_path = books, pg_temp AS $$
BEGIN
    SELECT l.floor, l.ceiling INTO floor, ceiling FROM limits l
     WHERE (l.account_id = p_account OR (l.community_id = p_community AND l.account_kind = p_kind))
       AND l.starts_at <= p_at AND (l.ends_at IS NULL OR l.ends_at > p_at)
     ORDER BY l.account_id IS NULL, l.id DESC LIMIT 1;
    SELECT min(turn) INTO until FROM (
        SELECT unnest(ARRAY[l.starts_at, l.ends_at]) AS turn FROM limits l
         WHERE l.account_id = p_account OR (l.community_id = p_community AND l.account_kind = p_kind)) turns
     WHERE turn > p_at;
END $$;
