-- Made by go test ./db -update from the migrations; read by sqlc. Indexes and triggers are left out.

create type eventtype as enum ('GENERIC_ERROR', 'GENERIC_EVENT', 'TASK_PENDING', 'TASK_PROCESSING', 'TASK_FAILED', 'TASK_COMPLETED', 'TASK_STOPPED');

create type taskstate as enum ('pending', 'processing', 'completed', 'failed', 'stopped');

create table app_link (
  id bytea not null,
  user_id uuid not null,
  ends_at timestamp with time zone not null
);

create table app_secret (
  name character varying(64) not null,
  value bytea not null
);

create table app_session (
  id bytea not null,
  user_id uuid not null,
  created_at timestamp with time zone not null default now(),
  last_used_at timestamp with time zone not null default now(),
  idle_seconds integer not null,
  ends_at timestamp with time zone not null,
  user_agent character varying(200) not null default ''::character varying
);

create table app_throttle (
  key character varying(400) not null,
  count integer not null default 0,
  since timestamp with time zone not null default now(),
  blocked_until timestamp with time zone
);

create table app_user (
  id uuid not null default gen_random_uuid(),
  login character varying(128) not null,
  display_name character varying(256) not null default ''::character varying,
  password_hash text not null default ''::text,
  role character varying(16) not null default 'user'::character varying,
  managed_by_env boolean not null default false,
  must_change_password boolean not null default false,
  created_at timestamp with time zone not null default now(),
  last_sign_in_at timestamp with time zone,
  disabled_at timestamp with time zone
);

create table events (
  id integer not null default nextval('events_id_seq'::regclass),
  timestamp timestamp without time zone not null default (now() AT TIME ZONE 'utc'::text),
  event_type eventtype not null,
  message text not null,
  context json,
  task_id uuid,
  actor character varying(256)
);

create table nonces (
  id integer not null default nextval('nonces_id_seq'::regclass),
  nonce_key character varying(255) not null,
  created_at timestamp without time zone not null,
  last_accessed_at timestamp without time zone not null,
  request_count integer not null,
  context json
);

create table outbox (
  id bigint not null default 0,
  task_id uuid not null,
  attempt integer not null,
  kind character varying(32) not null,
  target text not null,
  state character varying(16) not null default 'waiting'::character varying,
  tries integer not null default 0,
  next_try_at timestamp with time zone not null default now(),
  last_status integer,
  last_error text,
  created_at timestamp with time zone not null default now(),
  sent_at timestamp with time zone
);

create table task_artifact (
  task_id uuid not null,
  name character varying(255) not null,
  size bigint not null,
  sha256 bytea not null,
  encoding character varying(16) not null,
  body bytea not null,
  updated_at timestamp with time zone not null default now()
);

create table task_item (
  id uuid not null default gen_random_uuid(),
  timestamp_created timestamp without time zone default (now() AT TIME ZONE 'utc'::text),
  state taskstate default 'pending'::taskstate,
  prompt text,
  progress_percentage numeric(5,2) default 0,
  progress_message character varying(128),
  last_seen_timestamp timestamp without time zone default (now() AT TIME ZONE 'utc'::text),
  user_id character varying(256),
  parameters json,
  generated_report_html text,
  run_zip_snapshot bytea,
  stop_requested boolean default false,
  stop_requested_timestamp timestamp without time zone,
  account_id uuid,
  origin character varying(16),
  priority smallint not null default 0,
  fair_tag bigint not null default 0,
  attempt integer not null default 0,
  crashes integer not null default 0,
  setup_failures integer not null default 0,
  generation integer not null default 0,
  worker_id character varying(255),
  claimed_at timestamp with time zone,
  lease_expires_at timestamp with time zone,
  not_before timestamp with time zone,
  finished_at timestamp with time zone,
  last_progress_at timestamp with time zone,
  steps_total integer,
  steps_completed integer,
  current_step character varying(128),
  failed_step character varying(128),
  failure_reason character varying(32),
  error_message text,
  recoverable boolean,
  plan_title character varying(256),
  cost_usd numeric(12,6),
  tokens_in bigint,
  tokens_out bigint,
  final_percentage numeric(5,2),
  final_cost_usd numeric(12,6)
);

create table task_log (
  task_id uuid not null,
  first_seq bigint not null,
  last_seq bigint not null,
  encoding character varying(16) not null,
  body bytea not null,
  created_at timestamp with time zone not null default now()
);

create table workers (
  id character varying(255) not null,
  started_at timestamp without time zone not null,
  last_heartbeat_at timestamp without time zone not null,
  current_task_id character varying(255),
  instance uuid,
  hostname character varying(255),
  pid integer,
  version character varying(128),
  status character varying(16) not null default 'running'::character varying,
  status_reason text,
  concurrency integer,
  running integer
);
