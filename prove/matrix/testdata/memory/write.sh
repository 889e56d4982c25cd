# The parent is the tracer.
grep -E 'VmRSS|VmHWM|RssAnon|RssFile|RssShmem' /proc/$PPID/status | sed 's/^/before /'
ext4dio-trace workload mixed --dir /mnt --writes 2000
grep -E 'VmRSS|VmHWM|RssAnon|RssFile|RssShmem' /proc/$PPID/status | sed 's/^/after /'
