# Runs in the guest: bash fstests.sh FOLDER. Runs the tests of fstests' form that coverage --emit wrote into FOLDER,
# with the stand-in for their helpers, and says of each whether it printed what it should.
export SCRATCH_DEV=/dev/sda SCRATCH_MNT=/mnt TEST_DIR=/tmp RESULT_DIR=/tmp
rm -rf /tmp/run && mkdir -p /tmp/run && cp -r "$1/tests" /share/emit/common /tmp/run && cd /tmp/run || exit 1
for test in tests/ext4/???; do
	number=${test##*/}
	bash "./$test" >"/tmp/$number.bad" 2>&1
	status=$?
	if [ -e "/tmp/$number.notrun" ]; then
		echo "$number: not run: $(cat "/tmp/$number.notrun")"
	elif [ "$status" != 0 ] || [ "$(cat "/tmp/$number.bad")" != "$(cat "$test.out")" ]; then
		echo "$number: FAILED with $status:"
		cat "/tmp/$number.bad" "/tmp/$number.full"
	else
		echo "$number: ok"
	fi
done
