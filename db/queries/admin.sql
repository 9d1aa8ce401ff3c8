-- name: OwnTask :one
-- A task without its bodies. admin sees all, others their own: what is not theirs is not there.
select id, timestamp_created, state, prompt, coalesce(progress_percentage, 0)::float8 as progress_percentage, progress_message, user_id, parameters, account_id, origin, priority,
  attempt, crashes, generation, worker_id, claimed_at, lease_expires_at, finished_at, last_progress_at, steps_total, steps_completed,
  current_step, failed_step, failure_reason, error_message, recoverable, plan_title, coalesce(cost_usd, 0)::float8 as cost_usd, coalesce(tokens_in, 0)::bigint as tokens_in, coalesce(tokens_out, 0)::bigint as tokens_out,
  coalesce(stop_requested, false)::boolean as stopping, stop_requested_timestamp,
  (generated_report_html is not null)::boolean as has_report, coalesce(octet_length(generated_report_html), 0)::bigint as report_bytes,
  coalesce(octet_length(run_zip_snapshot), 0)::bigint as zip_bytes
from task_item where id = @id and (@admin::boolean or account_id = sqlc.narg(account_id)::uuid);

-- name: PartnerTask :one
-- Progress for the pages of a partner: only plans that came that way, and only while the switch is on.
select id, state, coalesce(progress_percentage, 0)::float8 as progress_percentage, progress_message, error_message, recoverable, (generated_report_html is not null)::boolean as has_report
from task_item where id = @id and origin = 'partner';

-- name: Unfinished :one
-- How much a person has under way, and has begun in the last hour.
select count(*) filter (where state in ('pending', 'processing'))::integer as unfinished,
  count(*) filter (where timestamp_created > now() at time zone 'utc' - interval '1 hour')::integer as fresh,
  -- Seconds until the oldest of those is an hour old.
  coalesce(extract(epoch from min(timestamp_created) filter (where timestamp_created > now() at time zone 'utc' - interval '1 hour')
    + interval '1 hour' - now() at time zone 'utc'), 0)::float8 as freed
from (
  select state, timestamp_created from task_item where account_id = @account_id order by timestamp_created desc nulls last, id desc limit 1000
) recent;

-- name: FreshOfUser :one
-- Ended or not, by the index of each.
select ((select count(*) from task_item e where (e.state in ('pending', 'processing')) is not true
    and e.user_id = @user_id and e.origin = 'partner' and e.timestamp_created > now() at time zone 'utc' - interval '1 hour')
  + (select count(*) from task_item l where l.state in ('pending', 'processing')
    and l.user_id = @user_id and l.origin = 'partner' and l.timestamp_created > now() at time zone 'utc' - interval '1 hour'))::integer as fresh;

-- name: PendingCount :one
-- Counted no further than the limit that it is compared with.
select count(*)::integer from (select 1 from task_item where state = 'pending' limit @most) waiting;

-- name: LastPlans :one
-- How long the last plans took and what they cost, for an estimate; zeros when there are none.
select coalesce(percentile_cont(0.5) within group (order by seconds), 0)::float8 as seconds, coalesce(percentile_cont(0.5) within group (order by cost), 0)::float8 as cost,
  count(*)::integer as plans
from (
  select extract(epoch from finished_at - claimed_at) as seconds, cost_usd as cost from task_item
  where finished_at is not null and state = 'completed' and claimed_at is not null order by finished_at desc limit 20
) last;

-- name: EndedToday :many
select state::text as state, count(*)::bigint as plans from task_item where finished_at > now() - interval '24 hours' group by state;

-- name: Days :many
-- Plans that ended and what they cost, per day of the last 30.
select to_char(day, 'YYYY-MM-DD')::text as day, completed, other, cost from (
  select finished_at::date as day, count(*) filter (where state = 'completed')::bigint as completed,
    count(*) filter (where state <> 'completed')::bigint as other, coalesce(sum(final_cost_usd), 0)::float8 as cost
  from task_item where finished_at > date_trunc('day', now()) - interval '29 days' group by 1
) days order by 1;

-- name: FailuresToday :many
select coalesce(failure_reason, 'unknown')::text as reason, count(*)::bigint as plans from task_item
where finished_at > now() - interval '24 hours' and state = 'failed' group by 1 order by 2 desc, 1;

-- name: WorkerList :many
-- All workers, with what the tasks say they hold. age is by the clock of the database.
select w.id, w.started_at, w.last_heartbeat_at, w.current_task_id, w.hostname, w.pid, w.version, w.status, w.status_reason, w.concurrency,
  coalesce(t.running, 0)::bigint as holds, extract(epoch from (now() at time zone 'utc') - w.last_heartbeat_at)::float8 as age
from workers w left join (select worker_id, count(*) as running from task_item where state = 'processing' group by worker_id) t on t.worker_id = w.id
order by w.last_heartbeat_at desc, w.id;

-- name: WorkerTasks :many
select id from task_item where state = 'processing' and worker_id = @worker_id order by id;

-- name: DeleteWorker :execrows
-- Only one that has been silent long enough to be lost.
delete from workers w where w.id = @id and w.last_heartbeat_at < now() at time zone 'utc' - make_interval(secs => @silent_seconds::float8)
  and not exists (select from task_item t where t.state = 'processing' and t.worker_id = w.id);

-- name: TaskOutbox :many
select id, attempt, kind, target, state, tries, next_try_at, last_status, last_error, created_at, sent_at from outbox where task_id = @task_id order by id;

-- name: OutboxCounts :many
select state, count(*)::bigint as calls from outbox where state in ('unknown', 'given_up') group by state;

-- name: UseNonce :one
-- True when nobody has used it before. A second use is counted.
insert into nonces as n (nonce_key, created_at, last_accessed_at, request_count, context)
values (@nonce_key, now() at time zone 'utc', now() at time zone 'utc', 1, @context)
on conflict (nonce_key) do update set request_count = n.request_count + 1, last_accessed_at = now() at time zone 'utc'
returning (n.request_count = 1)::boolean as fresh;

-- name: NonceUsed :one
select exists (select from nonces where nonce_key = @nonce_key) as used;

-- name: AssignTask :execrows
-- A plan without an owner gets one.
update task_item set account_id = @account_id where id = @id and account_id is null;

-- name: LockUser :one
-- Taken before the limits of a person are looked at, so that two forms sent at once count each other.
select id from app_user where id = @id and disabled_at is null for update;

-- name: NonceContext :one
select context from nonces where nonce_key = @nonce_key;

-- name: SetNonceContext :exec
update nonces set context = @context where nonce_key = @nonce_key;

-- name: LiveWorkers :one
select count(*)::integer from workers where last_heartbeat_at > now() at time zone 'utc' - interval '45 seconds' and status in ('running', 'draining');

-- name: UserRows :many
-- The people of one page, with what they have made. The caller found the ids.
select u.id, u.login, u.display_name, u.role, u.managed_by_env, u.created_at, u.last_sign_in_at, u.disabled_at, (u.password_hash <> '')::boolean as can_sign_in,
  coalesce(t.plans, 0)::bigint as plans, coalesce(t.running, 0)::bigint as running, coalesce(t.cost, 0)::float8 as cost
from app_user u
left join lateral (
  select count(*) as plans, count(*) filter (where state = 'processing') as running, sum(cost_usd) as cost from task_item where account_id = u.id
) t on true
where u.id = any(@ids::uuid[]);
