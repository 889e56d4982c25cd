# InnoDB with O_DIRECT and io_uring, written to by sysbench, all of it recorded.
ext4dio-trace record -o /out/trace.e4d -- sh /share/mariadb-load.sh >/out/load.out 2>/out/record.err
echo $? >/out/record.rc
ls -iR /var/lib/mysql >/out/files
