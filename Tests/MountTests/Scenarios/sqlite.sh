# sqlite3 creates a database, changes it, and finds it whole.
scenario() {
    sqlite3 "$MOUNT/db" 'create table t (id integer primary key, text)'
    sqlite3 "$MOUNT/db" "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
        insert into t select i, 'row ' || i from n"
    sqlite3 "$MOUNT/db" "update t set text = 'changed' where id = 500; delete from t where id > 900"
    is "$(sqlite3 "$MOUNT/db" 'pragma integrity_check; select count(*) from t')" $'ok\n900'
    cp "$SERVER/db" copy
    is "$(sqlite3 copy 'pragma integrity_check; select text from t where id = 500')" $'ok\nchanged'
    is "$(names "$SERVER")" db
}
