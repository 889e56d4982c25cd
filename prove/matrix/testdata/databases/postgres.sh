# PostgreSQL with direct I/O of data and of the log, written to by pgbench, all of it recorded.
chown 101 /run
ext4dio-trace record -o /out/trace.e4d -- setpriv --reuid 101 --regid 101 --clear-groups sh /share/postgres-load.sh >/out/load.out 2>/out/record.err
echo $? >/out/record.rc
ls -iR /var/lib/postgresql/data >/out/files
