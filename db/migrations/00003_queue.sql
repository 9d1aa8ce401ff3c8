-- What makes the table of tasks a queue: owner, lease, fence, fair order, and per task the files
-- and the log of its run. All of it is nullable or has a default, so that a program that knows the
-- old columns only can still insert.

-- +goose Up
create table app_user (
  id uuid primary key default gen_random_uuid(),
  login varchar(128) not null,
  display_name varchar(256) not null default '',
  password_hash text not null default '', -- '' signs nobody in
  role varchar(16) not null default 'user' check (role in ('user', 'admin')),
  managed_by_env boolean not null default false,
  must_change_password boolean not null default false,
  created_at timestamptz not null default now(),
  last_sign_in_at timestamptz,
  disabled_at timestamptz
);
create unique index app_user_login_idx on app_user (lower(login));

alter table task_item
  alter column id set default gen_random_uuid(),
  alter column timestamp_created set default (now() at time zone 'utc'),
  alter column state set default 'pending',
  alter column progress_percentage set default 0,
  alter column last_seen_timestamp set default (now() at time zone 'utc'),
  alter column run_zip_snapshot set storage external,
  add column if not exists stop_requested boolean default false,
  add column if not exists stop_requested_timestamp timestamp,
  add column account_id uuid references app_user on delete set null,
  add column origin varchar(16),
  add column priority smallint not null default 0,
  add column fair_tag bigint not null default 0,
  add column attempt integer not null default 0,
  add column crashes integer not null default 0,
  add column setup_failures integer not null default 0,
  add column generation integer not null default 0,
  add column worker_id varchar(255),
  add column claimed_at timestamptz,
  add column lease_expires_at timestamptz,
  add column not_before timestamptz,
  add column finished_at timestamptz,
  add column last_progress_at timestamptz,
  add column steps_total integer,
  add column steps_completed integer,
  add column current_step varchar(128),
  add column failed_step varchar(128),
  add column failure_reason varchar(32),
  add column error_message text,
  add column recoverable boolean,
  add column plan_title varchar(256),
  add column cost_usd numeric(12, 6),
  add column tokens_in bigint,
  add column tokens_out bigint,
  add column final_percentage numeric(5, 2),
  add column final_cost_usd numeric(12, 6),
  set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Progress is written all the time, so no index may hold what it changes: then Postgres makes the new version of
-- the row in the same page, where the fillfactor leaves room for it, and touches no index (HOT). Lists sort and sum
-- what the two final columns keep of a task that has ended. A claim has to step over what earlier claims left at
-- the head of the queue's index, hence the early vacuum.
-- +goose StatementBegin
create function task_item_final() returns trigger language plpgsql as $$
begin
  new.final_percentage := new.progress_percentage;
  new.final_cost_usd := new.cost_usd;
  return new;
end $$;
-- +goose StatementEnd
create trigger task_item_final before insert or update of state, progress_percentage, cost_usd on task_item
  for each row when ((new.state in ('pending', 'processing')) is not true) execute function task_item_final();
update task_item set final_percentage = progress_percentage where (state in ('pending', 'processing')) is not true;

