"""What is broken or lost may cost something: proposed by the lender, accepted or contested by who borrowed, mediated.

Minutes leave an account only by its holder's act. Euros are recorded, never processed.
"""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0022"
down_revision = "0021"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""
_RECORDS = ("damages", "damage_answers", "damage_outcomes", "damage_payments")


def upgrade() -> None:
    run(f"""
    CREATE TABLE damages (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        booking_id bigint NOT NULL REFERENCES hand_overs,
        words text NOT NULL CHECK (length(btrim(words)) BETWEEN 1 AND 2000),
        minutes bigint CHECK (minutes BETWEEN 1 AND 100000),
        cents bigint CHECK (cents BETWEEN 1 AND 1000000000),  -- euros, paid elsewhere
        community_id bigint REFERENCES communities,  -- whose facilitator mediates, and whose books count the minutes
        account_id bigint,
        lender_account_id bigint,
        {BY},
        proposed_at timestamptz NOT NULL,
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, lender_account_id) REFERENCES books.accounts (community_id, id),
        CONSTRAINT damages_in_one_of_both CHECK ((minutes IS NULL) <> (cents IS NULL)),
        CHECK ((minutes IS NOT NULL) = (account_id IS NOT NULL AND lender_account_id IS NOT NULL)),
        CHECK (minutes IS NULL OR community_id IS NOT NULL)
    );
    CREATE INDEX damages_booking_id_idx ON damages (booking_id, id);
    CREATE TABLE damage_answers (
        damage_id bigint PRIMARY KEY REFERENCES damages,
        answer text NOT NULL CHECK (answer IN ('accepted', 'contested')),
        text text NOT NULL DEFAULT '' CHECK (length(text) <= 2000),
        {BY},
        answered_at timestamptz NOT NULL,
        CHECK (answer = 'accepted' OR btrim(text) <> '')
    );
    CREATE TABLE damage_outcomes (  -- of what was contested
        damage_id bigint PRIMARY KEY REFERENCES damage_answers,
        outcome text NOT NULL CHECK (outcome IN ('maintained', 'lowered', 'dropped')),
        minutes bigint CHECK (minutes >= 1),  -- when it is lowered
        cents bigint CHECK (cents >= 1),
        text text NOT NULL CHECK (length(btrim(text)) BETWEEN 1 AND 2000),
        {BY},
        settled_at timestamptz NOT NULL,
        CHECK ((outcome = 'lowered') = (minutes IS NOT NULL OR cents IS NOT NULL))
    );
    CREATE TABLE damage_payments (  -- by an entry, which its holder authorised; or in euros, which the office received
        damage_id bigint PRIMARY KEY REFERENCES damage_answers,
        entry_id bigint UNIQUE REFERENCES books.entries,
        {BY},
        paid_at timestamptz NOT NULL
    );
    CREATE FUNCTION check_damage() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_damage damages;
        v_answer text;
        v_outcome text;
    BEGIN
        SELECT * INTO v_damage FROM damages WHERE id = NEW.damage_id;
        PERFORM FROM bookings WHERE id = v_damage.booking_id FOR UPDATE;
        SELECT answer INTO v_answer FROM damage_answers WHERE damage_id = NEW.damage_id;
        SELECT outcome INTO v_outcome FROM damage_outcomes WHERE damage_id = NEW.damage_id;
        IF TG_TABLE_NAME = 'damage_outcomes' THEN
            IF v_answer <> 'contested' OR NEW.minutes >= v_damage.minutes OR NEW.cents >= v_damage.cents
               OR (NEW.minutes IS NOT NULL AND v_damage.minutes IS NULL)
               OR (NEW.cents IS NOT NULL AND v_damage.cents IS NULL) THEN
                RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'wrong-state', DETAIL = '{{"state": "settled"}}';
            END IF;
        ELSIF (v_damage.minutes IS NOT NULL) <> (NEW.entry_id IS NOT NULL)
              OR (v_answer = 'contested' AND v_outcome IS DISTINCT FROM 'maintained'
                  AND v_outcome IS DISTINCT FROM 'lowered') THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'wrong-state', DETAIL = '{{"state": "unsettled"}}';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_its_turn BEFORE INSERT ON damage_outcomes FOR EACH ROW EXECUTE FUNCTION check_damage();
    CREATE TRIGGER in_its_turn BEFORE INSERT ON damage_payments FOR EACH ROW EXECUTE FUNCTION check_damage();
    """)
    for table in _RECORDS:
        run(f"""
        CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """)
        grant("SELECT, INSERT", table)


def downgrade() -> None:
    run("""
    DROP TABLE damage_payments, damage_outcomes, damage_answers, damages;
    DROP FUNCTION check_damage();
    """)
