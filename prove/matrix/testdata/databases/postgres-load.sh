set -e
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/data
cd /tmp
$bin/pg_ctl -D $data -w -l $data/log -o "-c debug_io_direct=data,wal -c shared_buffers=32MB -c listen_addresses= -c unix_socket_directories=/run -c checkpoint_timeout=30s -c max_wal_size=64MB" start
$bin/createdb -h /run bench
$bin/pgbench -h /run -i -s 5 bench
$bin/pgbench -h /run -c 4 -j 2 -T 30 bench
$bin/pg_ctl -D $data -w -m fast stop
