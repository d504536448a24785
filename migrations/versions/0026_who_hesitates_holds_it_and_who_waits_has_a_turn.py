"""Who hesitates takes an option, which holds a span until a day; who comes too late waits, and has a turn when it frees.

Both are a booking that nobody asked firmly for yet: while ``held_until`` stands it occupies its span as any other does,
by the same constraint. That day never moves away, only nearer. Once it is over, without a word or with one, the span is
free; confirmed, the same booking is a request.
"""

from __future__ import annotations

from migrations.helpers import WEB, grant, run

revision = "0026"
down_revision = "0025"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""
_RECORDS = ("options", "option_calls", "option_confirmations")
_PLACES = ("wishes", "wish_items", "wish_turns", "wish_ends")

# The last of 0013, but that what an option holds beyond its day counts no more where that is said.
_PEAK = """
    DROP FUNCTION pool_peak(bigint, tstzrange);
    DROP FUNCTION pool_fullest(bigint, tstzrange);
    CREATE FUNCTION pool_fullest(
        p_pool bigint, p_during tstzrange, {argument}OUT at timestamptz, OUT taken bigint)
    LANGUAGE sql STABLE AS $$
        WITH held AS (
            SELECT quantity, during FROM pool_occupancy WHERE pool_id = p_pool AND during && p_during{condition}
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
    CREATE FUNCTION pool_peak(p_pool bigint, p_during tstzrange{last}) RETURNS bigint
    LANGUAGE sql STABLE AS $$
        SELECT coalesce((SELECT taken FROM pool_fullest(p_pool, p_during{given})), 0)
    $$;
"""


