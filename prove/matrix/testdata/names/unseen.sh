# In a mount namespace of its own: the tracer does not see this mount.
. /share/write.sh
mount --make-rprivate /
mount /dev/sda /mnt
mkdir -p /mnt/in
exec 3<>/mnt/in/unseen; write 3; exec 3>&-
