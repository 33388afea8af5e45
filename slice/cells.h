/* The inside of the cells of a pass, for cells.c and cells_merge.c only.
 *
 * Few possible cells, or no more than there are facts, are kept densely: the slot is the key.
 * Otherwise a cell gets a slot when its first fact arrives. A hash of the key says in which of 64
 * *partitions* the cell is, and where in the index, an open-addressing table of 8 bytes an entry.
 * Slots are given to partitions by chunks of 64, so that the cells of one partition lie together in
 * the arrays: partitions are merged independently of each other, by as many threads.
 */
#ifndef SLICE_CELLS_H
#define SLICE_CELLS_H

#include "slice/plan.h"

enum { VC_NPARTITIONS = 64, VC_CELL_CHUNK = 64 };

typedef struct vc_cell_index {
    uint64_t *entries; /* [size] tag << 32 | slot + 1 - first_slot; 0: free. Half are, at least */
    size_t size;
    uint32_t first_slot; /* in cells that were merged; else 0 */
} vc_cell_index;

/* The slots of a partition. */
typedef struct vc_partition {
    size_t count;
    uint32_t next_slot, end_slot;     /* left in the last chunk */
    uint32_t first_chunk, last_chunk; /* of those it was given; VC_NONE: none */
} vc_partition;

/* A set of (slot, id) in the slots of a partition. */
typedef struct vc_id_set {
    uint64_t *items; /* pair + 1; 0: free */
    size_t count, capacity;
} vc_id_set;

/* What count_distinct has seen: a bitmap per slot when ids are few enough, else sets of pairs. */
typedef struct vc_distinct {
    uint64_t *bits; /* [capacity * nwords] */
    size_t nwords;  /* 0: pairs */
    vc_id_set sets[VC_NPARTITIONS];
} vc_distinct;

struct vc_cells {
    const vc_accumulator_spec *specs;
    vc_keep *keeps;      /* [nspecs] */
    uint64_t *nids;      /* [nspecs] ids are below */
    const vc_plan *plan; /* asked while an index or a set grows; NULL: not */
    size_t nspecs;
    uint64_t ncells, max_slots;
    bool is_dense;
    unsigned dense_shift;   /* the partition of a dense slot is slot >> dense_shift */
    bool is_wide;           /* keys have more than 32 bits: the tag is of the hash, not the key */
    size_t count, capacity; /* slots given to partitions, or all of the dense ones */
    uint64_t nused;         /* of these, that have a key */
    uint64_t *keys;         /* [count]; NULL when dense */
    uint64_t *rows;
    void **accumulators;    /* [nspecs][capacity] of what the keep says; NULL: nothing */
    vc_distinct **distinct; /* [nspecs]; NULL: not count_distinct */
    /* Cells that facts fall into have one index, so that it grows by few large steps; merged ones
     * have one per partition, made by as many threads. */
    vc_cell_index indexes[VC_NPARTITIONS];
    size_t nindexes; /* 1 or VC_NPARTITIONS */
    vc_partition partitions[VC_NPARTITIONS];
    uint32_t *next_chunks; /* [capacity / VC_CELL_CHUNK] of the same partition; VC_NONE: the last */
    uint8_t *owners;       /* [capacity / VC_CELL_CHUNK] the partition */
};

/* The finalizer of MurmurHash3: cell keys are dense numbers, their low bits alone would cluster. */
static inline uint64_t vc_cell_hash(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xFF51AFD7ED558CCDu;
    key ^= key >> 33;
    key *= 0xC4CEB9FE1A85EC53u;
    return key ^ key >> 33;
}

static inline size_t vc_cell_partition(uint64_t hash)
{
    return hash % VC_NPARTITIONS;
}

/* Where in an index to begin: bits of the hash that do not choose the partition. */
static inline size_t vc_cell_place(const vc_cell_index *index, uint64_t hash)
{
    return (size_t)(hash >> 32) & (index->size - 1);
}

/* The place of a key, or of the free entry for it. keys is by the slots in the index' entries. */
static inline size_t vc_cell_probe(const vc_cell_index *index, const uint64_t *keys, bool is_wide,
                                   uint64_t key, uint64_t hash)
{
    uint64_t tag = is_wide ? hash >> 32 : key;
    size_t at = vc_cell_place(index, hash);
    while (index->entries[at] != 0 && (index->entries[at] >> 32 != tag ||
                                       (is_wide && keys[(uint32_t)index->entries[at] - 1] != key)))
        at = (at + 1) & (index->size - 1);
    return at;
}

static inline uint64_t vc_cell_entry(bool is_wide, uint64_t key, uint64_t hash, uint32_t slot)
{
    return (is_wide ? hash >> 32 : key) << 32 | (slot + UINT64_C(1));
}

static inline size_t vc_keep_bytes(vc_keep keep)
{
    switch (keep) {
    case VC_KEEP_WIDE: return sizeof(vc_accumulator);
    case VC_KEEP_MOMENTS: return sizeof(vc_moments);
    case VC_KEEP_SUM64: return sizeof(int64_t);
    case VC_KEEP_ROWS: break;
    }
    return 0;
}

/* An index of size entries, a power of two; it stays as it was when that fails. Where it is large
 * the plan is asked meanwhile (NULL: it is not). VC_NO_MEMORY, VC_CANCELLED. */
vc_status vc_cell_index_grow(const vc_plan *plan, vc_cell_index *index, bool is_wide, size_t size,
                             vc_error *error);

/* Put a pair into a set; is_new_out says whether it was not there. The plan is asked before a large
 * set grows (NULL: it is not). VC_NO_MEMORY, VC_CANCELLED. */
vc_status vc_id_set_add(const vc_plan *plan, vc_id_set *set, uint32_t slot, uint32_t id,
                        bool *is_new_out, vc_error *error);

/* Cells like others by key, without slots, to merge them into. */
vc_status vc_cells_new_like(const vc_cells *other, vc_cells **cells_out, vc_error *error);

/* Room for capacity slots in all; those that the first call makes are zero. */
bool vc_cells_reserve(vc_cells *cells, size_t capacity);

vc_status vc_cells_fail_limit(const vc_cells *cells, vc_error *error);

#endif
