-- The four tables that PlanExe has always had. On an empty database they are made; on one that
-- another program made they are taken over as they are: nothing is renamed, retyped or deleted.

-- +goose Up
-- +goose StatementBegin
do $$ begin
  create type taskstate as enum ('pending', 'processing', 'completed', 'failed');
exception when duplicate_object then null;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
do $$ begin
  create type eventtype as enum ('GENERIC_ERROR', 'GENERIC_EVENT', 'TASK_PENDING', 'TASK_PROCESSING', 'TASK_FAILED', 'TASK_COMPLETED');
exception when duplicate_object then null;
end $$;
-- +goose StatementEnd

-- A column of another type would be misread silently: better no service than a wrong one.
-- +goose StatementBegin
do $$
declare wrong record;
begin
  select t.tab, t.col, t.typ as want, format_type(a.atttypid, a.atttypmod) as have into wrong
  from (values
    ('task_item', 'id', 'uuid'), ('task_item', 'timestamp_created', 'timestamp without time zone'), ('task_item', 'state', 'taskstate'),
    ('task_item', 'prompt', 'text'), ('task_item', 'progress_percentage', 'numeric(5,2)'), ('task_item', 'progress_message', 'character varying(128)'),
    ('task_item', 'last_seen_timestamp', 'timestamp without time zone'), ('task_item', 'user_id', 'character varying(256)'),
    ('task_item', 'parameters', 'json'), ('task_item', 'generated_report_html', 'text'), ('task_item', 'run_zip_snapshot', 'bytea'),
    ('task_item', 'stop_requested', 'boolean'), ('task_item', 'stop_requested_timestamp', 'timestamp without time zone'),
    ('task_item', 'account_id', 'uuid'), ('task_item', 'origin', 'character varying(16)'), ('task_item', 'priority', 'smallint'),
    ('task_item', 'fair_tag', 'bigint'), ('task_item', 'attempt', 'integer'), ('task_item', 'crashes', 'integer'),
    ('task_item', 'setup_failures', 'integer'), ('task_item', 'generation', 'integer'), ('task_item', 'worker_id', 'character varying(255)'),
    ('events', 'id', 'integer'), ('events', 'timestamp', 'timestamp without time zone'), ('events', 'event_type', 'eventtype'),
    ('events', 'message', 'text'), ('events', 'context', 'json'), ('events', 'task_id', 'uuid'), ('events', 'actor', 'character varying(256)'),
    ('workers', 'id', 'character varying(255)'), ('workers', 'started_at', 'timestamp without time zone'),
    ('workers', 'last_heartbeat_at', 'timestamp without time zone'), ('workers', 'current_task_id', 'character varying(255)'),
    ('nonces', 'id', 'integer'), ('nonces', 'nonce_key', 'character varying(255)'), ('nonces', 'created_at', 'timestamp without time zone'),
    ('nonces', 'last_accessed_at', 'timestamp without time zone'), ('nonces', 'request_count', 'integer'), ('nonces', 'context', 'json')
  ) t (tab, col, typ)
  join pg_class c on c.relname = t.tab and c.relkind in ('r', 'p') and pg_table_is_visible(c.oid)
  join pg_attribute a on a.attrelid = c.oid and a.attname = t.col and not a.attisdropped
  where format_type(a.atttypid, a.atttypmod) <> t.typ
  limit 1;
  if found then
    raise exception 'column %.% has the type % where % is needed: this database was changed by another program; correct the column or use another database',
      wrong.tab, wrong.col, wrong.have, wrong.want;
  end if;
end $$;
-- +goose StatementEnd

create table if not exists task_item (
  id uuid not null constraint task_item_pkey primary key,
  timestamp_created timestamp,
  state taskstate,
  prompt text,
  progress_percentage numeric(5, 2),
  progress_message varchar(128),
  last_seen_timestamp timestamp,
  user_id varchar(256),
  parameters json,
  generated_report_html text,
  run_zip_snapshot bytea
);
alter table task_item add column if not exists generated_report_html text;
alter table task_item add column if not exists run_zip_snapshot bytea;

create table if not exists events (
  id serial constraint events_pkey primary key,
  timestamp timestamp not null,
  event_type eventtype not null,
  message text not null,
  context json
);
create index if not exists ix_events_timestamp on events (timestamp);
create index if not exists ix_events_event_type on events (event_type);

create table if not exists workers (
  id varchar(255) not null constraint workers_pkey primary key,
  started_at timestamp not null,
  last_heartbeat_at timestamp not null,
  current_task_id varchar(255)
);
create index if not exists ix_workers_last_heartbeat_at on workers (last_heartbeat_at);
create index if not exists ix_workers_current_task_id on workers (current_task_id);

create table if not exists nonces (
  id serial constraint nonces_pkey primary key,
  nonce_key varchar(255) not null,
  created_at timestamp not null,
  last_accessed_at timestamp not null,
  request_count integer not null,
  context json
);
create unique index if not exists ix_nonces_nonce_key on nonces (nonce_key);
create index if not exists ix_nonces_created_at on nonces (created_at);
create index if not exists ix_nonces_last_accessed_at on nonces (last_accessed_at);

-- +goose Down
-- The tables stay: they may be older than the migrations, and they hold what people made.
select 1;