def upgrade() -> None:
    run(f"""
    ALTER TABLE resources
        ADD option_days integer CHECK (option_days BETWEEN 1 AND 90),  -- how long an option holds; none is taken of others
        ADD option_call_days integer NOT NULL DEFAULT 2 CHECK (option_call_days BETWEEN 1 AND 30),  -- once it is wanted
        ADD turn_hours integer NOT NULL DEFAULT 48 CHECK (turn_hours BETWEEN 1 AND 336);  -- of who waits

    ALTER TABLE bookings ADD held_until timestamptz,  -- without a firm request; none once it is confirmed, or over
        ADD CONSTRAINT bookings_held_before_they_start CHECK (held_until <= starts_at);
    CREATE INDEX bookings_held_until_idx ON bookings (held_until) WHERE held_until IS NOT NULL;
    GRANT UPDATE (minutes) ON booking_items TO "{WEB}";  -- an option has the price of the day when it is confirmed

    CREATE TABLE options (  -- bookings that began so
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        kind text NOT NULL CHECK (kind IN ('taken', 'turn')),
        until timestamptz NOT NULL,  -- as it was promised
        taken_at timestamptz NOT NULL
    );
    CREATE TABLE option_calls (  -- somebody else wants it: a nearer day
        booking_id bigint PRIMARY KEY REFERENCES options,
        until timestamptz NOT NULL,
        called_at timestamptz NOT NULL
    );
    CREATE TABLE option_confirmations (
        booking_id bigint PRIMARY KEY REFERENCES options,
        {BY},
        confirmed_at timestamptz NOT NULL
    );
    CREATE TABLE option_letters (
        booking_id bigint NOT NULL REFERENCES options,
        kind text NOT NULL CHECK (kind IN ('soon', 'over')),
        written_at timestamptz NOT NULL,
        PRIMARY KEY (booking_id, kind)
    );

    -- Places on a waiting list, in the order of their numbers; they are forgotten when their day is long past.
    CREATE TABLE wishes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        party_id bigint NOT NULL REFERENCES parties,
        purpose text NOT NULL CHECK (length(btrim(purpose)) BETWEEN 1 AND 400),
        people integer CHECK (people BETWEEN 1 AND 100000),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
        zone text NOT NULL,
        {BY},
        joined_at timestamptz NOT NULL
    );
    CREATE INDEX wishes_lender_id_idx ON wishes (lender_id, starts_at);
    CREATE INDEX wishes_party_id_idx ON wishes (party_id, starts_at);
    CREATE TABLE wish_items (
        wish_id bigint NOT NULL REFERENCES wishes,
        position integer NOT NULL,
        resource_id bigint NOT NULL REFERENCES resources,
        quantity integer NOT NULL DEFAULT 1 CHECK (quantity >= 1),
        PRIMARY KEY (wish_id, position),
        UNIQUE (wish_id, resource_id)
    );
    CREATE INDEX wish_items_resource_id_idx ON wish_items (resource_id);
    CREATE TABLE wish_turns (  -- what is held for who waits: once
        wish_id bigint PRIMARY KEY REFERENCES wishes,
        booking_id bigint NOT NULL UNIQUE REFERENCES options
    );
    CREATE TABLE wish_ends (
        wish_id bigint PRIMARY KEY REFERENCES wishes,
        outcome text NOT NULL CHECK (outcome IN ('taken', 'left', 'declined', 'expired', 'refused', 'over')),
        finding jsonb,  -- the rule that refused
        {BY},
        ended_at timestamptz NOT NULL,
        CHECK (finding IS NULL OR outcome = 'refused')
    );

    -- The day until which an option holds only comes nearer, whoever writes it; and what it ended on is free.
    CREATE FUNCTION refuse_longer_option() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE check_violation USING CONSTRAINT = 'options_never_longer', MESSAGE = 'an option is never made longer';
    END $$;
    CREATE TRIGGER never_longer BEFORE UPDATE OF held_until ON bookings FOR EACH ROW
        WHEN (NEW.held_until IS NOT NULL AND (OLD.held_until IS NULL OR NEW.held_until > OLD.held_until))
        EXECUTE FUNCTION refuse_longer_option();
    CREATE FUNCTION refuse_ended_option_that_holds() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM option_confirmations c WHERE c.booking_id = NEW.id)
           AND EXISTS (SELECT FROM booking_items i WHERE i.booking_id = NEW.id
                          AND (EXISTS (SELECT FROM occupancy o WHERE o.booking_item_id = i.id)
                               OR EXISTS (SELECT FROM pool_occupancy o WHERE o.booking_item_id = i.id))) THEN
            RAISE check_violation USING CONSTRAINT = 'options_free_when_over',
                MESSAGE = 'an option that is over holds nothing';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER free_when_over AFTER UPDATE OF held_until ON bookings DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (OLD.held_until IS NOT NULL AND NEW.held_until IS NULL)
        EXECUTE FUNCTION refuse_ended_option_that_holds();

    -- Nothing is decided of what nobody has asked firmly for: an option is confirmed, or it is over.
    CREATE FUNCTION refuse_to_decide_option() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM bookings b WHERE b.id = NEW.booking_id AND b.held_until IS NOT NULL) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'wrong-state', DETAIL = '{{"state": "option"}}';
        END IF;
        RETURN NEW;
    END $$;
    """)
    for table in ("booking_decisions", "booking_cancellations"):
        run(f"""
        CREATE TRIGGER not_of_an_option BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_to_decide_option()
        """)
    run(_PEAK.format(
        argument="p_but bigint[] DEFAULT '{}', ", condition=" AND booking_item_id <> ALL (p_but)",
        last=", p_but bigint[] DEFAULT '{}'", given=", p_but",
    ))  # fmt: skip
    for table in _RECORDS:
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """)
    for table in _PLACES:
        run(f"CREATE TRIGGER written_once BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    grant("SELECT, INSERT", *_RECORDS, "option_letters")
    grant("SELECT, INSERT, DELETE", *_PLACES)


def downgrade() -> None:
    run(_PEAK.replace("pool_peak(bigint, tstzrange)", "pool_peak(bigint, tstzrange, bigint[])")
        .replace("pool_fullest(bigint, tstzrange)", "pool_fullest(bigint, tstzrange, bigint[])")
        .format(argument="", condition="", last="", given=""))  # fmt: skip
    run("""
    DROP TRIGGER not_of_an_option ON booking_decisions;
    DROP TRIGGER not_of_an_option ON booking_cancellations;
    DROP FUNCTION refuse_to_decide_option();
    DROP TRIGGER never_longer ON bookings;
    DROP TRIGGER free_when_over ON bookings;
    DROP FUNCTION refuse_longer_option();
    DROP FUNCTION refuse_ended_option_that_holds();
    -- what nobody asked firmly for is over: the version before knows requests alone
    DELETE FROM occupancy o USING booking_items i JOIN bookings b ON b.id = i.booking_id
     WHERE i.id = o.booking_item_id AND b.held_until IS NOT NULL;
    DELETE FROM pool_occupancy o USING booking_items i JOIN bookings b ON b.id = i.booking_id
     WHERE i.id = o.booking_item_id AND b.held_until IS NOT NULL;
    INSERT INTO booking_decisions (booking_id, verdict, by_party, decided_at)
    SELECT id, 'expired', lender_id, held_until FROM bookings WHERE held_until IS NOT NULL;
    DROP TABLE wish_ends, wish_turns, wish_items, wishes, option_letters, option_confirmations, option_calls, options;
    ALTER TABLE bookings DROP COLUMN held_until;
    ALTER TABLE resources DROP COLUMN option_days, DROP COLUMN option_call_days, DROP COLUMN turn_hours;
    """)
    run(f'REVOKE UPDATE (minutes) ON booking_items FROM "{WEB}"')
