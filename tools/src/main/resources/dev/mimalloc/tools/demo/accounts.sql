-- A small bank in memory: bulk load, indexes, joins, updates in transactions, text search and JSON. The table size(n),
-- which is there before, says how many accounts there shall be.
PRAGMA cache_size = -200000;
CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, city TEXT, balance INTEGER NOT NULL);
CREATE TABLE transfer(id INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT n FROM size))
INSERT INTO account SELECT i, 'owner ' || (i * 7919 % (SELECT n FROM size)), 'city ' || (i * 31 % 500), 100000 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT 4 * n FROM size))
INSERT INTO transfer SELECT i, 1 + i * 7907 % (SELECT n FROM size), 1 + i * 104729 % (SELECT n FROM size), i % 997,
    'payment ' || hex(i * 2654435761 % 4294967296) || ' for ' || (i % 1000) FROM n;
CREATE INDEX by_source ON transfer(source, amount);
CREATE INDEX by_note ON transfer(note);
CREATE INDEX by_city ON account(city, owner);
UPDATE account SET balance = balance - (SELECT coalesce(sum(amount), 0) FROM transfer WHERE source = account.id);
CREATE TABLE received AS SELECT target, sum(amount) AS amount FROM transfer GROUP BY target;
CREATE UNIQUE INDEX by_target ON received(target);
UPDATE account SET balance = balance + (SELECT coalesce(sum(amount), 0) FROM received WHERE target = account.id);
SELECT 'balances', sum(balance), min(balance), max(balance) FROM account;
SELECT 'cities', count(*), sum(length(owners)) FROM (SELECT city, group_concat(owner, ',') AS owners FROM account GROUP BY city);
SELECT 'notes', count(*), count(DISTINCT substr(note, 9, 4)) FROM transfer WHERE note LIKE '%A% for 7%';
SELECT 'ranks', sum(r * id % 1009) FROM (SELECT id, rank() OVER (PARTITION BY city ORDER BY balance, id) AS r FROM account);
SELECT 'json', sum(json_array_length(j)), sum(length(j)) FROM
    (SELECT json_group_array(json_object('id', id, 'note', note)) AS j FROM transfer GROUP BY source);
CREATE VIRTUAL TABLE search USING fts5(note);
INSERT INTO search SELECT note FROM transfer WHERE id % 4 = 0;
SELECT 'search', count(*) FROM search WHERE search MATCH 'payment AND 77*';
DELETE FROM transfer WHERE id % 3 = 0;
VACUUM;
SELECT 'left', count(*), sum(amount) FROM transfer;
PRAGMA integrity_check;
