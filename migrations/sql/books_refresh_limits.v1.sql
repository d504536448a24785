-- Copies to accounts that are locked the limits in force at an instant, and answers their floors in the order of ids.
CREATE OR REPLACE FUNCTION books.refresh_limits(p_accounts bigint[], p_at timestamptz) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = books, pg_temp AS $$
BEGIN
    UPDATE accounts a SET floor = l.floor, ceiling = l.ceiling, limits_until = l.until
      FROM accounts k CROSS JOIN LATERAL limits_at(k.community_id, k.kind, k.id, p_at) l
     WHERE a.id = k.id AND a.id = ANY (p_accounts)
       AND (a.floor, a.ceiling, a.limits_until) IS DISTINCT FROM (l.floor, l.ceiling, l.until);
    RETURN (SELECT array_agg(a.floor ORDER BY a.id) FROM accounts a WHERE a.id = ANY (p_accounts));
END $$;
