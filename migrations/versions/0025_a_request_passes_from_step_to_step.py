"""Circuits: a lender's requests pass from step to step; each gives an opinion, and the last one decides.

Steps are written once: another way to decide is another circuit. Who speaks at a step, and which circuit decides on a
resource, are said again whenever they change, and the last word counts. A request keeps the circuit that it met.
"""

from __future__ import annotations

from migrations.helpers import WEB, grant, run

revision = "0025"
down_revision = "0024"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""
ONCE = (
    "circuits", "circuit_steps", "circuit_speakers", "circuit_resources", "booking_circuits", "booking_opinions",
)  # fmt: skip


def upgrade() -> None:
    run(f"""
    CREATE TABLE circuits (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        lender_id bigint NOT NULL REFERENCES parties,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 120),
        {BY},
        written_at timestamptz NOT NULL
    );
    CREATE UNIQUE INDEX circuits_named_once ON circuits (lender_id, lower(name));
    CREATE TABLE circuit_steps (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        circuit_id bigint NOT NULL REFERENCES circuits,
        position integer NOT NULL CHECK (position BETWEEN 1 AND 5),
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 80),
        CONSTRAINT circuit_steps_in_order UNIQUE (circuit_id, position)
    );
    CREATE TABLE circuit_speakers (  -- who speaks at a step, or doesn't any more: the last row of each counts
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        step_id bigint NOT NULL REFERENCES circuit_steps,
        sign_in_id bigint NOT NULL REFERENCES sign_ins,
        speaks boolean NOT NULL,
        {BY},
        written_at timestamptz NOT NULL
    );
    CREATE INDEX circuit_speakers_step_id_idx ON circuit_speakers (step_id, sign_in_id, id DESC);
    CREATE TABLE circuit_resources (  -- the circuit that decides on a resource, or none: its last row counts
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        resource_id bigint NOT NULL REFERENCES resources,
        circuit_id bigint REFERENCES circuits,
        {BY},
        written_at timestamptz NOT NULL
    );
    CREATE INDEX circuit_resources_resource_id_idx ON circuit_resources (resource_id, id DESC);
    CREATE TABLE booking_circuits (  -- as it was when it was asked for
        booking_id bigint PRIMARY KEY REFERENCES bookings,
        circuit_id bigint NOT NULL REFERENCES circuits
    );
    CREATE TABLE booking_opinions (
        booking_id bigint REFERENCES booking_circuits,
        step_id bigint REFERENCES circuit_steps,
        favourable boolean NOT NULL,
        text text NOT NULL DEFAULT '' CHECK (length(text) <= 1000),
        {BY},
        given_at timestamptz NOT NULL,
        PRIMARY KEY (booking_id, step_id),
        CONSTRAINT booking_opinions_against_for_a_reason CHECK (favourable OR btrim(text) <> '')
    );
    """)
    run("""
    -- The step whose turn it is; nothing for what no circuit decides on.
    CREATE FUNCTION step_of(p_booking bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
        SELECT s.id FROM booking_circuits b JOIN circuit_steps s ON s.circuit_id = b.circuit_id
         WHERE b.booking_id = p_booking
           AND NOT EXISTS (SELECT FROM booking_opinions o WHERE o.booking_id = b.booking_id AND o.step_id = s.id)
         ORDER BY s.position LIMIT 1;
    $$;
    -- Who may speak at a step on a day: those who are named and in office, or the whole office when none of them is.
    CREATE FUNCTION speakers(p_step bigint, p_on date) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
        WITH officers AS (
            SELECT DISTINCT m.sign_in_id FROM circuit_steps s JOIN circuits c ON c.id = s.circuit_id
              JOIN mandates m ON m.party_id = c.lender_id AND m.role = 'officer'
               AND p_on BETWEEN m.starts_on AND coalesce(m.ends_on, 'infinity')
             WHERE s.id = p_step),
        named AS (
            SELECT o.sign_in_id FROM officers o WHERE (
                SELECT n.speaks FROM circuit_speakers n WHERE n.step_id = p_step AND n.sign_in_id = o.sign_in_id
                 ORDER BY n.id DESC LIMIT 1))
        SELECT sign_in_id FROM named UNION ALL
        SELECT sign_in_id FROM officers WHERE NOT EXISTS (SELECT FROM named);
    $$;
    CREATE FUNCTION check_turn(p_booking bigint, p_step bigint, p_sign_in bigint, p_at timestamptz) RETURNS void
    LANGUAGE plpgsql STABLE AS $$
    DECLARE
        v_zone text := (SELECT zone FROM bookings WHERE id = p_booking);
    BEGIN
        IF NOT EXISTS (SELECT FROM speakers(p_step, (p_at AT TIME ZONE v_zone)::date) who WHERE who = p_sign_in) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'not-your-step', DETAIL =
                jsonb_build_object('step', (SELECT name FROM circuit_steps WHERE id = p_step))::text;
        END IF;
    END $$;
    -- The last step decides, when all those before have spoken. Nobody asks a clock who lets a request expire.
    CREATE FUNCTION guard_decision_turn() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_step bigint := step_of(NEW.booking_id);
        v_next text;
    BEGIN
        IF v_step IS NULL OR NEW.verdict = 'expired' THEN
            RETURN NEW;
        END IF;
        SELECT here.name INTO v_next FROM circuit_steps here
         WHERE here.id = v_step AND EXISTS (
            SELECT FROM circuit_steps later WHERE later.circuit_id = here.circuit_id
               AND later.position > here.position);
        IF v_next IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'opinion-awaited', DETAIL =
                jsonb_build_object('step', v_next)::text;
        END IF;
        PERFORM check_turn(NEW.booking_id, v_step, NEW.by_sign_in, NEW.decided_at);
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_turn BEFORE INSERT ON booking_decisions FOR EACH ROW EXECUTE FUNCTION guard_decision_turn();

    -- An opinion is that of the step whose turn it is, and never of the last one, while nothing is decided.
    CREATE FUNCTION guard_opinion() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM bookings WHERE id = NEW.booking_id FOR UPDATE;
        IF NEW.step_id IS DISTINCT FROM step_of(NEW.booking_id)
           OR NOT EXISTS (SELECT FROM circuit_steps here JOIN circuit_steps later ON later.circuit_id = here.circuit_id
                             AND later.position > here.position WHERE here.id = NEW.step_id)
           OR EXISTS (SELECT FROM booking_decisions WHERE booking_id = NEW.booking_id)
           OR EXISTS (SELECT FROM booking_cancellations WHERE booking_id = NEW.booking_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = 'already-answered', DETAIL = '{}';
        END IF;
        PERFORM check_turn(NEW.booking_id, NEW.step_id, NEW.by_sign_in, NEW.given_at);
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_turn BEFORE INSERT ON booking_opinions FOR EACH ROW EXECUTE FUNCTION guard_opinion();

    -- Of one lender: the circuit of a resource, and that of a request.
    CREATE FUNCTION guard_circuit() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        v_lender bigint;
    BEGIN
        IF TG_TABLE_NAME = 'circuit_resources' THEN
            SELECT lender_id INTO v_lender FROM resources WHERE id = NEW.resource_id;
        ELSE
            SELECT lender_id INTO v_lender FROM bookings WHERE id = NEW.booking_id;
        END IF;
        IF NEW.circuit_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM circuits WHERE id = NEW.circuit_id AND lender_id = v_lender) THEN
            RAISE check_violation USING CONSTRAINT = 'circuits_of_their_lender', MESSAGE = 'another lender''s circuit';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER of_one_lender BEFORE INSERT ON circuit_resources FOR EACH ROW EXECUTE FUNCTION guard_circuit();
    CREATE TRIGGER of_one_lender BEFORE INSERT ON booking_circuits FOR EACH ROW EXECUTE FUNCTION guard_circuit();
    """)
    for table in ONCE:
        run(f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()")  # fmt: skip
    grant("SELECT, INSERT", *ONCE)
    for function in ("step_of(bigint)", "speakers(bigint, date)", "check_turn(bigint, bigint, bigint, timestamptz)"):
        run(f'GRANT EXECUTE ON FUNCTION {function} TO "{WEB}"')


def downgrade() -> None:
    run("""
    DROP TRIGGER in_turn ON booking_decisions;
    DROP TABLE booking_opinions, booking_circuits, circuit_resources, circuit_speakers, circuit_steps, circuits;
    DROP FUNCTION guard_circuit();
    DROP FUNCTION guard_opinion();
    DROP FUNCTION guard_decision_turn();
    DROP FUNCTION check_turn(bigint, bigint, bigint, timestamptz);
    DROP FUNCTION speakers(bigint, date);
    DROP FUNCTION step_of(bigint);
    """)
