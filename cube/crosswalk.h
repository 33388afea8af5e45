/* A crosswalk as stored: a table from key to weighted keys, for the `map` step of a join.
 *
 * Byte columns of the object (texts: a count, count + 1 offsets, the bytes; all native 64-bit):
 * VC_CROSSWALK_FROM   texts, the distinct keys in the order of their bytes
 * VC_CROSSWALK_FIRST  uint32 [nkeys + 1], where a key's targets begin
 * VC_CROSSWALK_TO     texts, the targets, per key in the order of the file; then, where there are
 *                     notes, the note of each
 * VC_CROSSWALK_WEIGHT double [ntargets]; then, where rows hold for a time, int32 [ntargets] first
 *                     days and int32 [ntargets] last days (mapping/period.h)
 *
 * A key whose `to` is empty in the file is in the table and leads nowhere.
 * Threads: immutable. Lifetime: its arena and its snapshot.
 */
#ifndef CUBE_CROSSWALK_H
#define CUBE_CROSSWALK_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mapping/normalize.h"
#include "storage/store.h"

enum {
    VC_CROSSWALK_FROM = 0,
    VC_CROSSWALK_FIRST = 1,
    VC_CROSSWALK_TO = 2,
    VC_CROSSWALK_WEIGHT = 3,
    VC_CROSSWALK_COLUMNS
};

typedef struct vc_crosswalk vc_crosswalk;

/* Open a stored crosswalk. O(targets), once.
 * VC_NOT_FOUND, code "unknown_crosswalk", with candidates; VC_CORRUPT when the columns do not hold
 * together. */
vc_status vc_crosswalk_open(const vc_snapshot *snapshot, vc_str name, vc_arena *arena,
                            const vc_crosswalk **crosswalk_out, vc_error *error);

size_t vc_crosswalk_nkeys(const vc_crosswalk *crosswalk);

/* The targets of a key, in the order of the file; returns how many. *targets_out is in the
 * crosswalk. O(log keys). The first parameter is a vc_crosswalk: this is what
 * vc_crosswalk_source.find of mapping/normalize.h wants. */
size_t vc_crosswalk_find(const void *crosswalk, vc_str key,
                         const vc_crosswalk_target **targets_out);

/* ---- make ---- */

typedef struct vc_crosswalk_builder vc_crosswalk_builder;

vc_status vc_crosswalk_builder_new(vc_crosswalk_builder **builder_out, vc_error *error);
void vc_crosswalk_builder_free(vc_crosswalk_builder *builder); /* NULL is fine */

/* Add a row; the texts are copied. An absent or empty target->to leads nowhere. The same row again
 * is no second target: *is_new_out is false then. VC_BAD_INPUT, code "empty_key" for an empty
 * `from`; "duplicate_key" when the pair was there for the same time with another weight. */
vc_status vc_crosswalk_builder_add(vc_crosswalk_builder *builder, vc_str from,
                                   const vc_crosswalk_target *target, bool *is_new_out,
                                   vc_error *error);

/* Write the byte columns. The order of the rows does not matter but for the targets of one key. */
vc_status vc_crosswalk_builder_finish(const vc_crosswalk_builder *builder,
                                      vc_buffer columns[VC_CROSSWALK_COLUMNS], vc_error *error);

#endif
