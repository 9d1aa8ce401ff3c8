-- name: InsertEvent :exec
insert into events (timestamp, event_type, message, context, task_id, actor)
values (now() at time zone 'utc', @event_type, @message, @context, sqlc.narg(task_id), @actor::text);

-- name: TaskEvents :many
-- The timeline of a task.
select id, timestamp, event_type, message, context, actor from events where task_id = @task_id order by id;

-- name: PurgeEvents :execrows
delete from events where id in (select e.id from events e where e.timestamp < (now() at time zone 'utc') - @age::interval order by e.timestamp limit 1000);

-- name: PurgeNonces :execrows
delete from nonces where id in (select n.id from nonces n where n.created_at < (now() at time zone 'utc') - @age::interval order by n.created_at limit 1000);

-- name: PurgeOutbox :execrows
delete from outbox where id in (select o.id from outbox o where o.state = 'sent' and o.sent_at < now() - @age::interval limit 1000);
