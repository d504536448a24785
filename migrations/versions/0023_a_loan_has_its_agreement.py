"""Agreements: what a lender and a borrower of one loan accept in turn, from the lender's own template.

An agreement is numbered by lender and year, without a gap, and never changes: another takes its place. Its text and the
names under it stand apart, since they can be erased with the person; the number and the digest of the text stay.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0023"
down_revision = "0022"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""
ONCE = (
    "agreement_templates", "agreement_versions", "agreement_version_resources", "agreements", "agreement_signatures",
)  # fmt: skip
ERASED = ("agreement_texts", "agreement_names")  # with the person, by the owner of the tables alone


def upgrade() -> None:
    run(f"""
    CREATE TABLE agreement_templates (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        UNIQUE (id, lender_id)
    );
    CREATE INDEX agreement_templates_lender_id_idx ON agreement_templates (lender_id);

    CREATE TABLE agreement_versions (  -- of a template: the last one serves, what was made keeps its own
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        template_id bigint NOT NULL REFERENCES agreement_templates,
        number integer NOT NULL CHECK (number > 0),
        title text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 200),
        text text NOT NULL CHECK (length(btrim(text)) BETWEEN 1 AND 20000),
        covers text NOT NULL CHECK (covers IN ('all', 'chosen', 'none')),  -- which loans of the lender need one
        first text NOT NULL CHECK (first IN ('lender', 'borrower')),  -- who accepts first
        automatic boolean NOT NULL,  -- made as soon as a loan is accepted
        {BY},
        written_at timestamptz NOT NULL,
        CONSTRAINT agreement_versions_once UNIQUE (template_id, number)
    );
    CREATE TABLE agreement_version_resources (  -- those that are chosen
        version_id bigint REFERENCES agreement_versions,
        resource_id bigint REFERENCES resources,
        PRIMARY KEY (version_id, resource_id)
    );

    CREATE TABLE agreements (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        booking_id bigint NOT NULL REFERENCES bookings,
        version_id bigint NOT NULL REFERENCES agreement_versions,
        replaces_id bigint CONSTRAINT agreements_replaced_once UNIQUE,
        year integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
        number integer NOT NULL CHECK (number > 0),
        digest bytea NOT NULL CHECK (length(digest) = 32),  -- SHA-256 of the text
        {BY},
        made_at timestamptz NOT NULL,
        CONSTRAINT agreements_numbered_once UNIQUE (lender_id, year, number),
        UNIQUE (id, booking_id),
        CONSTRAINT agreements_replace_one_of_the_same_loan
            FOREIGN KEY (replaces_id, booking_id) REFERENCES agreements (id, booking_id)
    );
    -- One after the other for a loan: the first, and what replaces it.
    CREATE UNIQUE INDEX agreements_first_of_a_loan ON agreements (booking_id) WHERE replaces_id IS NULL;

    CREATE TABLE agreement_texts (
        agreement_id bigint PRIMARY KEY REFERENCES agreements,
        text text NOT NULL
    );
    CREATE TABLE agreement_signatures (
        agreement_id bigint REFERENCES agreements,
        side text CHECK (side IN ('lender', 'borrower')),
        how text NOT NULL CHECK (how IN ('online', 'paper')),
        signed_on date NOT NULL,  -- on paper, the day that it bears
        {BY},
        signed_at timestamptz NOT NULL,
        PRIMARY KEY (agreement_id, side)
    );
    CREATE TABLE agreement_names (  -- who signed, and the sentence that they accepted
        agreement_id bigint,
        side text,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
        sentence text NOT NULL CHECK (length(sentence) <= 1000),
        PRIMARY KEY (agreement_id, side),
        FOREIGN KEY (agreement_id, side) REFERENCES agreement_signatures
    );

    CREATE FUNCTION last_agreement_number(p_lender bigint, p_year integer) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('agreements'), p_lender::integer);
        RETURN (SELECT coalesce(max(number), 0) FROM agreements WHERE lender_id = p_lender AND year = p_year);
    END $$;

    -- No number is left out, none is given twice, and the loan is one that its lender accepted and that still stands.
    CREATE FUNCTION guard_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id AND lender_id = NEW.lender_id FOR UPDATE;
        IF NOT FOUND OR NOT EXISTS (
            SELECT FROM agreement_versions v JOIN agreement_templates t ON t.id = v.template_id
             WHERE v.id = NEW.version_id AND t.lender_id = NEW.lender_id) THEN
            RAISE check_violation USING CONSTRAINT = 'agreements_of_their_lender', MESSAGE = 'another lender''s';
        END IF;
        IF NOT EXISTS (SELECT FROM booking_decisions WHERE booking_id = NEW.booking_id AND verdict = 'accepted')
           OR EXISTS (SELECT FROM booking_cancellations WHERE booking_id = NEW.booking_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'wrong-state', DETAIL = '{{}}';
        END IF;
        IF NEW.number <> last_agreement_number(NEW.lender_id, NEW.year) + 1 THEN
            RAISE check_violation USING CONSTRAINT = 'agreements_without_a_gap', MESSAGE = 'not the next number';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_order BEFORE INSERT ON agreements FOR EACH ROW EXECUTE FUNCTION guard_agreement();

    CREATE FUNCTION guard_agreement_text() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM agreements WHERE id = NEW.agreement_id
                          AND digest = sha256(convert_to(NEW.text, 'UTF8'))) THEN
            RAISE check_violation USING CONSTRAINT = 'agreement_texts_of_their_digest', MESSAGE = 'another text';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER as_digested BEFORE INSERT ON agreement_texts FOR EACH ROW EXECUTE FUNCTION guard_agreement_text();

    -- Each side accepts what still stands, in the order that the template says.
    CREATE FUNCTION guard_signature() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_booking bigint;
        v_first text;
    BEGIN
        SELECT a.booking_id, v.first INTO v_booking, v_first
          FROM agreements a JOIN agreement_versions v ON v.id = a.version_id WHERE a.id = NEW.agreement_id;
        PERFORM FROM bookings WHERE id = v_booking FOR UPDATE;
        IF EXISTS (SELECT FROM agreements WHERE replaces_id = NEW.agreement_id)
           OR EXISTS (SELECT FROM booking_cancellations WHERE booking_id = v_booking)
           OR NOT EXISTS (SELECT FROM agreement_texts WHERE agreement_id = NEW.agreement_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'agreement-void', DETAIL = '{{}}';
        END IF;
        IF NEW.side <> v_first AND NOT EXISTS (
            SELECT FROM agreement_signatures WHERE agreement_id = NEW.agreement_id AND side = v_first) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'not-your-turn', DETAIL =
                jsonb_build_object('first', v_first)::text;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_turn BEFORE INSERT ON agreement_signatures FOR EACH ROW EXECUTE FUNCTION guard_signature();
    """)
    for table in ONCE:
        run(f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()")  # fmt: skip
        grant("SELECT, INSERT", table)
    for table in ERASED:
        run(f"CREATE TRIGGER never_changed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        grant("SELECT, INSERT", table)


def downgrade() -> None:
    run("""
    DROP TABLE agreement_names, agreement_signatures, agreement_texts, agreements, agreement_version_resources,
        agreement_versions, agreement_templates;
    DROP FUNCTION guard_signature();
    DROP FUNCTION guard_agreement_text();
    DROP FUNCTION guard_agreement();
    DROP FUNCTION last_agreement_number(bigint, integer);
    """)
