"""Living lists: drafts, recorded changes, work on lists, proposals to move rows.

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
        batch_op.create_check_constraint(batch_op.f('ck_suggestion_known_origin'), "origin IN ('model', 'import', 'history', 'migration')")

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



def downgrade() -> None:
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

    # Last, as in the upgrade it is first.
    op.execute("UPDATE suggestion SET origin = 'import' WHERE origin = 'migration'")
    with op.batch_alter_table('suggestion', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_suggestion_known_origin'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_suggestion_known_origin'), "origin IN ('model', 'import', 'history')")
