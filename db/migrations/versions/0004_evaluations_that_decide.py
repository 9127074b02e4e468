"""Evaluations that decide: how a planner is asked, and which request an answer answers; near-clusters.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('evaluation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('terms', sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table('evaluation_answer', schema=None) as batch_op:
        batch_op.add_column(sa.Column('request_key', sa.String(), nullable=True))
        batch_op.create_index('ix_evaluation_answer_request', ['project_id', 'request_key'], unique=False)

    op.create_table('near_cluster',
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('cluster', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('is_bridge', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_near_cluster_project_id')),
    sa.PrimaryKeyConstraint('project_id', 'cluster', name=op.f('pk_near_cluster'))
    )


def downgrade() -> None:
    op.drop_table('near_cluster')
    with op.batch_alter_table('evaluation_answer', schema=None) as batch_op:
        batch_op.drop_index('ix_evaluation_answer_request')
        batch_op.drop_column('request_key')

    with op.batch_alter_table('evaluation', schema=None) as batch_op:
        batch_op.drop_column('terms')
