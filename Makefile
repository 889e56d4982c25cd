# make run    build, boot a Debian kernel in QEMU, trace real writes on it
# make test   everything that CI runs: unit tests, linters, generated files, kernels
# Both install the Debian packages that they need, and say which.

BIN     := bin/ext4dio-trace
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
KERNEL  ?= debian:trixie-backports
GOFILES := $(shell git ls-files '*.go' 2>/dev/null)

# Where the tests find the small kernels of each stage of the series, if at all.
export EXT4DIO_KERNELS ?= $(abspath ../shared/kernels)
export CGO_ENABLED = 0
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: run build test test-unit test-race test-vm test-full test-soak test-field test-harness generate generate-check bench bench-series bench-cost bench-view whatif-series mutants man lint need-vm need-test

# Without disablethp, a kernel that uses huge pages everywhere keeps twice the memory
# resident that the program has use for. go build knows no other way to set it.
build:
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X runtime.godebugDefault=disablethp=1' -o $(BIN) ./cmd/ext4dio-trace

# Man pages and completions for shells, from the texts of --help.
man: build
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) go test -count=1 -run '^TestManPages$$' ./cmd/ext4dio-trace -args -man $(abspath bin/man)
	mkdir -p bin/completions
	for shell in bash zsh fish; do $(BIN) completion $$shell >bin/completions/ext4dio-trace.$$shell || exit; done

need-vm:
	@scripts/need.sh qemu-system-x86=qemu-system-x86_64 e2fsprogs=mkfs.ext4 xz-utils=xz

need-test: need-vm
	@scripts/need.sh ?clang-14=clang-14 ?llvm-14=llvm-strip-14 ?mandoc=mandoc fio=fio xfsprogs=xfs_io gcc=gcc libc6-dev=/usr/include/stdlib.h

run: need-vm build
	$(BIN) vm --kernel $(KERNEL) -- live -- ext4dio-trace workload mixed --dir /mnt --writes 600

test: need-test test-unit test-race lint generate-check test-vm

test-unit: build
	go test ./...
	go test -run '^$$' -bench . -benchtime 1x $(BENCH_PKGS)

# The packages with goroutines once more, under the race detector.
test-race:
	scripts/race.sh

lint:
	@test -z "$$(gofmt -l $(GOFILES))" || { echo "not gofmt-ed:"; gofmt -l $(GOFILES); exit 1; }
	go vet ./...
	go tool -modfile=tools.mod staticcheck ./...

# The objects are made by clang-14; other versions give other bytes. What is made of
# them comes first, as the rest is built with it.
generate:
	go generate $(GENERATE_FLAGS) ./probes ./record
	go generate -skip 'bpf2go|recordgen' ./...

generate-check:
	scripts/generate-check.sh

# Real kernels in QEMU. EXT4DIO_REQUIRE=vm turns a skip into a failure.
test-vm: build
	EXT4DIO_REQUIRE=vm scripts/vm-tests.sh -timeout 80m -parallel 2 -skip '^Test(Databases|FieldLongest|Tries|Emit|Soak)$$' ./prove/matrix

# Half an hour: every kernel on every configuration.
test-full: build
	EXT4DIO_FULL=1 EXT4DIO_REQUIRE=vm scripts/vm-tests.sh -timeout 80m -parallel 2 -run '^Test(Validate|Coverage|CoverageWrong|Where|Inside|Tries|Holders|Budget|Advice|Emit)$$' ./prove/matrix

# Ten minutes: one write of 258 MB; Debian's MariaDB and PostgreSQL on a root file system of Debian, recorded.
# Its packages come by apt and are kept in the cache; without apt it is skipped.
test-field: need-vm build
	EXT4DIO_TEST_FIELD=1 EXT4DIO_REQUIRE=vm scripts/vm-tests.sh -timeout 60m -run '^Test(Databases|FieldLongest)$$' ./prove/matrix

# Half an hour and more: 32 writers, and a tracer that is started and stopped 100 times.
# EXT4DIO_SOAK=10,2m makes it shorter.
test-soak: need-vm build
	EXT4DIO_FULL=1 EXT4DIO_REQUIRE=vm scripts/vm-tests.sh -timeout 8h -run '^TestSoak$$' ./prove/matrix

# The virtual machines' own tests: panics, hangs, streams, folders.
test-harness:
	EXT4DIO_TEST_VM=$(KERNEL) go test -count=1 -timeout 15m ./prove/kernelvm

# A quarter of an hour: every small change to the model has to be noticed.
mutants:
	go run ./internal/mutate -o internal/mutate/RESULT.md ./userspace-model

