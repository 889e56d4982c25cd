package parquet

// row is one direct write. A pointer is a column that may be null. All numbers are
// signed, as not every engine knows others. The tags are read by schema, and in the tests
// by parquet-go.
type row struct {
	TimeNs    int64    `parquet:"time_ns"`
	Pid       int32    `parquet:"pid"`
	Tid       int32    `parquet:"tid"`
	Comm      string   `parquet:"comm"`
	Dev       string   `parquet:"dev"`
	Ino       int64    `parquet:"ino"`
	Path      *string  `parquet:"path,optional"`
	Pos       int64    `parquet:"pos"`
	Len       int64    `parquet:"len"`
	Flags     []string `parquet:"flags,list"`
	Unaligned *bool    `parquet:"unaligned,optional"`
	Extending *bool    `parquet:"extending,optional"`
	Lock      *string  `parquet:"lock,optional"`
	Passes    *int32   `parquet:"passes,optional"`

	Lookups   []lookup  `parquet:"lookups,optional,list"`
	Drained   *bool     `parquet:"drained,optional"`
	ForceWait *bool     `parquet:"force_wait,optional"`
	Mappings  []mapping `parquet:"mappings,optional,list"`
	Zeroed    []zeroed  `parquet:"zeroed,optional,list"`

	FallbackBytes *int64  `parquet:"fallback_bytes,optional"`
	Ret           *int64  `parquet:"ret,optional"`
	WaitNs        *int64  `parquet:"wait_ns,optional"`
	LatencyNs     *int64  `parquet:"latency_ns,optional"`
	Slept         *bool   `parquet:"slept,optional"`
	Sleeps        []sleep `parquet:"sleeps,optional,list"`

	Variant  *string   `parquet:"variant,optional"`
	Verdict  *string   `parquet:"verdict,optional"`
	Rules    []string  `parquet:"rules,optional,list"`
	Hazards  []string  `parquet:"hazards,optional,list"`
	Expected *expected `parquet:"expected,optional"`
	Why      []string  `parquet:"why,optional,list"`

	Stages     []string `parquet:"stages,list"`
	Incomplete *string  `parquet:"incomplete,optional"`
	Truncated  bool     `parquet:"truncated"`
	Caller     *string  `parquet:"caller,optional"`
	Facts      facts    `parquet:"facts"`
}

type lookup struct {
	Lblk  int64  `parquet:"lblk"`
	Len   int64  `parquet:"len"`
	Ret   int32  `parquet:"ret"`
	State string `parquet:"state"`
	Pass  int32  `parquet:"pass"`
	Flags int64  `parquet:"flags"`
}

type mapping struct {
	Pos         *int64   `parquet:"pos,optional"`
	Len         *int64   `parquet:"len,optional"`
	Type        string   `parquet:"type"`
	Flags       []string `parquet:"flags,list"`
	Allocated   bool     `parquet:"allocated"`
	AllocFlags  int64    `parquet:"alloc_flags"`
	Overwrite   bool     `parquet:"overwrite"`
	LookupFlags *int64   `parquet:"lookup_flags,optional"`
	LookupRet   *int64   `parquet:"lookup_ret,optional"`
}

type zeroed struct {
	Pos      int64    `parquet:"pos"`
	Len      int64    `parquet:"len"`
	Lock     *string  `parquet:"lock,optional"`
	InFlight int64    `parquet:"in_flight"`
	Type     string   `parquet:"type"`
	Flags    []string `parquet:"flags,list"`
}

type sleep struct {
	Cause string `parquet:"cause"`
	Phase string `parquet:"phase"`
	Ns    int64  `parquet:"ns"`
}

type expected struct {
	Lock      string `parquet:"lock"`
	Passes    int32  `parquet:"passes"`
	Drained   bool   `parquet:"drained"`
	ForceWait *bool  `parquet:"force_wait,optional"`
	Ret       *int64 `parquet:"ret,optional"`
}

type facts struct {
	Blocksize   int64     `parquet:"blocksize"`
	Pos         int64     `parquet:"pos"`
	Len         int64     `parquet:"len"`
	ISize       int64     `parquet:"i_size"`
	Align       *int64    `parquet:"align,optional"`
	Checks      []check   `parquet:"checks,list"`
	InFlight    *int64    `parquet:"in_flight,optional"`
	Modified    *string   `parquet:"modified,optional"`
	ModifiedRet *int64    `parquet:"modified_ret,optional"`
	DioFlags    int32     `parquet:"dio_flags"`
	Ops         *string   `parquet:"ops,optional"`
	Buffered    *buffered `parquet:"buffered,optional"`
	SubmitRet   int64     `parquet:"submit_ret"`
	Queued      bool      `parquet:"queued"`
	Completed   bool      `parquet:"completed"`
}

type check struct {
	Lock      *string  `parquet:"lock,optional"`
	Pos       int64    `parquet:"pos"`
	Len       int64    `parquet:"len"`
	ISize     int64    `parquet:"i_size"`
	IDisksize int64    `parquet:"i_disksize"`
	Align     *int64   `parquet:"align,optional"`
	Flags     []string `parquet:"flags,list"`
}

type buffered struct {
	Pos      int64    `parquet:"pos"`
	Len      int64    `parquet:"len"`
	Drained  bool     `parquet:"drained"`
	Copied   bool     `parquet:"copied"`
	Lock     *string  `parquet:"lock,optional"`
	InFlight int64    `parquet:"in_flight"`
	Refused  []string `parquet:"refused,list"`
}
