"""Trusted work: gold items, pauses, lots, comments, named batches, priorities.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lot',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('level', sa.String(), nullable=False),
    sa.Column('tolerated_rate', sa.Float(), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('sample_size', sa.Integer(), nullable=True),
    sa.Column('acceptance_number', sa.Integer(), nullable=True),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("level IN ('normal', 'tightened', 'relaxed')", name=op.f('ck_lot_known_level')),
    sa.CheckConstraint("state IN ('open', 'inspecting', 'passed', 'failed')", name=op.f('ck_lot_known_state')),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_lot_author_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_lot_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lot')),
    sa.UniqueConstraint('project_id', 'author_id', 'number', name=op.f('uq_lot_project_id_author_id_number'))
    )
    with op.batch_alter_table('lot', schema=None) as batch_op:
        batch_op.create_index('ix_lot_state', ['project_id', 'state', 'id'], unique=False)

    op.create_table('work_batch',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('created_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_work_batch_created_by')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_work_batch_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_work_batch')),
    sa.UniqueConstraint('project_id', 'name', name=op.f('uq_work_batch_project_id_name'))
    )
    op.create_table('work_pause',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('reason_code', sa.String(), nullable=False),
    sa.Column('why', sa.JSON(), nullable=False),
    sa.Column('paused_by', sa.String(), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lifted_by', sa.String(), nullable=True),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['lifted_by'], ['person.id'], name=op.f('fk_work_pause_lifted_by')),
    sa.ForeignKeyConstraint(['paused_by'], ['person.id'], name=op.f('fk_work_pause_paused_by')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_work_pause_person_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_work_pause_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_work_pause'))
    )
    with op.batch_alter_table('work_pause', schema=None) as batch_op:
        batch_op.create_index('ix_work_pause_person', ['project_id', 'person_id', 'lifted_at'], unique=False)

    op.create_table('work_batch_person',
    sa.Column('work_batch_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_work_batch_person_person_id')),
    sa.ForeignKeyConstraint(['work_batch_id'], ['work_batch.id'], name=op.f('fk_work_batch_person_work_batch_id')),
    sa.PrimaryKeyConstraint('work_batch_id', 'person_id', name=op.f('pk_work_batch_person'))
    )
    op.create_table('gold_item',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=False),
    sa.Column('plan', sa.JSON(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_gold_item_created_by')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_gold_item_project_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_gold_item_query_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gold_item')),
    sa.UniqueConstraint('query_id', name=op.f('uq_gold_item_query_id'))
    )
    with op.batch_alter_table('gold_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gold_item_project_id'), ['project_id'], unique=False)

    op.create_table('comment',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=False),
    sa.Column('annotation_id', sa.String(), nullable=True),
    sa.Column('reply_to_id', sa.String(), nullable=True),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('anchor', sa.JSON(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resolved_by', sa.String(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['annotation_id'], ['annotation.id'], name=op.f('fk_comment_annotation_id')),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_comment_author_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_comment_project_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_comment_query_id')),
    sa.ForeignKeyConstraint(['reply_to_id'], ['comment.id'], name=op.f('fk_comment_reply_to_id')),
    sa.ForeignKeyConstraint(['resolved_by'], ['person.id'], name=op.f('fk_comment_resolved_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comment'))
    )
    with op.batch_alter_table('comment', schema=None) as batch_op:
        batch_op.create_index('ix_comment_query', ['project_id', 'query_id', 'id'], unique=False)
        batch_op.create_index('ix_comment_open', ['project_id', 'annotation_id'], unique=False, sqlite_where=sa.text('reply_to_id IS NULL AND resolved_at IS NULL'), postgresql_where=sa.text('reply_to_id IS NULL AND resolved_at IS NULL'))

    op.create_table('gold_answer',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('gold_item_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('annotation_id', sa.String(), nullable=False),
    sa.Column('revision_id', sa.String(), nullable=False),
    sa.Column('is_right', sa.Boolean(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['annotation_id'], ['annotation.id'], name=op.f('fk_gold_answer_annotation_id')),
    sa.ForeignKeyConstraint(['gold_item_id'], ['gold_item.id'], name=op.f('fk_gold_answer_gold_item_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_gold_answer_person_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_gold_answer_project_id')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_gold_answer_revision_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gold_answer')),
    sa.UniqueConstraint('gold_item_id', 'person_id', name=op.f('uq_gold_answer_gold_item_id_person_id'))
    )
    with op.batch_alter_table('gold_answer', schema=None) as batch_op:
        batch_op.create_index('ix_gold_answer_person', ['project_id', 'person_id', 'answered_at'], unique=False)

    op.create_table('lot_item',
    sa.Column('lot_id', sa.String(), nullable=False),
    sa.Column('annotation_id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('revision_id', sa.String(), nullable=False),
    sa.Column('is_sampled', sa.Boolean(), nullable=False),
    sa.Column('verdict', sa.String(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("verdict IS NULL OR verdict IN ('accepted', 'fixed', 'returned', 'discarded')", name=op.f('ck_lot_item_known_verdict')),
    sa.ForeignKeyConstraint(['annotation_id'], ['annotation.id'], name=op.f('fk_lot_item_annotation_id')),
    sa.ForeignKeyConstraint(['lot_id'], ['lot.id'], name=op.f('fk_lot_item_lot_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_lot_item_project_id')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_lot_item_revision_id')),
    sa.PrimaryKeyConstraint('lot_id', 'annotation_id', name=op.f('pk_lot_item'))
    )
    with op.batch_alter_table('lot_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lot_item_annotation_id'), ['annotation_id'], unique=False)

    op.create_table('review_batch',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('reviewer_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('narrowed', sa.JSON(), nullable=False),
    sa.Column('tolerated_rate', sa.Float(), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('sample_size', sa.Integer(), nullable=False),
    sa.Column('acceptance_number', sa.Integer(), nullable=False),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open', 'accepted', 'dropped')", name=op.f('ck_review_batch_known_state')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_review_batch_project_id')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['person.id'], name=op.f('fk_review_batch_reviewer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_batch'))
    )
    with op.batch_alter_table('review_batch', schema=None) as batch_op:
        batch_op.create_index('uq_review_batch_open', ['project_id', 'reviewer_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('review_batch_item',
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('annotation_id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('revision_id', sa.String(), nullable=False),
    sa.Column('is_sampled', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['annotation_id'], ['annotation.id'], name=op.f('fk_review_batch_item_annotation_id')),
    sa.ForeignKeyConstraint(['batch_id'], ['review_batch.id'], name=op.f('fk_review_batch_item_batch_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_review_batch_item_project_id')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_review_batch_item_revision_id')),
    sa.PrimaryKeyConstraint('batch_id', 'annotation_id', name=op.f('pk_review_batch_item'))
    )
    with op.batch_alter_table('query', schema=None) as batch_op:
        batch_op.add_column(sa.Column('priority', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('disagreement', sa.Float(), nullable=True))

    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.add_column(sa.Column('span', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('mode', sa.String(), server_default='single', nullable=False))
        batch_op.add_column(sa.Column('lot_id', sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_review_lot_id'), 'lot', ['lot_id'], ['id'])
        batch_op.create_check_constraint(batch_op.f('ck_review_known_mode'), "mode IN ('single', 'batch', 'lot')")

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.add_column(sa.Column('work_batch_id', sa.String(), nullable=True))
        batch_op.create_index('ix_task_work_batch', ['work_batch_id', 'status'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_task_work_batch_id'), 'work_batch', ['work_batch_id'], ['id'])

    # Flagged reviews stand before all others still, now that ranks say more.
    op.execute("UPDATE task SET rank = -1000000000 WHERE kind = 'review' AND rank = -1000000")


def downgrade() -> None:
    op.execute("UPDATE task SET rank = -1000000 WHERE kind = 'review' AND rank <= -500000000")
    op.execute("UPDATE task SET rank = 0 WHERE rank > -500000000 AND rank NOT IN (0, -1000000)")

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_task_work_batch_id'), type_='foreignkey')
        batch_op.drop_index('ix_task_work_batch')
        batch_op.drop_column('work_batch_id')

    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_review_known_mode'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_review_lot_id'), type_='foreignkey')
        batch_op.drop_column('lot_id')
        batch_op.drop_column('mode')
        batch_op.drop_column('span')

    with op.batch_alter_table('query', schema=None) as batch_op:
        batch_op.drop_column('disagreement')
        batch_op.drop_column('priority')

    op.drop_table('review_batch_item')
    with op.batch_alter_table('review_batch', schema=None) as batch_op:
        batch_op.drop_index('uq_review_batch_open')

    op.drop_table('review_batch')
    with op.batch_alter_table('lot_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lot_item_annotation_id'))

    op.drop_table('lot_item')
    with op.batch_alter_table('gold_answer', schema=None) as batch_op:
        batch_op.drop_index('ix_gold_answer_person')

    op.drop_table('gold_answer')
    with op.batch_alter_table('comment', schema=None) as batch_op:
        batch_op.drop_index('ix_comment_open')
        batch_op.drop_index('ix_comment_query')

    op.drop_table('comment')
    with op.batch_alter_table('gold_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_gold_item_project_id'))

    op.drop_table('gold_item')
    op.drop_table('work_batch_person')
    with op.batch_alter_table('work_pause', schema=None) as batch_op:
        batch_op.drop_index('ix_work_pause_person')

    op.drop_table('work_pause')
    op.drop_table('work_batch')
    with op.batch_alter_table('lot', schema=None) as batch_op:
        batch_op.drop_index('ix_lot_state')

    op.drop_table('lot')