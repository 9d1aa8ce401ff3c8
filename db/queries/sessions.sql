-- name: CreateSession :exec
insert into app_session (id, user_id, idle_seconds, ends_at, user_agent)
values (@id, @user_id, @idle_seconds, now() + make_interval(secs => @seconds::float8), @user_agent);

-- name: SessionUser :one
-- Asked for at every request. Both ends of a session are looked at here and nowhere else.
select sqlc.embed(u), s.last_used_at < now() - interval '1 minute' as stale, s.idle_seconds,
    (extract(epoch from s.last_used_at - now()) + s.idle_seconds)::float8 as idle_left, extract(epoch from s.ends_at - now())::float8 as whole_left
from app_session s join app_user u on u.id = s.user_id
where s.id = @id and s.ends_at > now() and s.last_used_at + make_interval(secs => s.idle_seconds) > now() and u.disabled_at is null;

-- name: TouchSession :exec
-- At most once a minute: the caller looks at stale.
update app_session set last_used_at = now() where id = @id;

-- name: EndSession :exec
delete from app_session where id = @id;

-- name: EndSessions :execrows
-- All of a person, but the one that asks.
delete from app_session where user_id = @user_id and id <> @keep;

-- name: SessionsOf :many
select * from app_session where user_id = @user_id and ends_at > now() and last_used_at + make_interval(secs => idle_seconds) > now()
order by last_used_at desc;

-- name: DropOldSessions :exec
with old as (delete from app_session where ends_at < now() or last_used_at + make_interval(secs => idle_seconds) < now()),
     links as (delete from app_link where ends_at < now())
delete from app_throttle where since < now() - interval '2 hours' and (blocked_until is null or blocked_until < now());

-- name: Secret :one
-- The first service to ask makes the secret; all others read it.
with made as (insert into app_secret (name, value) values (@name, @value) on conflict (name) do nothing returning value)
select value from made union all select s.value from app_secret s where s.name = @name limit 1;

-- name: Blocked :one
-- Seconds until something may be tried again; 0 is now.
select coalesce(max(extract(epoch from blocked_until - now())), 0)::float8 as seconds
from app_throttle where key = any(@keys::text[]) and blocked_until > now();

-- name: NoteFailure :exec
-- Counts a failed try. Past the limit nothing is tried for a while: half a minute, doubled with each further failure up to an hour.
-- What is older than the window is forgotten.
insert into app_throttle as t (key, count, since) values (@key, 1, now())
on conflict (key) do update set
    count = case when t.since < now() - make_interval(secs => @window_seconds::float8) and coalesce(t.blocked_until, t.since) < now() - make_interval(secs => @window_seconds::float8) then 1 else t.count + 1 end,
    since = case when t.since < now() - make_interval(secs => @window_seconds::float8) and coalesce(t.blocked_until, t.since) < now() - make_interval(secs => @window_seconds::float8) then now() else t.since end,
    blocked_until = case when t.count + 1 >= @allowed::integer
            and (t.since >= now() - make_interval(secs => @window_seconds::float8) or t.blocked_until >= now() - make_interval(secs => @window_seconds::float8))
        then now() + make_interval(secs => least(3600, 30 * power(2, least(t.count + 1 - @allowed::integer, 7)))) end;

-- name: Forgive :exec
delete from app_throttle where key = @key;

-- name: TakeTurn :one
-- Counts a request within a window; true when it is one too many. Only those within the limit count.
insert into app_throttle as t (key, count, since) values (@key, 1, now())
on conflict (key) do update set
    count = case when t.since < now() - make_interval(secs => @window_seconds::float8) then 1 else t.count + 1 end,
    since = case when t.since < now() - make_interval(secs => @window_seconds::float8) then now() else t.since end
returning (t.count > @allowed::integer)::boolean as too_many;
