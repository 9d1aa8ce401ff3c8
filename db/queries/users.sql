-- name: UserByLogin :one
-- Signing in looks a person up as typed, without case.
select * from app_user where lower(login) = lower(@login::text);

-- name: UserByID :one
select * from app_user where id = @id;

-- name: CreateUser :one
-- No row when the login is taken.
insert into app_user (login, display_name, password_hash, role)
values (@login, @display_name, @password_hash, @role)
on conflict (lower(login)) do nothing
returning *;

-- name: EnsureEnvAdmin :exec
-- The account of the environment: it is made, or becomes what the environment says. Others stop being managed.
with others as (
    update app_user set managed_by_env = false where managed_by_env and lower(login) <> lower(@login)
)
insert into app_user (login, password_hash, role, managed_by_env)
values (@login, @password_hash, 'admin', true)
on conflict (lower(login)) do update
set password_hash = excluded.password_hash, role = 'admin', managed_by_env = true, disabled_at = null;

-- name: SetPassword :execrows
update app_user set password_hash = @password_hash where id = @id and not managed_by_env;

-- name: RehashPassword :exec
-- After a sign-in with the right password, when the cost of hashes has grown. Nothing if it was changed meanwhile.
update app_user set password_hash = @password_hash where id = @id and password_hash = @old;

-- name: SetDisplayName :exec
update app_user set display_name = @display_name where id = @id;

-- name: NoteSignIn :exec
update app_user set last_sign_in_at = now() where id = @id;

-- name: LockAdmins :many
-- Taken before an admin is disabled, demoted or deleted, so that two of them cannot remove each other.
select id from app_user where role = 'admin' and disabled_at is null order by id for update;

-- name: SetRole :execrows
update app_user set role = @role where id = @id and not managed_by_env;

-- name: SetDisabled :execrows
update app_user set disabled_at = case when @disabled::boolean then now() end where id = @id and not managed_by_env;

-- name: DeleteUser :execrows
delete from app_user where id = @id and not managed_by_env;

-- name: CreateLink :exec
insert into app_link (id, user_id, ends_at) values (@id, @user_id, now() + make_interval(secs => @seconds::float8));

-- name: LinkUser :one
-- Looking at the form uses nothing up.
select u.* from app_link l join app_user u on u.id = l.user_id
where l.id = @id and l.ends_at > now() and u.disabled_at is null and not u.managed_by_env;

-- name: UseLink :one
-- A link works once, and takes all other links of the person with it.
with used as (
    delete from app_link where app_link.id = @id and app_link.ends_at > now() returning user_id
), others as (
    delete from app_link where user_id = (select user_id from used)
)
select user_id from used;

-- name: UserTasks :many
-- What has to be stopped or removed with a person.
select id, state from task_item where account_id = @account_id order by timestamp_created, id;
