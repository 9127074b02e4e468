"""Many machines, and endpoints that are known.

Revision ID: 0005
Revises: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_serving()
    _add_synthesis()
    _add_machines()


def downgrade() -> None:
    _drop_machines()
    _drop_synthesis()
    _drop_serving()


def _add_serving() -> None:
    with op.batch_alter_table('planner', schema=None) as batch_op:
        batch_op.add_column(sa.Column('key_env', sa.String(), nullable=True))

    op.create_table('deployment',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('planner_id', sa.String(), nullable=False),
    sa.Column('folder', sa.String(), nullable=False),
    sa.Column('machine', sa.String(), nullable=False),
    sa.Column('host', sa.String(), nullable=False),
    sa.Column('port', sa.Integer(), nullable=False),
    sa.Column('key_end', sa.String(), nullable=False),
    sa.Column('order', sa.JSON(), nullable=False),
    sa.Column('created_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_deployment_created_by')),
    sa.ForeignKeyConstraint(['planner_id'], ['planner.id'], name=op.f('fk_deployment_planner_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_deployment_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deployment'))
    )
    with op.batch_alter_table('deployment', schema=None) as batch_op:
        batch_op.create_index('ix_deployment_live', ['planner_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_deployment_project_id'), ['project_id'], unique=False)

    op.create_table('general_check',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('planner_id', sa.String(), nullable=False),
    sa.Column('benchmark', sa.String(), nullable=False),
    sa.Column('benchmark_hash', sa.String(), nullable=False),
    sa.Column('folder', sa.String(), nullable=False),
    sa.Column('machine', sa.String(), nullable=False),
    sa.Column('order', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('reason', sa.JSON(), nullable=True),
    sa.Column('created_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_general_check_created_by')),
    sa.ForeignKeyConstraint(['planner_id'], ['planner.id'], name=op.f('fk_general_check_planner_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_general_check_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_general_check'))
    )
    with op.batch_alter_table('general_check', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_general_check_planner_id'), ['planner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_general_check_project_id'), ['project_id'], unique=False)

    op.create_table('playground_reply',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('planner_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('history', sa.JSON(), nullable=False),
    sa.Column('list_version_id', sa.String(), nullable=False),
    sa.Column('prompt_version_id', sa.String(), nullable=False),
    sa.Column('terms', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('raw_reply', sa.LargeBinary(), nullable=True),
    sa.Column('reason', sa.JSON(), nullable=True),
    sa.Column('seconds', sa.Float(), nullable=True),
    sa.Column('query_id', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('asking', 'done', 'failed')", name=op.f('ck_playground_reply_known_state')),
    sa.ForeignKeyConstraint(['list_version_id'], ['list_version.id'], name=op.f('fk_playground_reply_list_version_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_playground_reply_person_id')),
    sa.ForeignKeyConstraint(['planner_id'], ['planner.id'], name=op.f('fk_playground_reply_planner_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_playground_reply_project_id')),
    sa.ForeignKeyConstraint(['prompt_version_id'], ['prompt_version.id'], name=op.f('fk_playground_reply_prompt_version_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_playground_reply_query_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_playground_reply'))
    )
    with op.batch_alter_table('playground_reply', schema=None) as batch_op:
        batch_op.create_index('ix_playground_reply_person', ['project_id', 'person_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_playground_reply_planner_id'), ['planner_id'], unique=False)


def _drop_serving() -> None:
    with op.batch_alter_table('playground_reply', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_playground_reply_planner_id'))
        batch_op.drop_index('ix_playground_reply_person')

    op.drop_table('playground_reply')
    with op.batch_alter_table('general_check', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_general_check_project_id'))
        batch_op.drop_index(batch_op.f('ix_general_check_planner_id'))

    op.drop_table('general_check')
    with op.batch_alter_table('deployment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_deployment_project_id'))
        batch_op.drop_index('ix_deployment_live', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.drop_table('deployment')
    with op.batch_alter_table('planner', schema=None) as batch_op:
        batch_op.drop_column('key_env')


def _add_synthesis() -> None:
    op.create_table('model_endpoint',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('key_env', sa.String(), nullable=True),
    sa.Column('weight', sa.Float(), nullable=False),
    sa.Column('stream', sa.Boolean(), nullable=False),
    sa.Column('requests_per_minute', sa.Integer(), nullable=True),
    sa.Column('tokens_per_minute', sa.Integer(), nullable=True),
    sa.Column('input_price', sa.Float(), nullable=True),
    sa.Column('output_price', sa.Float(), nullable=True),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('probe', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('added_by', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['added_by'], ['person.id'], name=op.f('fk_model_endpoint_added_by')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_model_endpoint_project_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_endpoint')),
    sa.UniqueConstraint('project_id', 'name', name=op.f('uq_model_endpoint_project_id_name'))
    )
    with op.batch_alter_table('synthesis_batch', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_synthesis_batch_known_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_synthesis_batch_known_state'), "state IN ('running', 'done', 'stopped', 'paused', 'cancelled')")
        batch_op.add_column(sa.Column('budget', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('currency', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('spent_money', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('spent_tokens', sa.BigInteger(), server_default='0', nullable=False))

    with op.batch_alter_table('synthesis_request', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_synthesis_request_known_kind'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_synthesis_request_known_kind'), "kind IN ('answer', 'trace', 'decode', 'repair', 'trial')")
        batch_op.add_column(sa.Column('cost', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('prompt_version_id', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('suggestion_id', sa.String(), nullable=True))

    op.execute(
        "UPDATE synthesis_batch SET spent_tokens = (SELECT COALESCE(SUM(input_tokens + output_tokens), 0)"
        " FROM synthesis_request WHERE synthesis_request.batch_id = synthesis_batch.id)"
    )
    op.create_table('repair_call',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('suggestion_id', sa.String(), nullable=False),
    sa.Column('request_key', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('endpoint', sa.String(), nullable=False),
    sa.Column('raw_reply', sa.LargeBinary(), nullable=False),
    sa.Column('plan', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('usage', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['synthesis_batch.id'], name=op.f('fk_repair_call_batch_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_repair_call_project_id')),
    sa.ForeignKeyConstraint(['suggestion_id'], ['suggestion.id'], name=op.f('fk_repair_call_suggestion_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_repair_call')),
    sa.UniqueConstraint('request_key', name=op.f('uq_repair_call_request_key'))
    )
    with op.batch_alter_table('repair_call', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_repair_call_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_repair_call_suggestion_id'), ['suggestion_id'], unique=False)

    op.create_table('trial_reply',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('batch_id', sa.String(), nullable=False),
    sa.Column('query_id', sa.String(), nullable=False),
    sa.Column('prompt_version_id', sa.String(), nullable=False),
    sa.Column('candidate', sa.Integer(), nullable=False),
    sa.Column('request_key', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('endpoint', sa.String(), nullable=False),
    sa.Column('raw_reply', sa.LargeBinary(), nullable=False),
    sa.Column('reply_shape', sa.String(), nullable=True),
    sa.Column('trace_length', sa.Integer(), nullable=False),
    sa.Column('plan', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('is_repaired', sa.Boolean(), nullable=False),
    sa.Column('cost', sa.Float(), nullable=False),
    sa.Column('tokens', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['synthesis_batch.id'], name=op.f('fk_trial_reply_batch_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_trial_reply_project_id')),
    sa.ForeignKeyConstraint(['prompt_version_id'], ['prompt_version.id'], name=op.f('fk_trial_reply_prompt_version_id')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_trial_reply_query_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trial_reply')),
    sa.UniqueConstraint('request_key', name=op.f('uq_trial_reply_request_key'))
    )
    with op.batch_alter_table('trial_reply', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_trial_reply_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_trial_reply_query_id'), ['query_id'], unique=False)


def _drop_synthesis() -> None:
    op.drop_table('trial_reply')
    op.drop_table('repair_call')
    # The older version would ask for these as for answers.
    op.execute("DELETE FROM synthesis_request WHERE kind IN ('repair', 'trial')")
    op.execute("UPDATE synthesis_batch SET state = 'cancelled' WHERE state = 'paused'")
    _forget_new_orders()
    with op.batch_alter_table('synthesis_request', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_synthesis_request_known_kind'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_synthesis_request_known_kind'), "kind IN ('answer', 'trace', 'decode')")
        batch_op.drop_column('suggestion_id')
        batch_op.drop_column('prompt_version_id')
        batch_op.drop_column('cost')

    with op.batch_alter_table('synthesis_batch', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_synthesis_batch_known_state'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_synthesis_batch_known_state'), "state IN ('running', 'done', 'stopped', 'cancelled')")
        batch_op.drop_column('spent_tokens')
        batch_op.drop_column('spent_money')
        batch_op.drop_column('currency')
        batch_op.drop_column('budget')

    op.drop_table('model_endpoint')


def _forget_new_orders() -> None:
    """The older version refuses orders with words that it does not know."""
    batch = sa.table('synthesis_batch', sa.column('id', sa.String()), sa.column('order', sa.JSON()))
    connection = op.get_bind()
    for batch_id, order in connection.execute(sa.select(batch.c.id, batch.c.order)).all():
        plain = json.loads(order) if isinstance(order, str) else order
        if 'trial' in plain:
            connection.execute(sa.delete(batch).where(batch.c.id == batch_id))
        elif plain.keys() & {'endpoints', 'repair', 'raise_cut_off'}:
            kept = {name: value for name, value in plain.items() if name not in ('endpoints', 'repair', 'raise_cut_off')}
            connection.execute(sa.update(batch).where(batch.c.id == batch_id).values(order=kept))


def _add_machines() -> None:
    op.create_table('node',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('machine', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('devices', sa.JSON(), nullable=False),
    sa.Column('cpu_runs', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_node'))
    )
    op.create_table('device_place',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('folder', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('machine', sa.String(), nullable=False),
    sa.Column('wanted', sa.Integer(), nullable=False),
    sa.Column('executor_id', sa.String(), nullable=False),
    sa.Column('devices', sa.JSON(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_device_place_project_id')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_device_place')),
    sa.UniqueConstraint('folder', name=op.f('uq_device_place_folder'))
    )
    with op.batch_alter_table('device_place', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_place_machine'), ['machine'], unique=False)

    op.create_table('gang',
    sa.Column('run_id', sa.String(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('master_address', sa.String(), nullable=True),
    sa.Column('master_port', sa.Integer(), nullable=True),
    sa.CheckConstraint("state IN ('gathering', 'started', 'ending', 'over')", name=op.f('ck_gang_known_state')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_gang_project_id')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_gang_run_id')),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_gang'))
    )
    op.create_table('gang_member',
    sa.Column('run_id', sa.String(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.String(), nullable=False),
    sa.Column('node', sa.String(), nullable=False),
    sa.Column('folder', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('reason_values', sa.JSON(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_gang_member_project_id')),
    sa.ForeignKeyConstraint(['run_id'], ['gang.run_id'], name=op.f('fk_gang_member_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'rank', name=op.f('pk_gang_member'))
    )
    with op.batch_alter_table('gang_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gang_member_node'), ['node'], unique=False)


def _drop_machines() -> None:
    with op.batch_alter_table('gang_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_gang_member_node'))

    op.drop_table('gang_member')
    op.drop_table('gang')
    with op.batch_alter_table('device_place', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_device_place_machine'))

    op.drop_table('device_place')
    op.drop_table('node')
