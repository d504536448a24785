"""What is handed over is counted item by item until it is back, broken or lost; keys, pictures, more time, how many came.

``returns`` stays the end of a loan: the database refuses it while something that went out, thing or key, is not
accounted for. What came back before that is in ``return_parts``.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0021"
down_revision = "0020"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""

_CLOSURES = "'works', 'repair', 'own-use', 'other'"
_RECORDS = (
    "handed_items", "return_parts", "return_items", "key_loans", "key_returns", "attendances", "extensions",
    "extension_decisions",
)  # fmt: skip


def upgrade() -> None:
    run(f"""
    ALTER TABLE booking_items ADD CONSTRAINT booking_items_of_their_booking UNIQUE (booking_id, id);
    CREATE TABLE handed_items (  -- what left in fact: fewer than were booked, maybe
        item_id bigint PRIMARY KEY,
        booking_id bigint NOT NULL REFERENCES hand_overs,
        quantity integer NOT NULL CHECK (quantity >= 0),
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 400),
        UNIQUE (booking_id, item_id),
        FOREIGN KEY (booking_id, item_id) REFERENCES booking_items (booking_id, id)
    );
    CREATE TABLE return_parts (  -- what came back at one time
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        booking_id bigint NOT NULL REFERENCES hand_overs,
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 2000),
        {BY},
        noted_at timestamptz NOT NULL,
        UNIQUE (booking_id, id)
    );
    CREATE TABLE return_items (
        part_id bigint NOT NULL,
        item_id bigint NOT NULL,
        booking_id bigint NOT NULL,
        back integer NOT NULL DEFAULT 0 CHECK (back >= 0),
        broken integer NOT NULL DEFAULT 0 CHECK (broken >= 0),
        lost integer NOT NULL DEFAULT 0 CHECK (lost >= 0),
        remarks text NOT NULL DEFAULT '' CHECK (length(remarks) <= 400),
        PRIMARY KEY (part_id, item_id),
        FOREIGN KEY (booking_id, part_id) REFERENCES return_parts (booking_id, id),
        FOREIGN KEY (booking_id, item_id) REFERENCES handed_items (booking_id, item_id),
        CONSTRAINT return_items_say_something CHECK (back + broken + lost > 0 OR remarks <> '')
    );
    CREATE INDEX return_items_item_id_idx ON return_items (item_id);

    INSERT INTO handed_items (item_id, booking_id, quantity)
    SELECT i.id, i.booking_id, i.quantity FROM booking_items i JOIN hand_overs h USING (booking_id);
    INSERT INTO return_parts (booking_id, remarks, by_sign_in, by_party, by_mandate, noted_at)
    SELECT booking_id, remarks, by_sign_in, by_party, by_mandate, returned_at FROM returns;
    INSERT INTO return_items (part_id, item_id, booking_id, back)
    SELECT p.id, h.item_id, h.booking_id, h.quantity FROM return_parts p JOIN handed_items h USING (booking_id);

    CREATE FUNCTION refuse_more_than_booked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.quantity > (SELECT quantity FROM booking_items WHERE id = NEW.item_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'more-than-booked';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER never_more_than_booked BEFORE INSERT ON handed_items
        FOR EACH ROW EXECUTE FUNCTION refuse_more_than_booked();

    -- Under the booking's lock two returns come one after the other: who comes second sees what the first counted.
    CREATE FUNCTION refuse_more_than_out() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_out integer;
        v_said bigint;
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id FOR UPDATE;
        SELECT quantity INTO v_out FROM handed_items WHERE item_id = NEW.item_id;
        SELECT sum(back + broken + lost) INTO v_said FROM return_items WHERE item_id = NEW.item_id;
        IF v_said > v_out THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'more-than-out', DETAIL =
                jsonb_build_object('said', NEW.back + NEW.broken + NEW.lost,
                                   'left', v_out - (v_said - NEW.back - NEW.broken - NEW.lost))::text;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER never_more_than_out AFTER INSERT ON return_items
        FOR EACH ROW EXECUTE FUNCTION refuse_more_than_out();

    -- Keys and badges of a lender, what they open, and who has them.
    CREATE TABLE keys (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        label text NOT NULL CHECK (length(btrim(label)) BETWEEN 1 AND 80),
        note text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
        place_id bigint REFERENCES places,  -- it opens all of it
        lost_at timestamptz,
        retired_at timestamptz,
        {BY},
        added_at timestamptz NOT NULL
    );
    CREATE UNIQUE INDEX keys_labelled_once ON keys (lender_id, lower(label)) WHERE retired_at IS NULL;
    CREATE TABLE key_resources (
        key_id bigint NOT NULL REFERENCES keys,
        resource_id bigint NOT NULL REFERENCES resources,
        PRIMARY KEY (key_id, resource_id)
    );
    CREATE INDEX key_resources_resource_id_idx ON key_resources (resource_id);
    CREATE TABLE key_loans (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key_id bigint NOT NULL REFERENCES keys,
        booking_id bigint NOT NULL REFERENCES hand_overs,
        {BY},
        given_at timestamptz NOT NULL,
        UNIQUE (id, key_id, booking_id)
    );
    CREATE INDEX key_loans_booking_id_idx ON key_loans (booking_id);
    CREATE INDEX key_loans_key_id_idx ON key_loans (key_id, id);
    CREATE TABLE key_returns (
        key_loan_id bigint PRIMARY KEY REFERENCES key_loans,
        outcome text NOT NULL CHECK (outcome IN ('back', 'lost')),
        {BY},
        noted_at timestamptz NOT NULL
    );
    -- What is out now, as occupancy is what is taken: one row for a key, whoever writes it.
    CREATE TABLE keys_out (
        key_id bigint PRIMARY KEY REFERENCES keys,
        key_loan_id bigint NOT NULL UNIQUE,
        booking_id bigint NOT NULL,
        FOREIGN KEY (key_loan_id, key_id, booking_id) REFERENCES key_loans (id, key_id, booking_id)
    );
    CREATE INDEX keys_out_booking_id_idx ON keys_out (booking_id);
    CREATE FUNCTION give_key() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM keys k JOIN bookings b ON b.lender_id = k.lender_id
          WHERE k.id = NEW.key_id AND b.id = NEW.booking_id AND k.lost_at IS NULL AND k.retired_at IS NULL
            FOR SHARE OF k;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'key-not-there';
        END IF;
        INSERT INTO keys_out (key_id, key_loan_id, booking_id) VALUES (NEW.key_id, NEW.id, NEW.booking_id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER one_out AFTER INSERT ON key_loans FOR EACH ROW EXECUTE FUNCTION give_key();
    CREATE FUNCTION take_key_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM keys_out WHERE key_loan_id = NEW.key_loan_id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER out_no_more AFTER INSERT ON key_returns FOR EACH ROW EXECUTE FUNCTION take_key_back();

    -- A loan is over when all that went out is accounted for.
    CREATE FUNCTION refuse_end_while_out() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id FOR UPDATE;
        IF EXISTS (SELECT FROM keys_out WHERE booking_id = NEW.booking_id) OR EXISTS (
            SELECT FROM handed_items h WHERE h.booking_id = NEW.booking_id AND h.quantity <>
                   (SELECT coalesce(sum(r.back + r.broken + r.lost), 0) FROM return_items r WHERE r.item_id = h.item_id))
        THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'still-out';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER all_accounted_for BEFORE INSERT ON returns FOR EACH ROW EXECUTE FUNCTION refuse_end_while_out();

    CREATE TABLE inventory_pictures (  -- for the lender's office and the borrower
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        booking_id bigint NOT NULL REFERENCES bookings,
        position integer NOT NULL CHECK (position BETWEEN 1 AND 12),  -- and so no more than twelve of them
        moment text NOT NULL CHECK (moment IN ('out', 'back')),
        words text NOT NULL CHECK (length(btrim(words)) BETWEEN 1 AND 200),
        width integer NOT NULL CHECK (width BETWEEN 1 AND 1600),
        height integer NOT NULL CHECK (height BETWEEN 1 AND 1600),
        large bytea NOT NULL CHECK (octet_length(large) <= 600000),  -- both are JPEG
        small bytea NOT NULL CHECK (octet_length(small) <= 30000),
        {BY},
        added_at timestamptz NOT NULL,
        CONSTRAINT inventory_pictures_position UNIQUE (booking_id, position)
    );
    ALTER TABLE inventory_pictures ALTER large SET STORAGE EXTERNAL, ALTER small SET STORAGE EXTERNAL;

    CREATE TABLE attendances (  -- how many people came, beside those who were expected
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        people integer NOT NULL CHECK (people BETWEEN 0 AND 100000),
        {BY},
        noted_at timestamptz NOT NULL
    );

    -- More time for a loan that is out: asked for, then answered once.
    CREATE TABLE extensions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        booking_id bigint NOT NULL REFERENCES hand_overs,
        was_until timestamptz NOT NULL,
        until timestamptz NOT NULL CHECK (until > was_until),
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
        {BY},
        asked_at timestamptz NOT NULL
    );
    CREATE INDEX extensions_booking_id_idx ON extensions (booking_id, id);
    CREATE TABLE extension_decisions (
        extension_id bigint PRIMARY KEY REFERENCES extensions,
        verdict text NOT NULL CHECK (verdict IN ('granted', 'declined', 'lapsed')),
        text text NOT NULL DEFAULT '' CHECK (length(text) <= 2000),
        minutes bigint NOT NULL DEFAULT 0 CHECK (minutes >= 0),  -- what it costs besides
        hold_id bigint UNIQUE REFERENCES books.holds,
        {BY},
        decided_at timestamptz NOT NULL,
        CHECK ((minutes > 0) = (hold_id IS NOT NULL)),
        CHECK (hold_id IS NULL OR verdict = 'granted')
    );
    CREATE FUNCTION refuse_second_extension() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id FOR UPDATE;
        IF EXISTS (SELECT FROM extensions e WHERE e.booking_id = NEW.booking_id
                      AND NOT EXISTS (SELECT FROM extension_decisions d WHERE d.extension_id = e.id)) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'extension-waits';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER one_at_a_time BEFORE INSERT ON extensions FOR EACH ROW EXECUTE FUNCTION refuse_second_extension();

    CREATE TABLE loan_reminders (  -- letters that were written about a loan that is out; again when its end moves
        booking_id bigint NOT NULL REFERENCES hand_overs,
        kind text NOT NULL CHECK (kind IN ('soon', 'late')),
        ends_at timestamptz NOT NULL,
        written_at timestamptz NOT NULL,
        PRIMARY KEY (booking_id, kind, ends_at)
    );

    -- What comes back in parts lowers what is taken of a pool: that is never refused, whatever was closed meanwhile.
    DROP TRIGGER pool_never_exceeded ON pool_occupancy;
    CREATE TRIGGER pool_never_exceeded AFTER INSERT ON pool_occupancy FOR EACH ROW EXECUTE FUNCTION guard_pool();
    CREATE TRIGGER pool_never_exceeded_by_more AFTER UPDATE ON pool_occupancy FOR EACH ROW
        WHEN (NEW.pool_id <> OLD.pool_id OR NEW.quantity > OLD.quantity OR NOT OLD.during @> NEW.during)
        EXECUTE FUNCTION guard_pool();
    ALTER TABLE closures DROP CONSTRAINT closures_kind_check,
        ADD CONSTRAINT closures_kind_check CHECK (kind IN ({_CLOSURES}, 'lost'));
    """)
    for table in _RECORDS:
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """)
        grant("SELECT, INSERT", table)
    grant("SELECT, INSERT, UPDATE", "keys")
    grant("SELECT, INSERT, DELETE", "key_resources", "keys_out", "inventory_pictures")
    grant("SELECT, INSERT", "loan_reminders")


