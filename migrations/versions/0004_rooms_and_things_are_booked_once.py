"""Rooms, things and pools of things are published, asked for, and never given twice.

``occupancy`` holds one row for each leaf unit of each live item: the database itself refuses two that overlap.
A pool is guarded by the peak of what is taken at the same time, counted under its own lock.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0004"
down_revision = "0003"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""


def upgrade() -> None:
    run(f"""
    CREATE TABLE places (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
        address text NOT NULL DEFAULT '' CHECK (length(address) <= 300),
        postcode text NOT NULL DEFAULT '' CHECK (length(postcode) <= 10),
        town text NOT NULL DEFAULT '' CHECK (length(town) <= 100),
        erp_type text NOT NULL DEFAULT '' CHECK (length(erp_type) <= 100),
        erp_category text NOT NULL DEFAULT '' CHECK (erp_category IN ('', 'I', 'II', 'III', 'IV', 'V')),
        legal_min integer CHECK (legal_min >= 0),  -- people, in the whole building
        legal_max integer CHECK (legal_max >= legal_min),
        access text NOT NULL DEFAULT 'unknown' CHECK (access IN ('accessible', 'works-needed', 'unknown')),
        access_note text NOT NULL DEFAULT '' CHECK (length(access_note) <= 300),
        latitude double precision CHECK (latitude BETWEEN -90 AND 90),
        longitude double precision CHECK (longitude BETWEEN -180 AND 180),
        source text,  -- the layout of the file that it came from
        source_ref text,  -- its identity in that file
        created_at timestamptz NOT NULL,
        UNIQUE (lender_id, source, source_ref),
        CHECK ((source IS NULL) = (source_ref IS NULL)),
        CHECK ((latitude IS NULL) = (longitude IS NULL))
    );

    CREATE TABLE resources (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        place_id bigint REFERENCES places,
        kind text NOT NULL CHECK (kind IN ('room', 'thing', 'pool')),
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
        sort_name text NOT NULL GENERATED ALWAYS AS (sort_key(name)) STORED,
        category text NOT NULL DEFAULT '' CHECK (length(category) <= 80),
        description text NOT NULL DEFAULT '' CHECK (length(description) <= 4000),
        conditions text NOT NULL DEFAULT '' CHECK (length(conditions) <= 4000),
        capacity integer CHECK (capacity BETWEEN 1 AND 100000),  -- people
        quantity integer CHECK (quantity BETWEEN 1 AND 100000),  -- like things in a pool
        opening_hours text NOT NULL DEFAULT '' CHECK (length(opening_hours) <= 1000),  -- OpenStreetMap syntax; '' is always
        buffer_minutes integer NOT NULL DEFAULT 0 CHECK (buffer_minutes BETWEEN 0 AND 1440),  -- kept free after a use
        value_cents bigint CHECK (value_cents BETWEEN 0 AND 1000000000),  -- euro cents; for the lender's office alone
        photo_address text NOT NULL DEFAULT '' CHECK (length(photo_address) <= 500),  -- said by a file, never fetched
        decided_by text NOT NULL DEFAULT 'officer' CHECK (decided_by IN ('officer', 'nobody')),
        source text,
        source_ref text,
        created_at timestamptz NOT NULL,
        published_at timestamptz,
        retired_at timestamptz,
        UNIQUE (lender_id, source, source_ref),
        CHECK ((source IS NULL) = (source_ref IS NULL)),
        CHECK ((kind = 'pool') = (quantity IS NOT NULL)),
        CONSTRAINT resources_published_with_capacity
            CHECK (kind <> 'room' OR published_at IS NULL OR capacity IS NOT NULL)
    );
    CREATE INDEX resources_lender_id_idx ON resources (lender_id);
    CREATE INDEX resources_place_id_idx ON resources (place_id);
    CREATE INDEX resources_searched_idx ON resources USING gin (sort_name gin_trgm_ops);

    -- What a resource occupies when it is taken: itself, or the parts that it is made of (a hall and its halves).
    CREATE TABLE resource_units (
        resource_id bigint NOT NULL REFERENCES resources,
        unit_id bigint NOT NULL REFERENCES resources,
        PRIMARY KEY (resource_id, unit_id)
    );
    CREATE INDEX resource_units_unit_id_idx ON resource_units (unit_id);

    -- Who did what to a resource: several officers share a catalogue.
    CREATE TABLE resource_acts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        resource_id bigint NOT NULL REFERENCES resources,
        act text NOT NULL CHECK (act IN ('added', 'edited', 'published', 'withdrawn', 'retired', 'restored')),
        {BY},
        acted_at timestamptz NOT NULL
    );
    CREATE INDEX resource_acts_resource_id_idx ON resource_acts (resource_id, id);

    CREATE TABLE bookings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        party_id bigint NOT NULL REFERENCES parties,
        community_id bigint REFERENCES communities,  -- whose books it is written in, when it has a price
        account_id bigint,
        lender_account_id bigint,
        purpose text NOT NULL CHECK (length(btrim(purpose)) BETWEEN 1 AND 400),
        people integer CHECK (people BETWEEN 1 AND 100000),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
        zone text NOT NULL,
        minutes bigint NOT NULL DEFAULT 0 CHECK (minutes >= 0),
        explanation jsonb NOT NULL,  -- the rules as they were read when it was asked for
        {BY},
        asked_at timestamptz NOT NULL,
        answer_before timestamptz NOT NULL,
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, lender_account_id) REFERENCES books.accounts (community_id, id),
        CHECK ((minutes > 0) = (account_id IS NOT NULL AND lender_account_id IS NOT NULL AND community_id IS NOT NULL))
    );
    CREATE INDEX bookings_party_id_idx ON bookings (party_id, starts_at);
    CREATE INDEX bookings_lender_id_idx ON bookings (lender_id, starts_at);

    CREATE TABLE booking_items (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        booking_id bigint NOT NULL REFERENCES bookings,
        resource_id bigint NOT NULL REFERENCES resources,
        quantity integer NOT NULL DEFAULT 1 CHECK (quantity >= 1),
        minutes bigint NOT NULL DEFAULT 0 CHECK (minutes >= 0),
        buffer_minutes integer NOT NULL CHECK (buffer_minutes BETWEEN 0 AND 1440),  -- frozen when it was asked for
        UNIQUE (booking_id, resource_id)
    );
    CREATE INDEX booking_items_resource_id_idx ON booking_items (resource_id);

    CREATE TABLE occupancy (
        booking_item_id bigint NOT NULL REFERENCES booking_items,
        unit_id bigint NOT NULL REFERENCES resources,
        during tstzrange NOT NULL CHECK (NOT isempty(during)),
        PRIMARY KEY (booking_item_id, unit_id),
        CONSTRAINT occupancy_once EXCLUDE USING gist (unit_id WITH =, during WITH &&)
    );
    CREATE INDEX occupancy_start_idx ON occupancy (unit_id, lower(during), upper(during));

    CREATE TABLE pool_occupancy (
        booking_item_id bigint PRIMARY KEY REFERENCES booking_items,
        pool_id bigint NOT NULL REFERENCES resources,
        quantity integer NOT NULL CHECK (quantity >= 1),
        during tstzrange NOT NULL CHECK (NOT isempty(during))
    );
    CREATE INDEX pool_occupancy_during_idx ON pool_occupancy USING gist (pool_id, during);

    -- The instant of a span at which the most is taken. A sum over the span would count twice what comes back in between.
    CREATE FUNCTION pool_fullest(p_pool bigint, p_during tstzrange, OUT at timestamptz, OUT taken bigint)
    LANGUAGE sql STABLE AS $$
        SELECT instant.at, (SELECT sum(o.quantity) FROM pool_occupancy o
                             WHERE o.pool_id = p_pool AND o.during @> instant.at) AS taken
          FROM (SELECT greatest(lower(s.during), lower(p_during)) AS at FROM pool_occupancy s
                 WHERE s.pool_id = p_pool AND s.during && p_during) instant
         ORDER BY taken DESC, instant.at LIMIT 1
    $$;
    CREATE FUNCTION pool_peak(p_pool bigint, p_during tstzrange) RETURNS bigint LANGUAGE sql STABLE AS $$
        SELECT coalesce((SELECT taken FROM pool_fullest(p_pool, p_during)), 0)
    $$;

    CREATE FUNCTION guard_pool() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_quantity integer;
        v_peak bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('pool'), NEW.pool_id::integer);
        SELECT quantity INTO v_quantity FROM resources WHERE id = NEW.pool_id AND kind = 'pool';
        SELECT pool_peak(NEW.pool_id, NEW.during) INTO v_peak;
        IF v_quantity IS NULL OR v_peak > v_quantity THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'pool-exhausted', DETAIL =
                jsonb_build_object('resource', NEW.pool_id, 'asked', NEW.quantity,
                                   'left', greatest(v_quantity - (v_peak - NEW.quantity), 0))::text;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER pool_never_exceeded AFTER INSERT OR UPDATE ON pool_occupancy
        FOR EACH ROW EXECUTE FUNCTION guard_pool();

    -- A pool never has less than what is booked of it from now on. Its lock is that of bookings: who comes second sees
    -- what the first wrote.
    CREATE FUNCTION guard_quantity() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_at timestamptz;
        v_peak bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('pool'), NEW.id::integer);
        SELECT at, taken INTO v_at, v_peak FROM pool_fullest(NEW.id, tstzrange(now(), NULL));
        IF v_peak > coalesce(NEW.quantity, 0) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'quantity-booked', DETAIL =
                jsonb_build_object('resource', NEW.id, 'peak', v_peak,
                                   'day', (v_at AT TIME ZONE (SELECT zone FROM territory))::date)::text;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER pool_never_lowered_below_its_bookings AFTER UPDATE OF quantity ON resources FOR EACH ROW
        WHEN (OLD.quantity IS NOT NULL AND (NEW.quantity IS NULL OR NEW.quantity < OLD.quantity))
        EXECUTE FUNCTION guard_quantity();

    CREATE TABLE booking_decisions (
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        verdict text NOT NULL CHECK (verdict IN ('accepted', 'declined', 'expired')),
        ground text CHECK (ground IN ('property', 'services', 'order', 'rule', 'other')),
        text text NOT NULL DEFAULT '' CHECK (length(text) <= 2000),
        hold_id bigint UNIQUE REFERENCES books.holds,
        {BY},
        decided_at timestamptz NOT NULL,
        CHECK ((verdict = 'declined') = (ground IS NOT NULL)),
        CHECK (hold_id IS NULL OR verdict = 'accepted')
    );
    CREATE TABLE booking_cancellations (
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        in_time boolean NOT NULL,
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
        {BY},
        cancelled_at timestamptz NOT NULL
    );
    CREATE TABLE hand_overs (
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 2000),
        {BY},
        handed_over_at timestamptz NOT NULL
    );
    CREATE TABLE returns (
        booking_id bigint PRIMARY KEY REFERENCES hand_overs,
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 2000),
        {BY},
        returned_at timestamptz NOT NULL
    );
    CREATE TABLE no_shows (
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 2000),
        {BY},
        noted_at timestamptz NOT NULL
    );

    -- An accepted booking ends in one way: cancelled, handed over, or collected by nobody. Under the booking's lock two
    -- records come one after the other, whoever writes them, and the second is refused.
    CREATE FUNCTION refuse_second_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_state text;
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id FOR UPDATE;
        SELECT known.state INTO v_state FROM (
            SELECT 'cancelled' AS state, 'booking_cancellations' AS kept FROM booking_cancellations
             WHERE booking_id = NEW.booking_id
            UNION ALL SELECT 'out', 'hand_overs' FROM hand_overs WHERE booking_id = NEW.booking_id
            UNION ALL SELECT 'no-show', 'no_shows' FROM no_shows WHERE booking_id = NEW.booking_id) known
         WHERE known.kept <> TG_TABLE_NAME;
        IF v_state IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'wrong-state', DETAIL =
                jsonb_build_object('state', v_state)::text;
        END IF;
        RETURN NEW;
    END $$;
    """)
    for table in ("booking_cancellations", "hand_overs", "no_shows"):
        run(f"""
        CREATE TRIGGER ends_once BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_second_outcome()
        """)
    for table in ("resource_acts", "booking_decisions", "booking_cancellations", "hand_overs", "returns", "no_shows"):
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """)
        grant("SELECT, INSERT", table)
    grant("SELECT, INSERT, UPDATE", "places", "resources", "bookings")
    grant("SELECT, INSERT, DELETE", "resource_units")
    grant("SELECT, INSERT", "booking_items")
    grant("SELECT, INSERT, UPDATE, DELETE", "occupancy", "pool_occupancy")


def downgrade() -> None:
    run("""
    DROP TABLE no_shows, returns, hand_overs, booking_cancellations, booking_decisions, pool_occupancy, occupancy,
        booking_items, bookings, resource_acts, resource_units, resources, places;
    DROP FUNCTION refuse_second_outcome();
    DROP FUNCTION guard_quantity();
    DROP FUNCTION guard_pool();
    DROP FUNCTION pool_peak(bigint, tstzrange);
    DROP FUNCTION pool_fullest(bigint, tstzrange);
    """)
