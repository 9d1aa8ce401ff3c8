-- name: RegisterWorker :exec
-- A worker process begins. The row of an earlier process of the same id is taken over.
insert into workers (id, started_at, last_heartbeat_at, current_task_id, instance, hostname, pid, version, status, status_reason, concurrency, running)
values (@id, now() at time zone 'utc', now() at time zone 'utc', null, @instance::uuid, @hostname::text, @pid::integer, @version::text, 'running', null, @concurrency::integer, 0)
on conflict (id) do update set started_at = excluded.started_at, last_heartbeat_at = excluded.last_heartbeat_at, current_task_id = null, instance = excluded.instance,
  hostname = excluded.hostname, pid = excluded.pid, version = excluded.version, status = 'running', status_reason = null, concurrency = excluded.concurrency, running = 0;

-- name: Heartbeat :exec
-- Made again when an admin deleted the row.
insert into workers (id, started_at, last_heartbeat_at, current_task_id, instance, hostname, pid, version, status, status_reason, concurrency, running)
values (@id, now() at time zone 'utc', now() at time zone 'utc', sqlc.narg(current_task_id), @instance::uuid, @hostname::text, @pid::integer, @version::text, @status::text, sqlc.narg(status_reason), @concurrency::integer, @running::integer)
on conflict (id) do update set last_heartbeat_at = excluded.last_heartbeat_at, current_task_id = excluded.current_task_id, instance = excluded.instance,
  status = excluded.status, status_reason = excluded.status_reason, running = excluded.running;

-- name: PurgeWorkers :execrows
-- Rows not heard of for long that own nothing.
delete from workers w where w.id in (
  select x.id from workers x where x.last_heartbeat_at < (now() at time zone 'utc') - @age::interval
    and not exists (select 1 from task_item t where t.state = 'processing' and t.worker_id = x.id) limit 1000
);

-- name: LockWorkerID :one
-- Held by the session until it ends: two processes cannot have the same id.
select pg_try_advisory_lock(hashtextextended('planexe worker ' || @id::text, 0))::boolean as locked;

-- name: LockHousekeeping :one
select pg_try_advisory_xact_lock(hashtextextended('planexe housekeeping', 0))::boolean as locked;

-- name: StopWorker :exec
-- The end of a worker process; not of a later one of the same id.
update workers set status = 'stopped', status_reason = null, current_task_id = null, running = 0, last_heartbeat_at = now() at time zone 'utc'
where id = @id and instance = @instance::uuid;
