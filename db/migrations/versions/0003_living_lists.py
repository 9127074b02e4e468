"""Living lists: drafts, recorded changes, work on lists, proposals to move rows; facts of rows.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # First, because SQLite writes the table anew, and triggers on it would be lost.
    with op.batch_alter_table('suggestion', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_suggestion_known_origin'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_suggestion_known_origin'), "origin IN ('model', 'import', 'history', 'migration', 'rederived')")
        batch_op.add_column(sa.Column('rederived_for', sa.String(), nullable=True))

    with op.batch_alter_table('synthesis_request', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(), server_default='answer', nullable=False))
        batch_op.add_column(sa.Column('revision_id', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('rederivation_id', sa.String(), nullable=True))
        batch_op.create_check_constraint(batch_op.f('ck_synthesis_request_known_kind'), "kind IN ('answer', 'trace', 'decode')")
        batch_op.create_index('ix_synthesis_request_rederivation', ['rederivation_id'], unique=False)

    op.create_table('rederivation',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=False),
    sa.Column('revision_id', sa.String(), nullable=False),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('suggestion_id', sa.String(), nullable=False),
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('request_id', sa.Integer(), nullable=False),
    sa.Column('prompt_version', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('agree', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('passage', sa.Text(), nullable=True),
    sa.Column('reviewer_id', sa.String(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('testing', 'waiting', 'accepted', 'refused')", name=op.f('ck_rederivation_known_state')),
    sa.CheckConstraint('reviewer_id <> author_id', name=op.f('ck_rederivation_never_own_work')),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_rederivation_author_id')),
    sa.ForeignKeyConstraint(['batch_id'], ['synthesis_batch.id'], name=op.f('fk_rederivation_batch_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_rederivation_project_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_rederivation_query_id')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['person.id'], name=op.f('fk_rederivation_reviewer_id')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_rederivation_revision_id')),
    sa.ForeignKeyConstraint(['suggestion_id'], ['suggestion.id'], name=op.f('fk_rederivation_suggestion_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rederivation')),
    sa.UniqueConstraint('suggestion_id', name=op.f('uq_rederivation_suggestion_id'))
    )
    with op.batch_alter_table('rederivation', schema=None) as batch_op:
        batch_op.create_index('ix_rederivation_state', ['project_id', 'state', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_rederivation_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_rederivation_query_id'), ['query_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_rederivation_revision_id'), ['revision_id'], unique=False)

    op.create_table('blind_decode',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('rederivation_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('request_key', sa.String(), nullable=False),
    sa.Column('raw_reply', sa.LargeBinary(), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=True),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('agrees', sa.Boolean(), nullable=True),
    sa.Column('usage', sa.JSON(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_blind_decode_project_id')),
    sa.ForeignKeyConstraint(['rederivation_id'], ['rederivation.id'], name=op.f('fk_blind_decode_rederivation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_blind_decode')),
    sa.UniqueConstraint('request_key', name=op.f('uq_blind_decode_request_key'))
    )
    with op.batch_alter_table('blind_decode', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_blind_decode_rederivation_id'), ['rederivation_id'], unique=False)

    op.add_column('review', sa.Column('more_reasons', sa.JSON(), nullable=True))
    with op.batch_alter_table('lot', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_lot_known_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_lot_known_state'), "state IN ('open', 'inspecting', 'passed', 'failed', 'dissolved')")

    op.create_table('list_work',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('order', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('report', sa.JSON(), nullable=True),
    sa.Column('created_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('impact', 'migrate')", name=op.f('ck_list_work_known_kind')),
    sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f('ck_list_work_known_state')),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_list_work_created_by')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_list_work_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_list_work'))
    )
    with op.batch_alter_table('list_work', schema=None) as batch_op:
        batch_op.create_index('ix_list_work_newest', ['project_id', 'kind', 'id'], unique=False)

    op.create_table('list_change',
    sa.Column('list_version_id', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('before_version_id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('likeness', sa.Float(), nullable=True),
    sa.Column('confirmed_by', sa.String(), nullable=True),
    sa.CheckConstraint("kind IN ('rename', 'describe', 'add', 'retire', 'split', 'merge')", name=op.f('ck_list_change_known_kind')),
    sa.ForeignKeyConstraint(['before_version_id'], ['list_version.id'], name=op.f('fk_list_change_before_version_id')),
    sa.ForeignKeyConstraint(['confirmed_by'], ['person.id'], name=op.f('fk_list_change_confirmed_by')),
    sa.ForeignKeyConstraint(['list_version_id'], ['list_version.id'], name=op.f('fk_list_change_list_version_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_list_change_project_id')),
    sa.PrimaryKeyConstraint('list_version_id', 'position', name=op.f('pk_list_change'))
    )
    with op.batch_alter_table('list_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_list_change_project_id'), ['project_id'], unique=False)

    op.create_table('list_draft',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('base_version_id', sa.String(), nullable=True),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=True),
    sa.Column('saved_by', sa.String(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('open', 'published', 'dropped')", name=op.f('ck_list_draft_known_state')),
    sa.ForeignKeyConstraint(['base_version_id'], ['list_version.id'], name=op.f('fk_list_draft_base_version_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_list_draft_project_id')),
    sa.ForeignKeyConstraint(['saved_by'], ['person.id'], name=op.f('fk_list_draft_saved_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_list_draft'))
    )
    with op.batch_alter_table('list_draft', schema=None) as batch_op:
        batch_op.create_index('uq_list_draft_open', ['project_id', 'name'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('migration_proposal',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('list_version_id', sa.String(), nullable=False),
    sa.Column('from_version_id', sa.String(), nullable=False),
    sa.Column('parent_query_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=True),
    sa.Column('fate', sa.String(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('candidates', sa.JSON(), nullable=False),
    sa.Column('work_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("fate IN ('automatic', 'people', 'lost')", name=op.f('ck_migration_proposal_known_fate')),
    sa.ForeignKeyConstraint(['from_version_id'], ['list_version.id'], name=op.f('fk_migration_proposal_from_version_id')),
    sa.ForeignKeyConstraint(['list_version_id'], ['list_version.id'], name=op.f('fk_migration_proposal_list_version_id')),
    sa.ForeignKeyConstraint(['parent_query_id'], ['query.id'], name=op.f('fk_migration_proposal_parent_query_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_migration_proposal_project_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_migration_proposal_query_id')),
    sa.ForeignKeyConstraint(['work_id'], ['list_work.id'], name=op.f('fk_migration_proposal_work_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_migration_proposal')),
    sa.UniqueConstraint('list_version_id', 'parent_query_id', name=op.f('uq_migration_proposal_list_version_id_parent_query_id')),
    sa.UniqueConstraint('query_id', name=op.f('uq_migration_proposal_query_id'))
    )
    with op.batch_alter_table('migration_proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_migration_proposal_parent_query_id'), ['parent_query_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_migration_proposal_project_id'), ['project_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_migration_proposal_work_id'), ['work_id'], unique=False)

    op.create_table('refused_list_draft',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('draft_id', sa.String(), nullable=False),
    sa.Column('based_on', sa.Integer(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('saved_by', sa.String(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['draft_id'], ['list_draft.id'], name=op.f('fk_refused_list_draft_draft_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_refused_list_draft_project_id')),
    sa.ForeignKeyConstraint(['saved_by'], ['person.id'], name=op.f('fk_refused_list_draft_saved_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refused_list_draft'))
    )
    with op.batch_alter_table('refused_list_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refused_list_draft_draft_id'), ['draft_id'], unique=False)

    op.create_table('query_change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_query_change'))
    )
    with op.batch_alter_table('query_change', schema=None) as batch_op:
        batch_op.create_index('ix_query_change_project', ['project_id', 'query_id'], unique=False)

    op.create_table('fact_profile',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('list_version_id', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=True),
    sa.Column('day', sa.String(), nullable=True),
    sa.Column('label', sa.String(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('trace_state', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('trace_reason', sa.String(), nullable=True),
    sa.Column('experts', sa.Text(), nullable=False),
    sa.Column('own_prompt', sa.Boolean(), nullable=False),
    sa.Column('is_paired', sa.Boolean(), nullable=False),
    sa.Column('is_paired_thinking', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_fact_profile_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fact_profile')),
    sa.UniqueConstraint('project_id', 'key', name=op.f('uq_fact_profile_project_id_key'))
    )
    op.create_table('row_fact',
    sa.Column('query_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('source_id', sa.String(), nullable=False),
    sa.Column('cluster', sa.String(), nullable=False),
    sa.Column('profile_id', sa.Integer(), nullable=False),
    sa.Column('trace_length', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('query_id', 'number', name=op.f('pk_row_fact'))
    )
    with op.batch_alter_table('row_fact', schema=None) as batch_op:
        batch_op.create_index('ix_row_fact_counted', ['project_id', 'query_id', 'number', 'profile_id', 'trace_length', 'cluster'], unique=False)

    # What there is has no facts yet.
    op.execute("INSERT INTO query_change (project_id, query_id) SELECT project_id, id FROM query")
    _note_changes()


# Table → its column that names a query (none: all of the project is concerned), and what to note.
CHANGES = {
    'query': ('id', "INSERT", "DELETE", "UPDATE OF kind, text, messages, answer, cluster, list_version_id, chosen_annotation_id"),
    'suggestion': ('query_id', "INSERT", "DELETE", "UPDATE OF plan, trace, trace_length, failure, is_repaired, model, origin, rederived_for"),
    'annotation': ('query_id', "INSERT", "DELETE", "UPDATE OF state, revision_id, suggestion_id, decided_at"),
    'gold_item': (None, "INSERT", "DELETE", "UPDATE OF query_id, plan"),
    'benchmark_question': (None, "INSERT", "DELETE", "UPDATE OF text, plan"),
}


def _note_changes() -> None:
    """Triggers: rows change in many places, and a count that misses one would be wrong."""
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    for table, (column, *events) in CHANGES.items():
        for event in events:
            name = f"note_{table}_{event.split()[0].lower()}"
            row = 'OLD' if event == 'DELETE' else 'NEW'
            query = f"{row}.{column}" if column else 'NULL'
            note = f"INSERT INTO query_change (project_id, query_id) VALUES ({row}.project_id, {query});"
            if is_sqlite:
                op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {note} END")
            else:
                op.execute(
                    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN {note} RETURN NULL; END $$"
                )
                op.execute(
                    f"CREATE TRIGGER {name} AFTER {event} ON {table} "
                    f"FOR EACH ROW EXECUTE FUNCTION {name}()"
                )


def _note_no_changes() -> None:
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    for table, (_, *events) in CHANGES.items():
        for event in events:
            name = f"note_{table}_{event.split()[0].lower()}"
            op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
            if not is_sqlite:
                op.execute(f"DROP FUNCTION {name}")


def downgrade() -> None:
    # First: what writes a table anew would meet triggers on it.
    _note_no_changes()
    with op.batch_alter_table('row_fact', schema=None) as batch_op:
        batch_op.drop_index('ix_row_fact_counted')

    op.drop_table('row_fact')
    op.drop_table('fact_profile')
    with op.batch_alter_table('query_change', schema=None) as batch_op:
        batch_op.drop_index('ix_query_change_project')

    op.drop_table('query_change')
    with op.batch_alter_table('refused_list_draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_refused_list_draft_draft_id'))

    op.drop_table('refused_list_draft')
    with op.batch_alter_table('migration_proposal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_migration_proposal_work_id'))
        batch_op.drop_index(batch_op.f('ix_migration_proposal_project_id'))
        batch_op.drop_index(batch_op.f('ix_migration_proposal_parent_query_id'))

    op.drop_table('migration_proposal')
    with op.batch_alter_table('list_draft', schema=None) as batch_op:
        batch_op.drop_index('uq_list_draft_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.drop_table('list_draft')
    with op.batch_alter_table('list_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_list_change_project_id'))

    op.drop_table('list_change')
    with op.batch_alter_table('list_work', schema=None) as batch_op:
        batch_op.drop_index('ix_list_work_newest')

    op.drop_table('list_work')

    # What was dissolved is decided one by one; the older version calls that passed.
    op.execute("UPDATE lot SET state = 'passed', decided_at = COALESCE(decided_at, opened_at) WHERE state = 'dissolved'")
    with op.batch_alter_table('lot', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_lot_known_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_lot_known_state'), "state IN ('open', 'inspecting', 'passed', 'failed')")

    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_column('more_reasons')

    # The older version would ask for a trace as for an answer. What models wrote is kept.
    op.drop_table('blind_decode')
    op.drop_table('rederivation')
    op.execute("DELETE FROM synthesis_request WHERE kind <> 'answer'")
    op.execute("DELETE FROM synthesis_batch WHERE CAST(\"order\" AS TEXT) LIKE '%\"rederive\"%'")
    with op.batch_alter_table('synthesis_request', schema=None) as batch_op:
        batch_op.drop_index('ix_synthesis_request_rederivation')
        batch_op.drop_constraint(batch_op.f('ck_synthesis_request_known_kind'), type_='check')
        batch_op.drop_column('rederivation_id')
        batch_op.drop_column('revision_id')
        batch_op.drop_column('kind')

    # Last, as in the upgrade it is first.
    op.execute("UPDATE suggestion SET origin = 'import' WHERE origin = 'migration'")
    op.execute("UPDATE suggestion SET origin = 'import', failure = COALESCE(failure, 'replies.no_plan') WHERE origin = 'rederived'")
    with op.batch_alter_table('suggestion', schema=None) as batch_op:
        batch_op.drop_column('rederived_for')
        batch_op.drop_constraint(batch_op.f('ck_suggestion_known_origin'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_suggestion_known_origin'), "origin IN ('model', 'import', 'history')")
