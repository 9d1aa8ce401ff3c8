-- Tasks as a queue. States are literals (a prepared statement cannot use a partial index through a
-- parameter), no query selects bodies beside other columns, and only the clock of the database counts.

-- name: InsertTask :one
-- A new pending task at its place in the fair order: behind the other tasks of this user, beside the
-- oldest of everybody else.
insert into task_item (id, timestamp_created, state, prompt, progress_percentage, progress_message, last_seen_timestamp, user_id, parameters, account_id, origin, priority, fair_tag)
values (
  @id, now() at time zone 'utc', 'pending', @prompt::text, 0, @progress_message::text, now() at time zone 'utc',
  sqlc.narg(user_id)::text, sqlc.narg(parameters), sqlc.narg(account_id), @origin::text, @priority::smallint,
  greatest(
    (select min(p.fair_tag) from task_item p where p.state = 'pending' and p.priority = @priority::smallint),
    (select max(u.fair_tag) + 1 from task_item u where u.state = 'pending' and u.user_id = sqlc.narg(user_id)::text),
    0
  )
)
returning id, timestamp_created, fair_tag;

-- name: ClaimTasks :many
-- Takes up to n pending tasks for a worker, each at most once whoever else claims at the same time.
with next as materialized (
  select p.id from task_item p
  where p.state = 'pending' and p.stop_requested is not true and (p.not_before is null or p.not_before <= now())
  order by p.priority desc, p.fair_tag, p.timestamp_created, p.id
  limit @n
  for update skip locked
), claimed as (
  update task_item t set
    state = 'processing', attempt = t.attempt + 1, worker_id = @worker_id::text, claimed_at = now(),
    lease_expires_at = now() + @lease::interval, not_before = null, progress_message = @progress_message::text,
    progress_percentage = case when t.attempt = 0 then 0 else t.progress_percentage end
  from next where t.id = next.id
  returning t.id, t.attempt, t.generation, t.crashes, t.prompt, t.user_id, t.parameters, t.origin, t.account_id, t.timestamp_created, t.priority, t.fair_tag
)
select id, attempt, generation, crashes, prompt, user_id, parameters, origin, account_id, timestamp_created,
  coalesce(extract(epoch from (now() at time zone 'utc') - timestamp_created), 0)::float8 as waited
from claimed order by priority desc, fair_tag, timestamp_created, id;

-- name: RenewLeases :many
-- Whatever is not returned is lost. A lease that is over but that nobody has taken is renewed too.
update task_item t set lease_expires_at = now() + @lease::interval
from (select unnest(@ids::uuid[]) as id, unnest(@attempts::integer[]) as attempt) mine
where t.id = mine.id and t.attempt = mine.attempt and t.state = 'processing' and t.worker_id = @worker_id::text
returning t.id, t.attempt, coalesce(t.stop_requested, false)::boolean as stop_requested;

-- name: OwnedTasks :many
-- What a worker owns, to find tasks whose claim it was never told of.
select id, attempt from task_item where state = 'processing' and worker_id = @worker_id::text;

-- name: HoldFence :one
-- Keeps the task with this attempt until the transaction ends. No row: the task was lost.
select id from task_item where id = @id and attempt = @attempt and state = 'processing' for share;

-- name: SetProgress :execrows
update task_item set
  progress_percentage = cast(@percentage::float8 as numeric), progress_message = left(@message::text, 128), last_progress_at = now(),
  steps_total = @steps_total::integer, steps_completed = @steps_completed::integer, current_step = left(@current_step::text, 128),
  plan_title = coalesce(left(sqlc.narg(plan_title)::text, 256), plan_title),
  cost_usd = cast(@cost_usd::float8 as numeric), tokens_in = @tokens_in::bigint, tokens_out = @tokens_out::bigint
where id = @id and attempt = @attempt and state = 'processing';

-- name: FinishTask :execrows
-- The end of a run, fenced: report, zip, state and reason at once.
update task_item set
  state = @state::taskstate, generated_report_html = sqlc.narg(report)::text, run_zip_snapshot = sqlc.narg(zip)::bytea,
  progress_percentage = case when @state::taskstate = 'completed' then 100 else progress_percentage end,
  progress_message = left(@message::text, 128), plan_title = coalesce(left(sqlc.narg(plan_title)::text, 256), plan_title),
  worker_id = null, lease_expires_at = null, finished_at = now(), last_progress_at = now(),
  steps_total = @steps_total::integer, steps_completed = @steps_completed::integer, current_step = null,
  cost_usd = cast(@cost_usd::float8 as numeric), tokens_in = @tokens_in::bigint, tokens_out = @tokens_out::bigint,
  failure_reason = sqlc.narg(failure_reason)::text, error_message = left(sqlc.narg(error_message)::text, 1000),
  failed_step = left(sqlc.narg(failed_step)::text, 128), recoverable = sqlc.narg(recoverable)::boolean
where id = @id and attempt = @attempt and state = 'processing';

-- name: LockTask :one
-- The facts that decide what may happen to a task, held until the transaction ends.
select id, state, user_id, account_id, attempt, crashes, setup_failures, generation, worker_id, coalesce(stop_requested, false)::boolean as stop_requested,
  (lease_expires_at is not null)::boolean as leased, coalesce(lease_expires_at <= now(), false)::boolean as lapsed
from task_item where id = @id for update;

-- name: LockLapsed :many
-- Tasks whose worker has not been heard of for its lease, or that have no lease at all.
select id from task_item
where state = 'processing' and (lease_expires_at is null or lease_expires_at <= now())
order by id limit 100 for update skip locked;

-- name: LockOwned :many
-- What a worker of this id left when it ended without a word.
select id from task_item where state = 'processing' and worker_id = @worker_id::text order by id for update;

