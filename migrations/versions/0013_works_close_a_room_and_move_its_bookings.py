"""A room is closed for works, a thing is in repair, and what was booked is moved with its borrower's consent.

What is closed stands beside ``occupancy``, not in it: works may fall on a time that is booked, and the officer then
finds another. The database itself refuses to book what is closed, whoever comes second.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0013"
down_revision = "0012"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""

# The instant of a span at which the least is left of a pool: what is booked and what is out of service, added as they
# begin and taken off as they end, ends first. A sum over the span would count twice what comes back in between.
_FULLEST = """
    CREATE OR REPLACE FUNCTION pool_fullest(p_pool bigint, p_during tstzrange, OUT at timestamptz, OUT taken bigint)
    LANGUAGE sql STABLE AS $$
        WITH held AS (
            SELECT quantity, during FROM pool_occupancy WHERE pool_id = p_pool AND during && p_during
             UNION ALL
            SELECT quantity, during FROM closed_things WHERE pool_id = p_pool AND during && p_during),
        turns AS (
            SELECT greatest(lower(during), lower(p_during)) AS at, quantity::bigint AS change FROM held
             UNION ALL
            SELECT upper(during), -quantity::bigint FROM held WHERE NOT upper_inf(during))
        SELECT turns.at, (sum(change) OVER (ORDER BY turns.at, change))::bigint AS taken
          FROM turns WHERE turns.at < upper(p_during) OR upper_inf(p_during)
         ORDER BY taken DESC, turns.at LIMIT 1
    $$;
"""
_FULLEST_BEFORE = """
    CREATE OR REPLACE FUNCTION pool_fullest(p_pool bigint, p_during tstzrange, OUT at timestamptz, OUT taken bigint)
    LANGUAGE sql STABLE AS $$
        SELECT instant.at, (SELECT sum(o.quantity) FROM pool_occupancy o
                             WHERE o.pool_id = p_pool AND o.during @> instant.at) AS taken
          FROM (SELECT greatest(lower(s.during), lower(p_during)) AS at FROM pool_occupancy s
                 WHERE s.pool_id = p_pool AND s.during && p_during) instant
         ORDER BY taken DESC, instant.at LIMIT 1
    $$;
"""


def upgrade() -> None:
    run(f"""
    CREATE TABLE closures (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        resource_id bigint NOT NULL REFERENCES resources,
        kind text NOT NULL CHECK (kind IN ('works', 'repair', 'own-use', 'other')),
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 400),  -- everybody reads it
        quantity integer CHECK (quantity >= 1),  -- of a pool
        during tstzrange NOT NULL CHECK (NOT isempty(during) AND NOT lower_inf(during)),  -- without end: until it is lifted
        {BY},
        closed_at timestamptz NOT NULL
    );
    CREATE INDEX closures_resource_id_idx ON closures (resource_id, id);
    CREATE INDEX closures_lender_id_idx ON closures (lender_id, id);
    CREATE TABLE closure_ends (  -- lifted before its end, or without any
        closure_id bigint PRIMARY KEY REFERENCES closures,
        {BY},
        ended_at timestamptz NOT NULL
    );

    -- What is closed now or later: deleted when it is lifted, as occupancy is when a booking is over.
    CREATE TABLE closed_units (
        closure_id bigint NOT NULL REFERENCES closures,
        unit_id bigint NOT NULL REFERENCES resources,
        during tstzrange NOT NULL CHECK (NOT isempty(during)),
        PRIMARY KEY (closure_id, unit_id)
    );
    CREATE INDEX closed_units_during_idx ON closed_units USING gist (unit_id, during);
    CREATE TABLE closed_things (
        closure_id bigint PRIMARY KEY REFERENCES closures,
        pool_id bigint NOT NULL REFERENCES resources,
        quantity integer NOT NULL CHECK (quantity >= 1),
        during tstzrange NOT NULL CHECK (NOT isempty(during))
    );
    CREATE INDEX closed_things_during_idx ON closed_things USING gist (pool_id, during);

    -- Bookings share the lock of a unit, a closure has it alone: either the booking was written before and is listed to
    -- the officer, or it comes after and is refused.
    CREATE FUNCTION refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_until timestamptz;
        v_kind text;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtext('closure'), NEW.unit_id::integer);
        SELECT upper(u.during), c.kind INTO v_until, v_kind
          FROM closed_units u JOIN closures c ON c.id = u.closure_id
         WHERE u.unit_id = NEW.unit_id AND u.during && NEW.during ORDER BY upper(u.during) DESC LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'out-of-service', DETAIL =
                jsonb_build_object('resource', NEW.unit_id, 'kind', v_kind, 'until', v_until)::text;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER not_while_closed BEFORE INSERT OR UPDATE ON occupancy FOR EACH ROW EXECUTE FUNCTION refuse_closed();

    CREATE FUNCTION close_alone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_TABLE_NAME = 'closed_units' THEN
            PERFORM pg_advisory_xact_lock(hashtext('closure'), NEW.unit_id::integer);
        ELSE
            PERFORM pg_advisory_xact_lock(hashtext('pool'), NEW.pool_id::integer);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER alone BEFORE INSERT OR UPDATE ON closed_units FOR EACH ROW EXECUTE FUNCTION close_alone();
    CREATE TRIGGER alone BEFORE INSERT OR UPDATE ON closed_things FOR EACH ROW EXECUTE FUNCTION close_alone();

    -- A request that an officer makes in place of another, for its borrower to accept; and a booking that its lender
    -- takes back says on which ground.
    ALTER TABLE bookings ADD replaces_id bigint REFERENCES bookings,
        ADD word text NOT NULL DEFAULT '' CHECK (length(word) <= 2000);  -- what the lender says with it
    -- what is offered takes only what the booking that it would replace does not hold already: it may be two pieces
    ALTER TABLE occupancy DROP CONSTRAINT occupancy_pkey, ADD PRIMARY KEY (booking_item_id, unit_id, during);
    ALTER TABLE pool_occupancy DROP CONSTRAINT pool_occupancy_pkey, ADD PRIMARY KEY (booking_item_id, during);
    CREATE INDEX bookings_replaces_id_idx ON bookings (replaces_id) WHERE replaces_id IS NOT NULL;
    ALTER TABLE booking_cancellations ADD ground text
        CHECK (ground IN ('property', 'services', 'order', 'rule', 'other', 'moved'));
    """)
    run(_FULLEST)
    run("""
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON closure_ends
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)
    grant("SELECT, INSERT", "closures", "closure_ends")
    grant("SELECT, INSERT, DELETE", "closed_units", "closed_things")


def downgrade() -> None:
    run(_FULLEST_BEFORE)
    run("""
    ALTER TABLE pool_occupancy DROP CONSTRAINT pool_occupancy_pkey, ADD PRIMARY KEY (booking_item_id);
    ALTER TABLE occupancy DROP CONSTRAINT occupancy_pkey, ADD PRIMARY KEY (booking_item_id, unit_id);
    ALTER TABLE booking_cancellations DROP COLUMN ground;
    ALTER TABLE bookings DROP COLUMN replaces_id, DROP COLUMN word;
    DROP TRIGGER not_while_closed ON occupancy;
    DROP TABLE closed_things, closed_units, closure_ends, closures;
    DROP FUNCTION refuse_closed();
    DROP FUNCTION close_alone();
    """)