-- The states are literals: a prepared statement cannot use a partial index through a parameter.
create index task_item_claim_idx on task_item (priority desc, fair_tag, timestamp_created, id) where state = 'pending';
create index task_item_user_queue_idx on task_item (user_id, fair_tag desc) where state = 'pending';
-- The end of the lease is in no index, so that renewals stay cheap (HOT) updates.
create index task_item_processing_idx on task_item (worker_id) where state = 'processing';
-- A claim changes the state, and with it every index that holds the row. So tasks that have ended have their own
-- indexes, however many there are, and tasks that have not are in few.
create index task_item_live_idx on task_item (timestamp_created desc nulls last, id desc) where state in ('pending', 'processing');
create index task_item_account_created_idx on task_item (account_id, timestamp_created desc nulls last, id desc);
create index task_item_created_idx on task_item (timestamp_created desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_state_created_idx on task_item (state, timestamp_created desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_user_created_idx on task_item (user_id varchar_pattern_ops, timestamp_created desc nulls last, id desc)
  where (state in ('pending', 'processing')) is not true;
create index task_item_prompt_fts_idx on task_item using gin (to_tsvector('simple', left(prompt, 4000))) where (state in ('pending', 'processing')) is not true;

-- One row per finished file of the run directory.
create table task_artifact (
  task_id uuid not null references task_item on delete cascade,
  name varchar(255) not null,
  size bigint not null, -- of the content, before encoding
  sha256 bytea not null, -- of the content
  encoding varchar(16) not null check (encoding in ('identity', 'gzip')),
  body bytea not null,
  updated_at timestamptz not null default now(),
  primary key (task_id, name)
);
alter table task_artifact alter column body set storage external;

-- The event log of the run, in pieces as they were written: whole JSON lines, compressed.
create table task_log (
  task_id uuid not null references task_item on delete cascade,
  first_seq bigint not null,
  last_seq bigint not null check (last_seq >= first_seq),
  encoding varchar(16) not null check (encoding in ('identity', 'gzip')),
  body bytea not null,
  created_at timestamptz not null default now(),
  primary key (task_id, first_seq)
);
alter table task_log alter column body set storage external;

-- Calls to other programs that the end of a task asks for.
create table outbox (
  id bigint generated always as identity primary key,
  task_id uuid not null references task_item on delete cascade,
  attempt integer not null,
  kind varchar(32) not null check (kind in ('confirm_ok', 'confirm_error')),
  target text not null,
  state varchar(16) not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'unknown', 'given_up')),
  tries integer not null default 0,
  next_try_at timestamptz not null default now(),
  last_status integer,
  last_error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  unique (task_id, attempt, kind)
);
create index outbox_due_idx on outbox (next_try_at) where state = 'waiting';

alter table events
  alter column timestamp set default (now() at time zone 'utc'),
  add column task_id uuid,
  add column actor varchar(256);
update events set task_id = (context ->> 'task_id')::uuid
where case when json_typeof(context) = 'object'
  then context ->> 'task_id' ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' else false end;
create index events_time_idx on events (timestamp desc, id desc);
create index events_task_idx on events (task_id, id) where task_id is not null;
create index events_type_time_idx on events (event_type, timestamp desc, id desc);

alter table workers
  add column instance uuid,
  add column hostname varchar(255),
  add column pid integer,
  add column version varchar(128),
  add column status varchar(16) not null default 'running' check (status in ('running', 'blocked', 'draining', 'stopped')),
  add column status_reason text,
  add column concurrency integer,
  add column running integer;

-- Wakes workers for rows of any program. Equal notifications of a transaction become one.
-- +goose StatementBegin
create function task_item_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('planexe_task', '');
  return null;
end $$;
-- +goose StatementEnd
create trigger task_item_inserted after insert on task_item for each row when (new.state = 'pending') execute function task_item_notify();
create trigger task_item_pending after update of state on task_item for each row when (new.state = 'pending') execute function task_item_notify();

-- +goose Down
drop trigger task_item_pending on task_item;
drop trigger task_item_inserted on task_item;
drop function task_item_notify;
drop trigger task_item_final on task_item;
drop function task_item_final;
update events set event_type = 'TASK_FAILED' where event_type = 'TASK_STOPPED';
update task_item set state = 'failed' where state = 'stopped';
alter table workers drop column instance, drop column hostname, drop column pid, drop column version, drop column status,
  drop column status_reason, drop column concurrency, drop column running;
drop index events_type_time_idx;
drop index events_task_idx;
drop index events_time_idx;
alter table events drop column task_id, drop column actor;
drop table outbox;
drop table task_log;
drop table task_artifact;
drop index task_item_prompt_fts_idx, task_item_user_created_idx, task_item_state_created_idx, task_item_created_idx, task_item_live_idx;
alter table task_item
  reset (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor),
  drop column account_id, drop column origin, drop column priority, drop column fair_tag, drop column attempt, drop column crashes,
  drop column setup_failures, drop column generation, drop column worker_id, drop column claimed_at, drop column lease_expires_at,
  drop column not_before, drop column finished_at, drop column last_progress_at, drop column steps_total, drop column steps_completed,
  drop column current_step, drop column failed_step, drop column failure_reason, drop column error_message, drop column recoverable,
  drop column plan_title, drop column cost_usd, drop column tokens_in, drop column tokens_out, drop column final_percentage, drop column final_cost_usd;
drop index if exists task_item_claim_idx, task_item_user_queue_idx, task_item_processing_idx, task_item_account_created_idx;
drop table app_user;