-- name: GiveLease :exec
-- A task without a lease was claimed by a program that knows none. It has this long to finish; as
-- long again when a worker that names the task is alive.
update task_item set lease_expires_at = now() + @lease::interval where id = @id;

-- name: NamedByWorker :one
select exists (
  select 1 from workers w where w.current_task_id = @task_id::text and w.last_heartbeat_at > (now() at time zone 'utc') - @fresh::interval and w.instance is null
)::boolean as named;

-- name: ReturnTask :exec
-- Back to pending, to go on from where it stands.
update task_item set
  state = 'pending', worker_id = null, lease_expires_at = null, attempt = attempt + @attempts::integer,
  crashes = @crashes, setup_failures = @setup_failures, progress_message = @message::text,
  not_before = case when @delay::interval > interval '0' then now() + @delay::interval end
where id = @id;

-- name: RetryTask :exec
-- Pending again at the request of the user, at a new place in the fair order.
update task_item t set
  state = 'pending', worker_id = null, lease_expires_at = null, not_before = null, finished_at = null, crashes = 0, setup_failures = 0,
  stop_requested = false, stop_requested_timestamp = null, failure_reason = null, error_message = null, failed_step = null, recoverable = null,
  progress_message = @message::text, generation = t.generation + @generations::integer,
  progress_percentage = case when @generations::integer > 0 then 0 else t.progress_percentage end,
  generated_report_html = case when @generations::integer > 0 then null else t.generated_report_html end,
  run_zip_snapshot = case when @generations::integer > 0 then null else t.run_zip_snapshot end,
  fair_tag = greatest(
    (select min(p.fair_tag) from task_item p where p.state = 'pending' and p.priority = t.priority),
    (select max(u.fair_tag) + 1 from task_item u where u.state = 'pending' and u.user_id = t.user_id),
    0
  )
where t.id = @id;

-- name: SetMaxCost :exec
-- Another limit for a task that reached its own. Parameters that are no object mean nothing and are replaced.
update task_item set parameters =
  ((case when json_typeof(parameters) = 'object' then parameters::jsonb else '{}' end) || jsonb_build_object('max_cost', @max_cost::text))::json
where id = @id;

-- name: EndTask :exec
-- An end that no worker tells: stopped while pending, given up, or marked by an admin.
update task_item set
  state = @state::taskstate, worker_id = null, lease_expires_at = null, not_before = null, finished_at = now(),
  attempt = attempt + @attempts::integer, crashes = @crashes, setup_failures = @setup_failures, progress_message = left(@message::text, 128),
  failure_reason = sqlc.narg(failure_reason)::text, error_message = left(sqlc.narg(error_message)::text, 1000), recoverable = sqlc.narg(recoverable)::boolean
where id = @id;

-- name: RequestStop :exec
update task_item set stop_requested = true, stop_requested_timestamp = now() at time zone 'utc', progress_message = coalesce(@message::text, progress_message)
where id = @id;

-- name: NotifyStop :exec
select pg_notify('planexe_stop', cast(@id::uuid as text));

-- name: NotifyProgress :exec
select pg_notify('planexe_progress', cast(@id::uuid as text));

-- name: DeleteTask :exec
delete from task_item where id = @id;

-- name: QueuePosition :one
-- How many pending tasks are claimed before this one; counted up to 1,000.
select count(*)::integer as ahead from (
  select 1 from task_item p, task_item me
  where me.id = @id and me.state = 'pending' and p.state = 'pending' and p.id <> me.id
    and (p.priority > me.priority or p.priority = me.priority and
      (p.fair_tag, coalesce(p.timestamp_created, 'infinity'), p.id) < (me.fair_tag, coalesce(me.timestamp_created, 'infinity'), me.id))
  limit 1000
) before;

-- name: CountTasks :one
-- How busy the queue is: what autoscaling and metrics look at.
select
  (select count(*) from task_item where state = 'pending')::bigint as pending,
  (select count(*) from task_item where state = 'processing')::bigint as processing,
  coalesce((select extract(epoch from (now() at time zone 'utc') - min(timestamp_created)) from task_item where state = 'pending'), 0)::float8 as oldest_pending_seconds;

-- name: GetTask :one
-- Everything about a task but prompt, report and zip.
select id, timestamp_created, state, progress_percentage::float8 as progress_percentage, progress_message, last_seen_timestamp, user_id, parameters,
  coalesce(stop_requested, false)::boolean as stop_requested, stop_requested_timestamp, account_id, origin, priority, fair_tag, attempt, crashes, setup_failures, generation,
  worker_id, claimed_at, lease_expires_at, not_before, finished_at, last_progress_at, steps_total, steps_completed, current_step,
  failed_step, failure_reason, error_message, recoverable, plan_title, coalesce(cost_usd, 0)::float8 as cost_usd, coalesce(tokens_in, 0)::bigint as tokens_in, coalesce(tokens_out, 0)::bigint as tokens_out,
  coalesce(octet_length(generated_report_html), 0)::bigint as report_size, coalesce(octet_length(run_zip_snapshot), 0)::bigint as zip_size
from task_item where id = @id;

-- name: GetPrompt :one
select coalesce(prompt, '')::text as prompt from task_item where id = @id;

-- name: GetReport :one
select generated_report_html from task_item where id = @id;

-- name: GetZip :one
select run_zip_snapshot from task_item where id = @id;

-- name: TouchSeen :execrows
-- Somebody looks at the task; written at most once a minute.
update task_item set last_seen_timestamp = now() at time zone 'utc'
where id = @id and (last_seen_timestamp is null or last_seen_timestamp < (now() at time zone 'utc') - interval '1 minute');
