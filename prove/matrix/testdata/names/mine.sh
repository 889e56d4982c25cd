# The number of a file goes to another one while only the first is wanted.
. /share/write.sh
exec 3<>/mnt/mine; write 3; exec 3>&-
ls -i /mnt/mine >&2
rm /mnt/mine
exec 3<>/mnt/other; write 3; write 3; exec 3>&-
ls -i /mnt/other >&2
