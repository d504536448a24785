"""Charters: what a lender asks to be accepted before anything of a place is asked for, once for each version.

Euros: deposits and tariffs that a lender asks, what is due for each loan, and what was received and given back. They
are recorded and never processed, and no minute is ever derived from them.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0024"
down_revision = "0023"

MINUTES_CHECK = "rules_check2"  # the name that 0005 left to the database
BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""


def upgrade() -> None:
    run(f"""
    CREATE TABLE charters (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        place_id bigint REFERENCES places,  -- nothing: every place of the lender that has none of its own
        CONSTRAINT charters_once UNIQUE NULLS NOT DISTINCT (lender_id, place_id)
    );
    CREATE TABLE charter_versions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        charter_id bigint NOT NULL REFERENCES charters,
        number integer NOT NULL CHECK (number > 0),
        title text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 200),
        text text NOT NULL CHECK (length(btrim(text)) BETWEEN 1 AND 20000),
        asked boolean NOT NULL,  -- false: it isn't asked for any more
        {BY},
        written_at timestamptz NOT NULL,
        CONSTRAINT charter_versions_once UNIQUE (charter_id, number)
    );
    CREATE TABLE charter_acceptances (
        version_id bigint REFERENCES charter_versions,
        party_id bigint REFERENCES parties,
        {BY},
        accepted_at timestamptz NOT NULL,
        PRIMARY KEY (version_id, party_id)
    );
    CREATE INDEX charter_acceptances_party_id_idx ON charter_acceptances (party_id);

    CREATE FUNCTION guard_charter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.place_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM places WHERE id = NEW.place_id AND lender_id = NEW.lender_id) THEN
            RAISE check_violation USING CONSTRAINT = 'charters_of_their_lender', MESSAGE = 'another lender''s place';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER of_one_lender BEFORE INSERT ON charters FOR EACH ROW EXECUTE FUNCTION guard_charter();
    """)
    run(f"""
    -- A rule in euros: a deposit, which is given back, or a tariff.
    ALTER TABLE rules DROP CONSTRAINT rules_shape_check,
        ADD CONSTRAINT rules_shape_check CHECK (shape IN ('tariff', 'gate', 'deposit', 'euro-tariff')),
        ADD cents bigint CHECK (cents BETWEEN 0 AND 1000000000),
        ADD first boolean NOT NULL DEFAULT false,  -- the loan isn't handed over before it is received
        ADD CONSTRAINT rules_in_euros CHECK ((shape IN ('deposit', 'euro-tariff')) = (cents IS NOT NULL)),
        ADD CONSTRAINT rules_never_both CHECK (cents IS NULL OR (minutes IS NULL AND community_id IS NULL)),
        ADD CONSTRAINT rules_first_in_euros CHECK (cents IS NOT NULL OR NOT first);
    ALTER TABLE rules DROP CONSTRAINT {MINUTES_CHECK},
        ADD CONSTRAINT rules_tariff_check CHECK (CASE shape
            WHEN 'tariff' THEN minutes IS NOT NULL AND per IS NOT NULL
            WHEN 'euro-tariff' THEN minutes IS NULL AND per IS NOT NULL
            ELSE minutes IS NULL AND per IS NULL END);
    CREATE OR REPLACE FUNCTION require_council_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.shape = 'tariff' AND NEW.minutes > 0 OR NEW.shape = 'euro-tariff' AND NEW.cents > 0)
           AND NEW.decision_number IS NULL AND EXISTS (
            SELECT FROM organisations o WHERE o.party_id = NEW.lender_id AND o.kind = 'authority') THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'council-decision-missing', DETAIL = '{{}}';
        END IF;
        RETURN NEW;
    END $$;

    CREATE TABLE booking_dues (  -- in euros, as it was when it was asked for
        booking_id bigint REFERENCES bookings,
        kind text CHECK (kind IN ('deposit', 'fee')),
        cents bigint NOT NULL CHECK (cents BETWEEN 1 AND 100000000000),
        first boolean NOT NULL,
        PRIMARY KEY (booking_id, kind)
    );
    CREATE TABLE euro_receipts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        booking_id bigint NOT NULL REFERENCES bookings,
        year integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
        number integer NOT NULL CHECK (number > 0),
        kind text NOT NULL CHECK (kind IN ('deposit', 'fee')),
        means text NOT NULL CHECK (means IN ('cheque', 'cash', 'transfer')),
        reference text NOT NULL DEFAULT '' CHECK (length(reference) <= 80),  -- of the cheque, of the treasury's receipt
        cents bigint NOT NULL CHECK (cents BETWEEN 1 AND 1000000000),
        received_on date NOT NULL,
        {BY},
        noted_at timestamptz NOT NULL,
        CONSTRAINT euro_receipts_numbered_once UNIQUE (lender_id, year, number)
    );
    CREATE INDEX euro_receipts_booking_id_idx ON euro_receipts (booking_id);
    CREATE TABLE euro_receipt_ends (  -- given back, or kept for a reason; whole or in part
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        receipt_id bigint NOT NULL REFERENCES euro_receipts,
        outcome text NOT NULL CHECK (outcome IN ('returned', 'kept')),
        cents bigint NOT NULL CHECK (cents > 0),
        ended_on date NOT NULL,
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 400),
        {BY},
        noted_at timestamptz NOT NULL,
        CONSTRAINT euro_receipt_ends_kept_for_a_reason CHECK (outcome = 'returned' OR btrim(reason) <> '')
    );
    CREATE INDEX euro_receipt_ends_receipt_id_idx ON euro_receipt_ends (receipt_id);

    CREATE FUNCTION last_receipt_number(p_lender bigint, p_year integer) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('receipts'), p_lender::integer);
        RETURN (SELECT coalesce(max(number), 0) FROM euro_receipts WHERE lender_id = p_lender AND year = p_year);
    END $$;
    CREATE FUNCTION guard_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id AND lender_id = NEW.lender_id FOR UPDATE;
        IF NOT FOUND THEN
            RAISE check_violation USING CONSTRAINT = 'euro_receipts_of_their_lender', MESSAGE = 'another lender''s';
        END IF;
        IF NEW.number <> last_receipt_number(NEW.lender_id, NEW.year) + 1 THEN
            RAISE check_violation USING CONSTRAINT = 'euro_receipts_without_a_gap', MESSAGE = 'not the next number';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_order BEFORE INSERT ON euro_receipts FOR EACH ROW EXECUTE FUNCTION guard_receipt();

    -- No more is given back or kept than was received, whoever notes it at the same moment.
    CREATE FUNCTION guard_receipt_end() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_left bigint;
    BEGIN
        PERFORM FROM bookings WHERE id = (SELECT booking_id FROM euro_receipts WHERE id = NEW.receipt_id) FOR UPDATE;
        SELECT r.cents - coalesce((SELECT sum(e.cents) FROM euro_receipt_ends e WHERE e.receipt_id = r.id), 0)
          INTO v_left FROM euro_receipts r WHERE r.id = NEW.receipt_id;
        IF NEW.cents > v_left THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'more-than-received', DETAIL =
                jsonb_build_object('left', v_left)::text;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER within_what_was_received BEFORE INSERT ON euro_receipt_ends
        FOR EACH ROW EXECUTE FUNCTION guard_receipt_end();
    """)
    for table in ("charters", "charter_versions", "charter_acceptances", "booking_dues", "euro_receipts",
                  "euro_receipt_ends"):  # fmt: skip
        run(f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()")  # fmt: skip
        grant("SELECT, INSERT", table)


def downgrade() -> None:
    run(f"""
    DROP TABLE euro_receipt_ends, euro_receipts, booking_dues;
    DROP FUNCTION guard_receipt_end();
    DROP FUNCTION guard_receipt();
    DROP FUNCTION last_receipt_number(bigint, integer);
    DELETE FROM rules WHERE shape IN ('deposit', 'euro-tariff');
    ALTER TABLE rules DROP CONSTRAINT rules_in_euros, DROP CONSTRAINT rules_never_both,
        DROP CONSTRAINT rules_first_in_euros, DROP CONSTRAINT rules_tariff_check, DROP CONSTRAINT rules_shape_check,
        DROP COLUMN cents, DROP COLUMN first,
        ADD CONSTRAINT rules_shape_check CHECK (shape IN ('tariff', 'gate')),
        ADD CONSTRAINT {MINUTES_CHECK} CHECK ((shape = 'tariff') = (minutes IS NOT NULL AND per IS NOT NULL));
    CREATE OR REPLACE FUNCTION require_council_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.shape = 'tariff' AND NEW.minutes > 0 AND NEW.decision_number IS NULL AND EXISTS (
            SELECT FROM organisations o WHERE o.party_id = NEW.lender_id AND o.kind = 'authority') THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'council-decision-missing', DETAIL = '{{}}';
        END IF;
        RETURN NEW;
    END $$;
    DROP TABLE charter_acceptances, charter_versions, charters;
    DROP FUNCTION guard_charter();
    """)