def downgrade() -> None:
    run(f"""
    DROP TRIGGER all_accounted_for ON returns;
    DROP TRIGGER pool_never_exceeded_by_more ON pool_occupancy;
    DROP TRIGGER pool_never_exceeded ON pool_occupancy;
    CREATE TRIGGER pool_never_exceeded AFTER INSERT OR UPDATE ON pool_occupancy
        FOR EACH ROW EXECUTE FUNCTION guard_pool();
    UPDATE closures SET kind = 'other' WHERE kind = 'lost';
    ALTER TABLE closures DROP CONSTRAINT closures_kind_check,
        ADD CONSTRAINT closures_kind_check CHECK (kind IN ({_CLOSURES}));
    DROP TABLE loan_reminders, extension_decisions, extensions, attendances, inventory_pictures, keys_out, key_returns,
        key_loans, key_resources, keys, return_items, return_parts, handed_items;
    ALTER TABLE booking_items DROP CONSTRAINT booking_items_of_their_booking;
    DROP FUNCTION refuse_second_extension();
    DROP FUNCTION refuse_end_while_out();
    DROP FUNCTION take_key_back();
    DROP FUNCTION give_key();
    DROP FUNCTION refuse_more_than_out();
    DROP FUNCTION refuse_more_than_booked();
    """)