# Compared with the stored baseline, in units of a loop that runs beside them: what
# counts is one core. All run in turn, several times, so that each has the chance of a
# quiet moment. BENCH_UPDATE=-update stores the run as the new baseline.
BENCH_PKGS   := ./internal/benchcmp ./record ./decode ./decode/overlap ./userspace-model ./export ./export/parquet ./export/perfetto ./export/xfsio ./export/fio \
	./report ./trace/tracefile ./trace/session ./trace/replay ./cmd/ext4dio-trace
BENCH_COUNT  ?= 7
BENCH_UPDATE ?=

bench: build
	for i in $$(seq $(BENCH_COUNT)); do \
		GOMAXPROCS=1 go test -count 1 -run '^$$' -bench . -benchmem -benchtime 0.2s $(BENCH_PKGS) || exit; \
	done >$(dir $(BIN))bench.txt
	go run ./internal/benchcmp $(BENCH_UPDATE) <$(dir $(BIN))bench.txt

# The cover letter's two tests, on a disk on which each request takes 5 ms: null_blk,
# because dm-delay costs more time of its own than the writes. The guest's clock counts
# instructions, so that it does not matter what else this machine does, and waiting for
# the disk takes no time here. Results are in SERIES_DIR.
SERIES_DIR    ?= bench-series
SERIES_WRITES ?= 64
SERIES_JOBS   ?= 1,2,4,8,16,32
SERIES_TRACE  ?= --trace
SERIES_RUN     = $(BIN) vm --kernel $(1) --smp 1 --count-instructions --null-blk 512M --latency 5ms --timeout 30m -- \
	bench all --dir /mnt --jobs $(SERIES_JOBS) --writes $(SERIES_WRITES) $(SERIES_TRACE) --json >$(SERIES_DIR)/$(2).json

# Before, in between and after the series; then the Debian kernels before and after it.
bench-series: need-vm build
	mkdir -p $(SERIES_DIR)
	$(call SERIES_RUN,$(EXT4DIO_KERNELS)/series-base.bzImage,base)
	$(call SERIES_RUN,$(EXT4DIO_KERNELS)/series-patch3.bzImage,patch3)
	$(call SERIES_RUN,$(EXT4DIO_KERNELS)/series-patch4.bzImage,patch4)
	$(call SERIES_RUN,debian:sid,linux-7.2)
	$(call SERIES_RUN,debian:trixie-backports,linux-7.3)
	cd $(SERIES_DIR) && $(abspath $(BIN)) bench compare base=base.json '+patch 3=patch3.json' '+patch 3+4=patch4.json'
	cd $(SERIES_DIR) && $(abspath $(BIN)) bench compare 'Debian 7.2=linux-7.2.json' 'Debian 7.3=linux-7.3.json'
	cd $(SERIES_DIR) && $(abspath $(BIN)) bench compare --format svg -o iops.svg base=base.json '+patch 3=patch3.json' \
		'+patch 3+4=patch4.json' 'Debian 7.2=linux-7.2.json' 'Debian 7.3=linux-7.3.json'

# What tracing costs, beside the scripts BT/ext4dio.bt and BT/ext4dio-fentry.bt under
# Debian's newest bpftrace, which is unpacked below COST_DIR and not installed. The
# guest has one CPU and a clock that counts instructions, so that it does not matter
# what else this machine does. Most of the time goes into attaching bpftrace, twice a round.
BT          ?= $(abspath ../shared)
COST_DIR    ?= bench-cost
COST_ROUNDS ?= 10
COST_FOR    ?= 20ms
COST_SHARE   = $(COST_DIR)/share

bench-cost: need-vm build
	@scripts/need.sh xfsprogs=mkfs.xfs
	scripts/bpftrace.sh $(COST_SHARE)
	cp $(BT)/ext4dio.bt $(BT)/ext4dio-fentry.bt scripts/bench-cost.sh $(COST_SHARE)
	$(BIN) vm --kernel $(KERNEL) --smp 1 --mem 3G --null-blk 1G --no-kvm --count-instructions --timeout 2h \
		--append null_blk.nr_devices=2 --module xfs --share $(COST_SHARE) --out $(COST_DIR) \
		--bin mkfs.xfs --bin mount --bin mkdir -- exec -- sh /share/bench-cost.sh $(COST_ROUNDS) $(COST_FOR)

# What the screen costs at 50,000 writes a second, on a pty: CPU and memory.
VIEW_SECONDS ?= 60

bench-view:
	EXT4DIO_VIEW_SECONDS=$(VIEW_SECONDS) go test -count 1 -timeout 30m -v -run '^TestViewCost$$' ./cmd/ext4dio-trace

# What whatif predicts from the kernel before the series, and of a changed program, beside
# what the kernels with its patches and that program do. The recordings in analyze/whatif/testdata are made anew.
whatif-series: need-vm build
	scripts/whatif-series.sh $(BIN)
	scripts/whatif-app.sh $(BIN)
	scripts/whatif-tries.sh $(BIN)
