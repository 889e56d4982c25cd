set -e
sql="mariadb --no-defaults -uroot -S /tmp/mariadb.sock"
mariadbd --no-defaults --user=mysql --datadir=/var/lib/mysql --socket=/tmp/mariadb.sock --skip-networking \
	--innodb-flush-method=O_DIRECT --innodb-buffer-pool-size=32M --innodb-log-file-size=32M --innodb-use-native-aio=1 &
pid=$!
until $sql -e 'select 1' >/dev/null 2>&1; do
	kill -0 $pid
	sleep 0.2
done
$sql -e 'create database sbtest'
sb="sysbench oltp_read_write --mysql-socket=/tmp/mariadb.sock --mysql-user=root --tables=2 --table-size=20000 --threads=4 --time=30"
$sb prepare
$sb run
$sql -e shutdown
wait $pid
