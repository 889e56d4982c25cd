# What the packages' own scripts would have done, as far as it is needed: users, the linker's
# cache, an empty database each.
set -e
ldconfig
cat >/etc/passwd <<X
root:x:0:0:root:/root:/bin/sh
mysql:x:100:100::/var/lib/mysql:/bin/false
postgres:x:101:101::/var/lib/postgresql:/bin/false
X
printf 'root:x:0:\nmysql:x:100:\npostgres:x:101:\n' >/etc/group
mkdir -p /run /var/lib/mysql /var/lib/postgresql
chown 100:100 /var/lib/mysql
chown 101:101 /var/lib/postgresql
mariadb-install-db --force --user=mysql --datadir=/var/lib/mysql --skip-test-db --auth-root-authentication-method=normal
setpriv --reuid 101 --regid 101 --clear-groups /usr/lib/postgresql/17/bin/initdb -D /var/lib/postgresql/data -N --no-locale -E UTF8
sync
