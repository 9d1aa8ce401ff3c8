-- The files and the event log of a task's run.

-- name: UpsertArtifact :exec
insert into task_artifact (task_id, name, size, sha256, encoding, body) values (@task_id, @name, @size, @sha256, @encoding, @body)
on conflict (task_id, name) do update set size = excluded.size, sha256 = excluded.sha256, encoding = excluded.encoding, body = excluded.body, updated_at = now();

-- name: DeleteArtifact :exec
delete from task_artifact where task_id = @task_id and name = @name;

-- name: ListArtifacts :many
select name, size, sha256, updated_at from task_artifact where task_id = @task_id order by name;

-- name: GetArtifact :one
select size, sha256, encoding, body from task_artifact where task_id = @task_id and name = @name;

-- name: InsertLog :exec
-- Sent again after a commit whose answer was lost, it changes nothing.
insert into task_log (task_id, first_seq, last_seq, encoding, body) values (@task_id, @first_seq, @last_seq, @encoding, @body)
on conflict (task_id, first_seq) do nothing;

-- name: LastLogSeq :one
select coalesce(max(last_seq), 0)::bigint as seq from task_log where task_id = @task_id;

-- name: ReadLog :many
-- Pieces of the log that hold events with a number greater than after.
select first_seq, last_seq, encoding, body from task_log
where task_id = @task_id and last_seq > @after order by first_seq limit @pieces;

-- name: DeleteRun :exec
-- Files and log of a task that starts from nothing.
with files as (delete from task_artifact a where a.task_id = @task_id)
delete from task_log l where l.task_id = @task_id;
