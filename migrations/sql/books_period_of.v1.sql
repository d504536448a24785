-- The month in which an entry counts: that of its day, or, when that one was closed before, the first still open then.
CREATE OR REPLACE FUNCTION books.period_of(p_community bigint, p_happened_on date, p_entry bigint) RETURNS date
LANGUAGE sql STABLE SET search_path = books, pg_temp AS $$
    SELECT greatest(date_trunc('month', p_happened_on)::date, (max(m.month) + interval '1 month')::date)
      FROM months m WHERE m.community_id = p_community AND m.id < p_entry
$$;
