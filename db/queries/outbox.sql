-- name: InsertOutbox :exec
insert into outbox (task_id, attempt, kind, target) values (@task_id, @attempt, @kind, @target) on conflict do nothing;

-- name: TakeOutbox :many
-- Due calls belong to this sender before it calls: a call that was perhaps made is never repeated by itself.
with due as materialized (
  select d.id from outbox d where d.state = 'waiting' and d.next_try_at <= now() order by d.next_try_at limit @n for update skip locked
)
update outbox o set state = 'sending', tries = o.tries + 1, next_try_at = now() + interval '2 minutes'
from due where o.id = due.id
returning o.id, o.task_id, o.attempt, o.kind, o.target, o.tries;

-- name: SettleOutbox :exec
update outbox set state = @state::text, last_status = sqlc.narg(last_status)::integer, last_error = left(sqlc.narg(last_error)::text, 500),
  next_try_at = now() + @delay::interval, sent_at = case when @state::text = 'sent' then now() end
where id = @id and state = 'sending';

-- name: DoubtOutbox :execrows
-- The sender died between calling and saying so.
update outbox set state = 'unknown' where state = 'sending' and next_try_at < now();

-- name: RetryOutbox :execrows
-- An admin sends a doubtful or given up call again.
update outbox set state = 'waiting', next_try_at = now() where id = @id and state in ('unknown', 'given_up');

-- name: Confirmation :one
-- What a confirmation call tells, read when it is sent.
select user_id, coalesce(plan_title, '')::text as plan_title, coalesce(generated_report_html, '')::text as report, coalesce(error_message, '')::text as error_message
from task_item where id = @id;
