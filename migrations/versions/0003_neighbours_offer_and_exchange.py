"""Neighbours offer, look for, write to each other through a relay, and declare what they exchanged."""

from __future__ import annotations

from migrations.helpers import grant, run

revision = "0003"
down_revision = "0002"

BY = """
        by_sign_in bigint REFERENCES sign_ins,
        by_party bigint NOT NULL REFERENCES parties,
        by_mandate bigint REFERENCES mandates"""


def upgrade() -> None:
    run(f"""
    CREATE TABLE categories (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        community_id bigint NOT NULL REFERENCES communities,
        name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 80),
        UNIQUE (community_id, name),
        UNIQUE (community_id, id)
    );

    CREATE TABLE adverts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        community_id bigint NOT NULL REFERENCES communities,
        account_id bigint NOT NULL,
        party_id bigint NOT NULL REFERENCES parties,
        kind text NOT NULL CHECK (kind IN ('offer', 'want')),
        nature text NOT NULL CHECK (nature IN ('service', 'knowledge', 'goods')),
        category_id bigint NOT NULL,
        title text NOT NULL CHECK (length(btrim(title)) BETWEEN 3 AND 120),
        text text NOT NULL DEFAULT '' CHECK (length(text) <= 4000),
        searched text NOT NULL GENERATED ALWAYS AS (sort_key(title || ' ' || text)) STORED,
        {BY},
        published_at timestamptz NOT NULL,
        closed_at timestamptz,
        FOREIGN KEY (community_id, account_id) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, category_id) REFERENCES categories (community_id, id)
    );
    CREATE TABLE advert_changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        advert_id bigint NOT NULL REFERENCES adverts,
        kind text NOT NULL CHECK (kind IN ('edited', 'closed')),
        {BY},
        changed_at timestamptz NOT NULL
    );
    CREATE INDEX advert_changes_advert_id_idx ON advert_changes (advert_id);
    CREATE INDEX adverts_open_idx ON adverts (community_id, published_at DESC) WHERE closed_at IS NULL;
    CREATE INDEX adverts_account_id_idx ON adverts (account_id);
    CREATE INDEX adverts_searched_idx ON adverts USING gin (searched gin_trgm_ops);

    -- A thread is between two parties about one advert; neither ever sees the other's address.
    CREATE TABLE threads (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        advert_id bigint NOT NULL REFERENCES adverts,
        author_party bigint NOT NULL REFERENCES parties,
        asking_party bigint NOT NULL REFERENCES parties,
        opened_at timestamptz NOT NULL,
        UNIQUE (advert_id, asking_party),
        CHECK (author_party <> asking_party)
    );
    CREATE INDEX threads_author_party_idx ON threads (author_party);
    CREATE INDEX threads_asking_party_idx ON threads (asking_party);
    CREATE TABLE messages (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        thread_id bigint NOT NULL REFERENCES threads,
        text text NOT NULL CHECK (length(btrim(text)) BETWEEN 1 AND 4000),
        {BY},
        sent_at timestamptz NOT NULL
    );
    CREATE INDEX messages_thread_id_idx ON messages (thread_id);

    -- "Alice gave Bruno 90 minutes on Saturday": giver helped, receiver was helped and pays.
    CREATE TABLE declarations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        token text NOT NULL UNIQUE,
        community_id bigint NOT NULL REFERENCES communities,
        giver_account bigint NOT NULL,
        receiver_account bigint NOT NULL,
        minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 100000),
        happened_on date NOT NULL,
        nature text NOT NULL CHECK (nature IN ('service', 'knowledge', 'goods')),
        description text NOT NULL CHECK (length(btrim(description)) BETWEEN 1 AND 400),
        slip text CHECK (length(btrim(slip)) BETWEEN 1 AND 40),
        {BY},
        declared_at timestamptz NOT NULL,
        answer_before timestamptz NOT NULL,
        UNIQUE (community_id, id),
        UNIQUE (community_id, slip),
        FOREIGN KEY (community_id, giver_account) REFERENCES books.accounts (community_id, id),
        FOREIGN KEY (community_id, receiver_account) REFERENCES books.accounts (community_id, id),
        CHECK (giver_account <> receiver_account)
    );
    CREATE INDEX declarations_giver_account_idx ON declarations (giver_account);
    CREATE INDEX declarations_receiver_account_idx ON declarations (receiver_account);

    -- Its one answer. A confirmation is written with its entry; who was helped and declared it confirms by declaring.
    CREATE TABLE declaration_answers (
        declaration_id bigint PRIMARY KEY,
        community_id bigint NOT NULL,
        answer text NOT NULL CHECK (answer IN ('confirmed', 'refused', 'expired')),
        reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 400),
        entry_id bigint UNIQUE,
        {BY},
        answered_at timestamptz NOT NULL,
        FOREIGN KEY (community_id, declaration_id) REFERENCES declarations (community_id, id),
        FOREIGN KEY (community_id, entry_id) REFERENCES books.entries (community_id, id),
        CHECK ((answer = 'confirmed') = (entry_id IS NOT NULL))
    );
    CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON declaration_answers
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    """)
    grant("SELECT, INSERT", "categories", "advert_changes", "threads", "messages", "declarations", "declaration_answers")
    grant("SELECT, INSERT, UPDATE", "adverts")
    grant("UPDATE (answer_before)", "declarations")  # a row is only locked by who may change something of it


def downgrade() -> None:
    run("DROP TABLE declaration_answers, declarations, messages, threads, advert_changes, adverts, categories")
