-- What people who sign in need beside app_user, and the indexes of the lists on the admin pages.

-- +goose Up
create index app_user_created_idx on app_user (created_at desc, id desc);

-- What a browser holds is a random value; here is only its SHA-256, so that a copy of the table opens nothing.
create table app_session (
  id bytea primary key,
  user_id uuid not null references app_user on delete cascade,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  idle_seconds integer not null,
  ends_at timestamptz not null,
  user_agent varchar(200) not null default ''
);
create index app_session_user_idx on app_session (user_id);
create index app_session_ends_idx on app_session (ends_at);

-- One-time links by which somebody sets a password. Kept as hashes for the same reason.
create table app_link (
  id bytea primary key,
  user_id uuid not null references app_user on delete cascade,
  ends_at timestamptz not null
);
create index app_link_user_idx on app_link (user_id);

-- Secrets that the services share and nobody configures.
create table app_secret (
  name varchar(64) primary key,
  value bytea not null
);

-- Tries by what is guarded, such as a login with an address. All frontends count here.
create table app_throttle (
  key varchar(400) primary key,
  count integer not null default 0,
  since timestamptz not null default now(),
  blocked_until timestamptz
);
create index app_throttle_since_idx on app_throttle (since);

-- The list of tasks: those that have ended and those that have not, each by its own indexes. Every sort and filter has
-- one that gives the order too; the few that have not ended are sorted.
create index task_item_reason_created_idx on task_item (failure_reason, timestamp_created desc nulls last, id desc) where (state in ('pending', 'processing')) is not true and failure_reason is not null;
create index task_item_origin_created_idx on task_item (origin, timestamp_created desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_percentage_idx on task_item (final_percentage desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_state_id_idx on task_item (state desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_user_id_idx on task_item (user_id desc nulls last, id desc) where (state in ('pending', 'processing')) is not true;
create index task_item_finished_idx on task_item (finished_at) include (state, final_cost_usd) where finished_at is not null;
create view task_ended as
select id, timestamp_created, state, prompt, final_percentage as progress_percentage, progress_message, user_id, parameters, account_id, origin,
  attempt, generation, worker_id, claimed_at, finished_at, failure_reason, error_message, recoverable, plan_title, cost_usd, tokens_in, tokens_out,
  stop_requested, generated_report_html, run_zip_snapshot
from task_item where (state in ('pending', 'processing')) is not true;
create view task_live as
select id, timestamp_created, state, prompt, progress_percentage, progress_message, user_id, parameters, account_id, origin,
  attempt, generation, worker_id, claimed_at, finished_at, failure_reason, error_message, recoverable, plan_title, cost_usd, tokens_in, tokens_out,
  stop_requested, generated_report_html, run_zip_snapshot
from task_item where state in ('pending', 'processing');
create index events_actor_idx on events (actor, id desc) where actor is not null;
create index nonces_count_idx on nonces (request_count desc, id desc);
create index nonces_key_prefix_idx on nonces (nonce_key text_pattern_ops);

-- +goose Down
drop view task_ended, task_live;
drop index task_item_state_id_idx, task_item_user_id_idx, nonces_key_prefix_idx, nonces_count_idx, events_actor_idx, task_item_finished_idx, task_item_percentage_idx,
  task_item_origin_created_idx, task_item_reason_created_idx;
drop table app_throttle, app_secret, app_link, app_session;
drop index app_user_created_idx;
