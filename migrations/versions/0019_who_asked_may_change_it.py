"""Who asked for something asks for it otherwise: other hours, other things, more people.

A change is a booking of its own that names the one it changes. What an officer accepted stays as it was until the
change is accepted in its turn, and is then cancelled on the ground "changed".
"""

from __future__ import annotations

from migrations.helpers import run

revision = "0019"
down_revision = "0018"

_GROUNDS = "'property', 'services', 'order', 'rule', 'other', 'moved'"


def upgrade() -> None:
    run(f"""
    ALTER TABLE bookings ADD changes_id bigint REFERENCES bookings,
        ADD CONSTRAINT bookings_changed_or_replaced CHECK (changes_id IS NULL OR replaces_id IS NULL);
    CREATE INDEX bookings_changes_id_idx ON bookings (changes_id) WHERE changes_id IS NOT NULL;
    ALTER TABLE booking_cancellations DROP CONSTRAINT booking_cancellations_ground_check,
        ADD CONSTRAINT booking_cancellations_ground_check CHECK (ground IN ({_GROUNDS}, 'changed'));

    -- What stands in place of a booking is asked of the same lender by the same party. A foreign key would say it too,
    -- and cost every booking an index that a few need.
    CREATE FUNCTION refuse_another_two() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM bookings b WHERE b.id = coalesce(NEW.changes_id, NEW.replaces_id)
                          AND b.lender_id = NEW.lender_id AND b.party_id = NEW.party_id) THEN
            RAISE check_violation USING CONSTRAINT = 'bookings_of_the_same_two',
                MESSAGE = 'a booking stands in place of one between two others';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER of_the_same_two BEFORE INSERT OR UPDATE OF changes_id, replaces_id, lender_id, party_id ON bookings
        FOR EACH ROW WHEN (NEW.changes_id IS NOT NULL OR NEW.replaces_id IS NOT NULL)
        EXECUTE FUNCTION refuse_another_two();
    """)


def downgrade() -> None:
    run(f"""
    DROP TRIGGER of_the_same_two ON bookings;
    DROP FUNCTION refuse_another_two();
    ALTER TABLE booking_cancellations DROP CONSTRAINT booking_cancellations_ground_check;
    ALTER TABLE booking_cancellations DISABLE TRIGGER written_once;
    UPDATE booking_cancellations SET ground = 'moved' WHERE ground = 'changed';
    ALTER TABLE booking_cancellations ENABLE TRIGGER written_once;
    ALTER TABLE booking_cancellations ADD CONSTRAINT booking_cancellations_ground_check CHECK (ground IN ({_GROUNDS}));
    ALTER TABLE bookings DROP CONSTRAINT bookings_changed_or_replaced, DROP COLUMN changes_id;
    """)
