package probes

// The BPF objects and their Go bindings are committed, so that building needs no
// clang. "make generate" makes them again with clang-14 and the check in "make
// test" fails when they differ. The log of the verifier has instructions and no lines of
// the source: bpf2go without the last line here makes an object that has them.
//
//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror" ext4dio ../bpf/ext4dio.bpf.c
//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror" cached ../bpf/cached.bpf.c
//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror" symbols ../bpf/symbols.bpf.c
//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror" self ../bpf/self.bpf.c
//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror" lends ../bpf/lends.bpf.c
//go:generate go run ../internal/bpfstrip ext4dio_x86_bpfel.o ext4dio_arm64_bpfel.o cached_x86_bpfel.o cached_arm64_bpfel.o symbols_x86_bpfel.o symbols_arm64_bpfel.o self_x86_bpfel.o self_arm64_bpfel.o lends_x86_bpfel.o lends_arm64_bpfel.o
