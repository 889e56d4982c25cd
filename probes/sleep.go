package probes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// maxSpans is MAX_SPANS of bpf/sleep.h.
const maxSpans = 256

// span is the code of one function and what its frame in a stack tells (struct
// span of bpf/sleep.h).
type span struct {
	Start uint64
	Len   uint32 // bytes
	Frame frame
}

// frame is what a function tells (enum frame): a record.SleepCause, or one of these.
type frame uint32

const (
	frameSched frame = 64 // the scheduler
	frameIomap frame = 65 // iomap_dio_rw
	frameWrite frame = 66 // the write function
)

// sleepFuncs are the functions by which the cause of a sleep is told. Of key, one
// must be found, or no cause is told at all: without, say, the journal's functions
// a wait for the journal could pass for something around it. Real functions are
// named rather than their static parts, which compilers inline; where a function
// calls its last one by a jump, the callers are named as well.
var sleepFuncs = []struct {
	frame frame
	key   []string
	more  []string
}{
	{frameWrite, []string{"ext4_file_write_iter", "ext4_dio_write_iter"}, nil},
	{frameIomap, []string{"__iomap_dio_rw", "iomap_dio_rw"}, nil},
	{frameSched, []string{"__schedule"}, []string{
		"schedule", "io_schedule", "io_schedule_timeout", "schedule_timeout", "blk_io_schedule"}},
	{frame(record.SleepJBD2), []string{"jbd2__journal_start"}, []string{
		"jbd2_journal_start", "jbd2_journal_start_reserved", "start_this_handle", "wait_transaction_locked",
		"add_transaction_credits", "jbd2_journal_extend", "jbd2__journal_restart", "jbd2_journal_stop",
		"jbd2_journal_get_write_access", "do_get_write_access", "jbd2_journal_get_create_access",
		"jbd2_journal_dirty_metadata", "jbd2_journal_forget", "jbd2_journal_revoke",
		"jbd2_log_wait_commit", "jbd2_complete_transaction", "jbd2_journal_force_commit",
		"jbd2_journal_force_commit_nested", "jbd2_log_do_checkpoint", "__jbd2_log_wait_for_space",
		"ext4_fc_commit", "ext4_fc_start_update", "ext4_fc_track_inode", "ext4_fc_track_range"}},
	{frame(record.SleepMetadata), []string{"ext4_read_bh"}, []string{
		"ext4_read_bh_lock", "ext4_read_bh_nowait", "ext4_sb_bread", "ext4_sb_bread_unmovable", "__ext4_sb_bread_gfp",
		"__read_extent_tree_block", "ext4_get_branch", "ext4_bread", "ext4_bread_batch",
		"__ext4_get_inode_loc", "__ext4_get_inode_loc_noinmem", "ext4_get_inode_loc",
		"ext4_read_block_bitmap", "ext4_read_block_bitmap_nowait", "ext4_wait_block_bitmap",
		"__wait_on_buffer", "__lock_buffer", "__bread_gfp", "__bh_read"}},
	{frame(record.SleepDrain), []string{"inode_dio_wait"}, []string{"__inode_dio_wait", "inode_dio_wait_interruptible"}},
	{frame(record.SleepAllocator), []string{"ext4_mb_new_blocks"}, nil},
	{frame(record.SleepEndIO), []string{"iomap_dio_complete"}, nil},
	{frame(record.SleepMemory), []string{"__alloc_pages", "__alloc_pages_noprof", "__alloc_frozen_pages_noprof"}, []string{
		"__alloc_pages_slowpath", "try_to_free_pages", "do_try_to_free_pages", "try_to_free_mem_cgroup_pages",
		"try_charge_memcg", "shrink_node", "shrink_slab", "out_of_memory", "mempool_alloc", "mempool_alloc_noprof"}},
	{frame(record.SleepUserPages), []string{"bio_iov_iter_get_pages"}, []string{
		"iov_iter_extract_pages", "iov_iter_get_pages2", "pin_user_pages_fast", "internal_get_user_pages_fast",
		"gup_fast_fallback", "__gup_longterm_locked", "__get_user_pages", "handle_mm_fault",
		"fault_in_readable", "fault_in_iov_iter_readable", "do_user_addr_fault", "exc_page_fault", "do_page_fault"}},
	{frame(record.SleepDIOQueue), []string{"sb_init_dio_done_wq"}, []string{
		"alloc_workqueue", "alloc_workqueue_noprof", "__alloc_workqueue"}},
	{frame(record.SleepBlock), []string{"submit_bio"}, []string{
		"submit_bio_noacct", "submit_bio_noacct_nocheck", "__submit_bio", "blk_mq_submit_bio", "blk_mq_get_tag",
		"rq_qos_wait", "__rq_qos_throttle", "wbt_wait", "blk_queue_enter", "__bio_queue_enter",
		"blk_finish_plug", "__blk_flush_plug", "blk_mq_flush_plug_list"}},
}

// sleepModules are those that may hold sleepFuncs; "" is the kernel itself.
var sleepModules = []string{"", "ext4", "jbd2"}

// sleepFrames are what the functions in sleepFuncs tell, by name.
func sleepFrames() map[string]frame {
	frames := map[string]frame{}
	for _, g := range sleepFuncs {
		for _, name := range slices.Concat(g.key, g.more) {
			frames[name] = g.frame
		}
	}
	return frames
}

// spansOf returns the spans of those symbols whose size is known, ordered, or why there
// are none. What the compiler appended to a name, such as ".cold" or ".isra.0", is code
// of the same function.
func spansOf(all []found) (spans []span, why string) {
	frames, have := sleepFrames(), map[string]bool{}
	for _, s := range all {
		base, _, _ := strings.Cut(s.name, ".")
		if frames[base] == 0 || s.addr == 0 || !slices.Contains(sleepModules, s.module) {
			continue
		}
		have[base] = true
		if s.size > 0 {
			spans = append(spans, span{Start: s.addr, Len: uint32(min(s.size, 1<<20)), Frame: frames[base]})
		}
	}
	for _, g := range sleepFuncs {
		if !slices.ContainsFunc(g.key, func(n string) bool { return have[n] }) {
			return nil, fmt.Sprintf("no address of %s", strings.Join(g.key, " or "))
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.Start, b.Start) })
	spans = slices.CompactFunc(spans, func(a, b span) bool { return a.Start == b.Start })
	if len(spans) > maxSpans {
		return nil, fmt.Sprintf("%d functions tell it, and only %d fit", len(spans), maxSpans)
	}
	return spans, ""
}

// sleepTells is what the tracepoint of the scheduler tells on this kernel.
func sleepTells(f *Facts) string {
	if f.SleepCauses != "" {
		return "sleeps of NOWAIT writes, but not what for: " + f.SleepCauses
	}
	return "sleeps of NOWAIT writes, and what for"
}

// padSpans fills the table of the BPF object. What is left over begins behind
// every address.
func padSpans(spans []span) [maxSpans]span {
	var out [maxSpans]span
	for i := copy(out[:], spans); i < len(out); i++ {
		out[i].Start = ^uint64(0)
	}
	return out
}
