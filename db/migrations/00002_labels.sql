-- A label cannot be used in the transaction that adds it, so these have a migration of their own.

-- +goose NO TRANSACTION
-- +goose Up
alter type taskstate add value if not exists 'stopped';
alter type eventtype add value if not exists 'TASK_STOPPED';

-- +goose Down
-- Labels cannot be taken away. No row holds them any more, and unused they disturb nobody.
select 1;
