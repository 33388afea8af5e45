/* The plan of a query: everything looked up, nothing computed yet. Private to slice/.
 *
 * Words. A dimension of the cube has *slots* (leaves, then synthetic leaves). A *selection* is the
 * set of slots that the conditions leave. An *axis* is a drilled dimension: it has *groups* (the
 * members of the asked level, then one per bucket or synthetic member), and each slot one group. A
 * *grouping* is a set of axes that are kept, as a bit mask; the others are rolled up. A *pass* is a
 * source read once: all base measures of one source that see the same facts. A *cell key* is the
 * mixed-radix number of the groups on the kept axes, the first axis the most significant, so
 * ascending keys are member order.
 *
 *     plan.c       axes, measures, passes            selection.c   conditions -> selections
 *     table.c      selection + grouping -> a group per source leaf, for one pass
 *     units.c      units of a relation that are larger than a leaf, and the groups they touch
 *     shares.c     where facts count in parts: what share of a joined leaf each group has
 *     scan*.c      facts -> cells (scan.h)           cells*.c   the cells of a pass
 *     roll_up.c    cells of a coarser grouping from those of a finer one
 *     sets.c       from cells of sets of groups to those of groups
 *     distribute.c cells of joined leaves -> values of groups, by shares
 *     accumulator.c  what a cell accumulated -> the value of a measure
 *     aggregatable.c  dimensions without an All
 *     policy.c     dimensions that a source does not have
 *     grain.c      the cells of one grouping         calculate.c   measures computed from others
 *     frame.h      other groupings that functions over members look into
 *     calculated.h calculated members
 *     stitch.c     rows of one grouping              shape.c    having, top, order, limit
 *     narrow.c     some combinations only            other.c    the row of what a top leaves out
 *     engine.c     the whole, and the result         pieces.c   large answers, piece by piece
 *     coverage.c   the quality of the joins
 *     facts*.c     the facts behind a cell           naming.c   what single leaves are called
 *     lineage*.c   where a value comes from          join_keys.c  the keys that relations were made
 * of explain.c    how it is done, and the memory it needs
 */
#ifndef SLICE_PLAN_H
#define SLICE_PLAN_H

#include "slice/engine.h"
#include "slice/explain.h"

#include "base/bits.h"

enum { VC_MAX_AXES = 16 };

typedef struct vc_table vc_table;
typedef struct vc_cells vc_cells;
typedef struct vc_shares vc_shares;
typedef struct vc_spread vc_spread;
typedef struct vc_scan_stats vc_scan_stats;
typedef struct vc_frame vc_frame;
typedef struct vc_combinations vc_combinations; /* slice/narrow.h */

typedef struct vc_selection {
    bool is_cut;      /* some condition restricts the dimension, perhaps to everything */
    bool is_narrowed; /* to what rows show: no cut, but values that stand at a member of it have
                         their place in it */
    bool is_default;  /* the query does not speak of it: its default member */
    const struct vc_selection *whole; /* without the default: for who has a fix. NULL: no default */
    const uint64_t *slots;            /* [nslots] bits; NULL: all */
    uint32_t first, end;              /* the selected leaves lie in [first, end) */
    bool is_range;                    /* and are all of it */
    bool has_synthetic;               /* some selected slot is behind the leaves */
    /* Of a dimension that has calculated members: [ncalculated of the plan] bits of those that the
     * conditions select, and of those that they name. */
    const uint64_t *calculated;
    uint64_t *named;
    bool is_calculated; /* and nothing else is selected */
} vc_selection;

typedef struct vc_axis {
    size_t dimension; /* of the cube */
    unsigned hierarchy, level;
    const vc_level *stored;
    vc_dimref ref;
    uint32_t nleaves;
    const uint32_t *members;          /* [nleaves] of each leaf; VC_NONE where a ragged level has
                                         none */
    bool is_collapsed;                /* a bucket is one group, whatever the level */
    uint32_t ngroups;                 /* members, then synthetic groups */
    const uint32_t *synthetic_groups; /* of the slots behind the leaves */
    const vc_str *synthetic_keys;     /* [ngroups - nmembers] */
    bool has_other; /* the last group is what a top leaves out: of no slot, and not visible */
    const uint64_t *others;  /* [ngroups] bits: which groups that is, in some row or other; NULL
                                until they are known */
    const uint64_t *visible; /* [ngroups] bits: has a selected slot */
    uint32_t first_visible, end_visible;
    /* Calculated members of the dimension, whatever their level: groups of no slot, not visible. */
    uint32_t first_calculated;
    size_t ncalculated;
    const size_t *calculated; /* [ncalculated] numbers in the plan */
    const bool *is_shown;     /* [ncalculated] has rows; NULL: none */
    const uint32_t *ranks;    /* [ngroups] in member order; NULL: the groups ascend so */
} vc_axis;

/* The place of a group in member order. */
static inline uint32_t vc_axis_rank(const vc_axis *axis, uint32_t group)
{
    return axis->ranks == NULL ? group : axis->ranks[group];
}

/* Is a group a calculated member? Its number in the plan, or SIZE_MAX. */
static inline size_t vc_axis_calculated(const vc_axis *axis, uint32_t group)
{
    return group - axis->first_calculated < axis->ncalculated
               ? axis->calculated[group - axis->first_calculated]
               : SIZE_MAX;
}

/* May rows show the group? */
static inline bool vc_axis_may_show(const vc_axis *axis, uint32_t group)
{
    return (group >= axis->first_visible && group < axis->end_visible) ||
           (axis->has_other && group == axis->ngroups - 1) ||
           vc_axis_calculated(axis, group) != SIZE_MAX;
}

/* The group of a slot, selected or not; VC_NONE where it has none. A leaf's group is its member. */
static inline uint32_t vc_axis_group(const vc_axis *axis, uint32_t slot)
{
    return slot < axis->nleaves ? axis->members[slot]
                                : axis->synthetic_groups[slot - axis->nleaves];
}

/* A measure of the query, or one that something in it needs. Base measures belong to a pass. */
typedef struct vc_plan_measure {
    vc_str name, label, unit, format;
    vc_place place;                 /* of what asked for it, or for what it is computed for */
    const vc_cube_measure *measure; /* NULL: an expression of the query */
    vc_value_type type;
    unsigned scale;
    const vc_expr *expr;    /* calculated */
    const int *solve_order; /* NULL: before all calculated members */
    bool is_late;           /* uses functions over members: computed after calculated members */
    const size_t *operands; /* plan measures */
    size_t noperands;
    const size_t *call_dimensions; /* of its functions over members */
    size_t first_call;             /* number of the first of them in the plan */
    size_t pass, accumulator;      /* of a base measure */
    vc_str source_alias;           /* absent: calculated, or a source cube */
} vc_plan_measure;

typedef struct vc_accumulator_spec {
    vc_aggregator aggregator;
    vc_value_type type;     /* of the column */
    int column;             /* of the source's fact columns; -1: rows */
    int distinct_dimension; /* count_distinct of leaves; -1: of a column */
    /* of VC_AGG_WEIGHTED_AVG only: */
    int weight_column; /* of the source's fact columns */
    vc_value_type weight_type;
    double quantile; /* of VC_AGG_QUANTILE and VC_AGG_MEDIAN */
} vc_accumulator_spec;

typedef struct vc_pass {
    size_t source;
    vc_over over;
    size_t over_dimension;
    const vc_cube_fix *fixes;
    size_t nfixes;
    const vc_cube_fix *wheres;
    size_t nwheres;
    vc_join_mode mode;
    vc_reaggregate reaggregate; /* with VC_MODE_LOOKUP */
    bool allocates;             /* values are shared out below the source's grain */
    vc_accumulator_spec *accumulators;
    size_t naccumulators;
    const vc_combinations *combinations; /* only facts in one of them count; NULL: all do */
} vc_pass;

typedef struct vc_plan vc_plan;
struct vc_plan {
    vc_model *model;
    const vc_cube *cube;
    const vc_query *query;
    const vc_engine_options *options;
    vc_arena *arena;
    uint64_t deadline_ns;     /* monotonic */
    vc_selection *selections; /* [ndimensions] */
    vc_axis axes[VC_MAX_AXES];
    size_t naxes;
    vc_plan_measure *measures; /* the query's first, then those that are only needed */
    size_t nmeasures, nasked, max_measures;
    vc_place asking;  /* while planning: the place of the measure at hand */
    vc_str *left_out; /* [nleft_out] measures that a query for all of them does not get */
    size_t nleft_out;
    vc_pass *passes;
    size_t npasses;
    size_t ncalls;      /* of functions over members, of all measures */
    uint64_t nlooked;   /* cells they have looked into so far */
    size_t ncalculated; /* members: of the cube, then of the query */
    const vc_calculated *calculated;
    size_t ntargets;                  /* places that their operands lead to */
    vc_frame *frames;                 /* that these functions need */
    vc_plan *root;                    /* itself, or the plan that a frame's was made from */
    struct vc_cut_leaves *cut_leaves; /* of the root: cuts through mappings, made once for all
                                         groupings (table_mapped.c) */
    vc_str rows_name;                 /* explain: of a frame's rows; absent: the query's own */
    bool is_dry;                      /* explain only: nothing is read */
    vc_explain *explain;              /* NULL: not asked for */
    size_t max_scans;                 /* room in it */
    uint64_t nfacts_expected;         /* about how many count, of those that are read; 0: all */
    uint64_t scan_ns;                 /* time in scans so far */
    uint64_t held_bytes;              /* root: of cells that are kept, of rows and of frames */
};

vc_status vc_plan_make(vc_model *model, const vc_query *query, const vc_engine_options *options,
                       vc_arena *arena, vc_plan **plan_out, vc_error *error);

/* The same of measures [nmeasures] that the caller made, none of them calculated, in place of those
 * that the query names. */
vc_status vc_plan_make_of(vc_model *model, const vc_query *query, const vc_engine_options *options,
                          const vc_cube_measure *measures, size_t nmeasures, vc_arena *arena,
                          vc_plan **plan_out, vc_error *error);

/* A measure of the plan by name: one of the query's, a measure of the cube, or an expression over
 * them, added when it is not there yet. */
vc_status vc_plan_measure_of(vc_plan *plan, vc_str text, vc_place place, size_t *measure_out,
                             vc_error *error);

/* Does a name in `order` mean this axis? "geo", "geo.country", "date@weekly", "date@weekly.week".
 */
bool vc_axis_is_named(const vc_axis *axis, vc_str name);

/* Number the groups of an axis whose dimension, hierarchy, level and stored level are set, and find
 * out which are visible under the plan's selection. */
vc_status vc_axis_make(vc_plan *plan, vc_axis *axis, vc_error *error);

/* Axes or selections of a copy of a plan were changed: where values must now be shared out below
 * the grain of a source, it gets passes and measures of its own that do. */
vc_status vc_plan_reallocate(vc_plan *plan, vc_error *error);

/* Can a base measure be counted in parts where its pass does so? VC_IMPOSSIBLE "not_additive". */
vc_status vc_plan_check_parts(const vc_plan *plan, size_t measure, vc_error *error);

/* Fill in what follows from slots: first, end, is_range, has_synthetic. */
void vc_selection_measure(const vc_cube_dimension *outer, vc_selection *selection);

/* What the conditions of the query leave of each dimension. */
vc_status vc_plan_select(vc_plan *plan, vc_error *error);

/* Of other slots than before: which leaves they are, which groups of an axis they leave visible. */
void vc_selection_measure(const vc_cube_dimension *outer, vc_selection *selection);
vc_status vc_axis_find_visible(const vc_plan *plan, vc_axis *axis, vc_error *error);

uint64_t vc_plan_now(void); /* nanoseconds, monotonic */

/* Is a dimension of the source among fixes? */
static inline bool vc_fixes_hold(const vc_cube_fix *fixes, size_t nfixes, size_t source_dimension)
{
    for (size_t i = 0; i < nfixes; i++)
        if (fixes[i].source_dimension == source_dimension) return true;
    return false;
}

/* Is a dimension of the pass' source held by a fix, of the measures or of the source? */
static inline bool vc_pass_is_fixed(const vc_plan *plan, const vc_pass *pass,
                                    size_t source_dimension)
{
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    return vc_fixes_hold(pass->fixes, pass->nfixes, source_dimension) ||
           vc_fixes_hold(source->fixes, source->nfixes, source_dimension);
}

/* What a pass sees of a dimension that its source has: what the query selects. A fix replaces a
 * default member. */
static inline const vc_selection *vc_pass_selection(const vc_plan *plan, const vc_pass *pass,
                                                    size_t dimension)
{
    const vc_selection *selection = &plan->selections[dimension];
    const vc_binding *binding = &plan->cube->sources[pass->source].bindings[dimension];
    if (selection->whole == NULL) return selection;
    return vc_pass_is_fixed(plan, pass, binding->source_dimension) ? selection->whole : selection;
}

/* ---- explain (explain.c) ---- */

/* What is known before anything is scanned: measures and policies, and room for the scans. */
vc_status vc_plan_explain(vc_plan *plan, vc_error *error);

/* One scan. stats NULL: rolled up; cells NULL: not executed. */
vc_status vc_plan_explain_scan(vc_plan *plan, size_t pass, uint32_t kept, const vc_table *table,
                               const vc_scan_stats *stats, const vc_cells *cells, uint64_t ns,
                               vc_error *error);

/* VC_CANCELLED when the deadline has passed or the client has gone. */
vc_status vc_plan_check(const vc_plan *plan, vc_error *error);

/* The same for the head of a loop: asked at the first of its items, and again every so many, so few
 * that no loop over rows lasts longer than some milliseconds in between. */
enum { VC_LOOK_ITEMS = 32768 };

static inline vc_status vc_plan_look(const vc_plan *plan, uint64_t item, vc_error *error)
{
    return item % VC_LOOK_ITEMS != 0 ? VC_OK : vc_plan_check(plan, error);
}

/* ---- tables: how a pass finds the groups of a fact ---- */

/* One step of the scan: what the leaf in a fact column means. It passes or not; and where the
 * dimension is kept, it leads to a group, or through a ragged relation to several. */
typedef struct vc_step {
    uint16_t column;          /* dimension column of the source; VC_COLUMN_TUPLES + dimension of the
                                 cube when tuples of several columns stand for leaves */
    const vc_tuples *tuples;  /* NULL: of one column */
    const size_t *components; /* [tuples->ncomponents] the columns */
    uint32_t nleaves;         /* of the source's dimension; tuples */
    uint32_t first, end;      /* leaves that pass lie in [first, end) */
    const uint64_t *passing;  /* [nleaves] bits; NULL: all of [first, end) pass */
    uint32_t npassing;
    uint64_t stride;         /* of the axis in the cell key; 0: rolled up, all in group 0 */
    const uint32_t *groups;  /* [nleaves] groups of the leaves that pass; NULL: rolled up */
    bool is_ordered;         /* groups ascend with the leaves */
    bool is_marked;          /* groups of leaves that do not pass are VC_NONE */
    bool is_where;           /* of a measure, not of the query or the cube */
    const uint32_t *offsets; /* ragged: [nleaves + 1] into targets; else NULL */
    const uint32_t *targets;
    /* Ragged: `groups` are numbers of the sets of groups that leaves lead to. */
    uint32_t nsets;                            /* 0: they were not numbered, of an `over` step */
    const uint32_t *set_offsets, *set_targets; /* [nsets + 1] into targets */
    size_t axis;                               /* of the plan, where stride > 0 */
    size_t dimension;                          /* of the cube; SIZE_MAX: a fix */
    bool is_mapped;                            /* through a relation */
} vc_step;

/* No column of a source has such a number. */
#define VC_COLUMN_TUPLES 4096

static inline bool vc_step_passes(const vc_step *step, uint32_t leaf)
{
    return leaf >= step->first && leaf < step->end &&
           (step->passing == NULL || vc_bit_get(step->passing, leaf));
}

/* Fill in first, end, passing and npassing from bits [nleaves] that stay. The step is not marked
 * then. */
void vc_step_set_passing(vc_step *step, const uint64_t *bits);

/* What is known of a dimension's groups besides the values: does anything map to them? */
typedef struct vc_reach {
    bool is_bound; /* the pass' source has the dimension */
    bool is_relation;
    const uint64_t *mapped;   /* [ngroups, or 1 when rolled up] bits: T is not empty */
    const uint64_t *coarse;   /* likewise: the answer would need parts of a unit (reason g) */
    const uint64_t *repeated; /* likewise: it has whole units for parts (reason r); NULL: none */
} vc_reach;

struct vc_table {
    vc_step *steps;
    size_t nsteps;
    vc_reach *reaches; /* [ndimensions] */
    /* A cell key is the sum of (group - first) * stride over the bound, kept axes: the grid spans
     * the visible groups only. */
    uint64_t ncells;               /* keys are below */
    uint64_t strides[VC_MAX_AXES]; /* 0: rolled up or unbound */
    uint32_t firsts[VC_MAX_AXES], spans[VC_MAX_AXES];
    uint32_t repeated; /* mask of kept axes that the source does not have */
    /* Where facts count in parts: what is scanned, by classes of joined leaves in place of groups,
     * and how the classes lead to groups. NULL: this table is scanned. */
    vc_table *classes;
    const vc_shares *const *shares; /* [nshares] */
    size_t nshares;
};

/* The group of a cell key on an axis with a stride. */
static inline uint32_t vc_table_group(const vc_table *table, size_t axis, uint64_t key)
{
    return table->firsts[axis] + (uint32_t)(key / table->strides[axis] % table->spans[axis]);
}

vc_status vc_table_make(const vc_plan *plan, const vc_pass *pass, uint32_t kept,
                        vc_table **table_out, vc_error *error);

/* ---- cells: what a scan accumulates ---- */

typedef struct vc_accumulator {
    union {
        __int128 sum; /* int and decimal, exact */
        struct {
            double sum, correction; /* Neumaier */
        } f;
        int64_t extreme;
        double fextreme;
    } as;
    uint64_t count; /* of non-null values; of distinct ones */
} vc_accumulator;

/* What variances and weighted averages need. Integers are exact: a square, and a product of value
 * and weight, has 128 bits, which are summed up in two halves that cannot overflow. */
typedef struct vc_moments {
    union {
        struct { /* variances of integers: sums of values, and of the halves of their squares */
            __int128 sum;
            unsigned __int128 low, high;
        } squares;
        struct { /* variances of doubles, Neumaier; a square is exact, in two doubles */
            double sum, correction, squares, squares_correction;
        } powers;
        struct { /* weighted averages of integers: high * 2^64 + low is the sum of the products */
            __int128 weights, high;
            unsigned __int128 low;
        } weighted;
        struct { /* of doubles, Neumaier */
            double sum, correction, weights, weights_correction;
        } doubles;
    } as;
    uint64_t count; /* of values, and weights, that are not null */
} vc_moments;

/* How a cell keeps an accumulator: as narrow as is exact. */
typedef enum vc_keep {
    VC_KEEP_WIDE,    /* a vc_accumulator */
    VC_KEEP_MOMENTS, /* a vc_moments */
    VC_KEEP_SUM64,   /* an int64 sum of a column without nulls, which cannot overflow; its count is
                        that of the cell's facts */
    VC_KEEP_ROWS,    /* nothing: the number of the cell's facts is all */
} vc_keep;

/* What cells are to hold. They are kept densely when they are few, or at most as many as facts;
 * else by hash of the key, so that a cell costs nothing until a fact falls into it. */
typedef struct vc_cells_form {
    const vc_plan *plan;              /* asked while much is moved; NULL: not */
    uint64_t ncells;                  /* cell keys are below */
    const vc_accumulator_spec *specs; /* [nspecs], borrowed */
    const vc_keep *keeps;             /* [nspecs], copied; count_distinct is VC_KEEP_WIDE */
    const uint64_t *nids; /* [nspecs], copied: ids of a count_distinct are below; NULL: not known */
    size_t nspecs;
    uint64_t nrows;     /* facts that will fall into them, about */
    uint64_t max_slots; /* more cells than that make vc_cells_slots fail (VC_LIMIT) */
} vc_cells_form;

vc_status vc_cells_new(const vc_cells_form *form, vc_cells **cells_out, vc_error *error);
void vc_cells_free(vc_cells *cells);

/* Bytes that nlanes such cells objects and what they are merged to need at most, when nrows facts
 * fall into them in all. Exact for dense cells, all of them touched; else an upper bound. */
uint64_t vc_cells_estimate(const vc_cells_form *form, uint64_t nrows, size_t nlanes);

/* The same of cells that there are: what is held of them once they are merged. */
uint64_t vc_cells_bytes(const vc_cells *cells);
bool vc_cells_fit_densely(const vc_cells_form *form);
bool vc_cells_is_dense(const vc_cells *cells); /* the slot of a key is the key */

/* The slots of cell keys, made when new. VC_LIMIT "limit_cells" when they are more than max_slots.
 * slots_out [n] must not overlap keys. Not for cells that were merged. */
vc_status vc_cells_slots(vc_cells *cells, const uint64_t *keys, size_t n, uint32_t *slots_out,
                         vc_error *error);
size_t vc_cells_count(const vc_cells *cells); /* slots are below; some may be unused: 0 facts */
uint64_t vc_cells_key(const vc_cells *cells, uint32_t slot);
uint32_t vc_cells_find(const vc_cells *cells, uint64_t key); /* VC_NONE: no facts */
uint64_t *vc_cells_rows(vc_cells *cells);                    /* [count] facts of each slot */
const uint64_t *vc_cells_facts(const vc_cells *cells);       /* the same, to be read */
const vc_keep *vc_cells_keeps(const vc_cells *cells);        /* [nspecs] */
vc_accumulator *vc_cells_accumulators(vc_cells *cells, size_t spec); /* [count] of VC_KEEP_WIDE */
int64_t *vc_cells_sums(vc_cells *cells, size_t spec);                /* [count] of VC_KEEP_SUM64 */
vc_moments *vc_cells_moments(vc_cells *cells, size_t spec);          /* of VC_KEEP_MOMENTS */
const vc_moments *vc_cells_read_moments(const vc_cells *cells, size_t spec, uint32_t slot);
/* Whatever way it is kept, moments apart. */
vc_accumulator vc_cells_read(const vc_cells *cells, size_t spec, uint32_t slot);
/* Ids [n] seen at slots, for count_distinct. What they count can be read after merging. VC_CORRUPT
 * when an id is not below nids. */
vc_status vc_cells_add_ids(vc_cells *cells, size_t spec, const uint32_t *slots, const uint32_t *ids,
                           size_t n, vc_error *error);
/* For tests: cells of at most dense_bytes are dense whatever the facts are (0: only a single one
 * is); bitmaps of ids have at most bitmap_bytes. For all queries from then on; not while one runs.
 */
void vc_cells_set_limits(uint64_t dense_bytes, uint64_t bitmap_bytes);

/* Make one of parts [nparts >= 1] of one form, by the threads of pool (NULL: the caller's). The
 * bytes depend on the parts and their order only. Whoever has one part only merges it, too, before
 * distinct ids are read. parts[0] may become the result, and NULL; the others stay the caller's, to
 * be freed and not used. VC_LIMIT "limit_cells" when all together have more than max_slots. Where
 * that lasts, the plan is asked whether it goes on (NULL: it does): VC_CANCELLED. */
vc_status vc_cells_merge(vc_pool *pool, const vc_plan *plan, vc_cells **parts, size_t nparts,
                         vc_cells **cells_out, vc_error *error);
/* Add one cell of `from` to a slot of `into`, which keeps alike and has no distinct counts. */
void vc_cells_add(vc_cells *into, uint32_t slot, const vc_cells *from, uint32_t from_slot);
/* The same of each of n cells, from_slots[i] to slots[i]. */
void vc_cells_add_all(vc_cells *into, const uint32_t *slots, const vc_cells *from,
                      const uint32_t *from_slots, size_t n);

/* What a scan did, or without executing it, would do at most. */
struct vc_scan_stats {
    uint64_t nsegments, nsegments_skipped;
    uint64_t nblocks, nblocks_skipped;
    uint64_t nrows, nrows_scanned, nrows_kept, nbytes;
    uint64_t memory_bytes;
    bool is_dense;
    unsigned nthreads;
};

/* Read the facts of a pass. Fails with VC_LIMIT "limit_memory" when what it may need at most is
 * more than the limit.
 *
 * cells_out  NULL: nothing is read; stats are what the zone maps promise */
vc_status vc_scan_run(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                      vc_cells **cells_out, vc_scan_stats *stats, vc_error *error);

/* What a scan by sets of groups made on the way: a cell per combination of a set of each ragged
 * step with a group of each other one. Each fact is in one of them. (sets.c) */
typedef struct vc_set_cells {
    const vc_table *table; /* whose steps they are; a stride that is not 0 says that it is kept */
    const uint32_t *spans; /* [nsteps of it] sets, or visible groups, of those that are kept */
    vc_cells *cells;       /* by key, the first kept ragged step running fastest, the others behind
                              the ragged ones; NULL: nothing was read */
} vc_set_cells;

/* The same, and what it may keep for groupings that keep fewer axes. The caller frees the cells.
 *
 * sets_out  *sets_out stays NULL where facts were not scanned by sets, or the sets are too many to
 *           be kept. In the plan's arena. NULL: not wanted */
vc_status vc_scan_run_keeping(const vc_plan *plan, const vc_pass *pass, const vc_table *table,
                              vc_cells **cells_out, vc_set_cells **sets_out, vc_scan_stats *stats,
                              vc_error *error);

/* The cells of a table that keeps the same axes, or fewer: each cell of sets is added to those of
 * all groups of its sets. O(cells of sets + what they are added to), by the threads of the plan's
 * pool where that is much.
 *
 * form  of the cells that are made; keeps like those of the sets
 *
 * VC_LIMIT "limit_cells"; VC_CANCELLED. */
vc_status vc_set_cells_share(const vc_plan *plan, const vc_set_cells *sets, const vc_table *table,
                             const vc_cells_form *form, vc_cells **cells_out, vc_error *error);

/* By how many threads nfrom cells of sets are shared out, each into cells of that form. */
size_t vc_set_cells_count_jobs(const vc_plan *plan, uint64_t nfrom, const vc_cells_form *form);

/* 10^scale, of a scale of at most VC_SCALE_MAX. */
static inline uint64_t vc_pow10(unsigned scale)
{
    uint64_t power = 1;
    while (scale-- > 0)
        power *= 10;
    return power;
}

/* The value of a measure from what was accumulated in a cell that has facts: null `n` when all of
 * them are null. Not of moments. VC_OVERFLOW "overflow" when it does not fit the measure's type. */
vc_status vc_accumulator_cell(const vc_plan *plan, const vc_plan_measure *measure,
                              const vc_accumulator *from, vc_cell *cell, vc_error *error);

/* The same of a cell, moments too. */
vc_status vc_cells_value(const vc_plan *plan, const vc_plan_measure *measure, const vc_cells *cells,
                         uint32_t slot, vc_cell *cell, vc_error *error);

/* Can the cells of a grouping be added up exactly to those of one that keeps fewer axes? Only when
 * each fact is in one cell, no part of a unit was left out, and all sums are exact.
 *
 * has_sets  the cells of sets were kept, of which each fact is in one */
bool vc_cells_can_roll_up(const vc_plan *plan, const vc_pass *pass, const vc_table *from,
                          bool has_sets);

/* The cells of `to` from those of `from`, or where they are there, of its sets (NULL: not). */
vc_status vc_cells_roll_up(const vc_plan *plan, const vc_pass *pass, const vc_table *from,
                           const vc_cells *cells, const vc_set_cells *sets, const vc_table *to,
                           vc_cells **cells_out, vc_error *error);

/* Neumaier's compensated addition (ZAMM 54, 1974). */
static inline void vc_sum_add(double *sum, double *correction, double value)
{
    double total = *sum + value;
    if (__builtin_fabs(*sum) >= __builtin_fabs(value))
        *correction += (*sum - total) + value;
    else
        *correction += (value - total) + *sum;
    *sum = total;
}

/* ---- shares: facts that count in parts ---- */

/* What a group has of the facts of a class: with a lookup, how many units of the group find it. */
typedef struct vc_share {
    double weight;
    uint32_t group;
    bool is_estimated; /* not all of it, or shared out below the grain (reason a) */
} vc_share;

/* A dimension along which facts count in parts. Joined leaves that lead to the same groups in the
 * same parts are one *class*; with a lookup, each leaf (or bucket) is one. */
struct vc_shares {
    size_t dimension; /* of the cube */
    size_t axis;      /* SIZE_MAX: rolled up, all is group 0 */
    bool is_lookup;
    vc_step step; /* leaf -> class */
    uint32_t nclasses;
    const uint32_t *offsets; /* [nclasses + 1] into items */
    const vc_share *items;   /* ascending by group in a class; a class has some */
    /* Lookup: units of the selection in each group, and those of them that find a leaf. */
    const uint32_t *nunits, *nmatched;
    vc_reach reach;
};

/* The values of a pass whose facts count in parts: what cells are to others. */
struct vc_spread {
    size_t nrows;
    const uint64_t *keys; /* [nrows] cell keys of the table, ascending */
    const vc_cell *cells; /* [nrows * naccumulators of the pass] */
};

/* Do units of the binding's relation straddle the groups of the drilled axes, or the selection, so
 * that their values would have to be allocated? */
bool vc_plan_splits_units(const vc_plan *plan, size_t dimension, const vc_binding *binding);

/* From the cells of classes to values of groups. cells of the pass, of table->classes; the
 * result is in the plan's arena. Errors: VC_OVERFLOW, VC_LIMIT "limit_memory", VC_CANCELLED. */
vc_status vc_distribute(const vc_plan *plan, size_t pass, const vc_table *table,
                        const vc_cells *cells, const vc_spread **spread_out, vc_error *error);

/* The value of a base measure in a row. groups [naxes] of the row; *has_facts_out: some facts fell
 * into it. */
vc_cell vc_spread_cell(const vc_plan *plan, const vc_plan_measure *measure, const vc_table *table,
                       const vc_spread *spread, const uint32_t *groups, bool *has_facts_out);

/* ---- the cells of one grouping ---- */

typedef struct vc_rows vc_rows;

typedef struct vc_policy {   /* what happens to all cells of a base measure in a grouping */
    bool is_unrelated;       /* a private dimension of another source: null, reason x */
    const uint64_t **stands; /* [naxes] likewise but for these groups of a kept axis, [ngroups]
                                bits; NULL: all of them. NULL: of all axes */
    bool is_repeated;        /* likewise, but present: reason r */
    bool is_undefined;       /* would add up a dimension that has no All: null, reason d */
    bool is_known;           /* has been found out */
} vc_policy;

typedef struct vc_grain {
    vc_plan *plan;
    uint32_t kept;             /* mask of axes */
    vc_table **tables;         /* [npasses]; NULL: not needed so far */
    vc_cells **cells;          /* [npasses]; NULL: not scanned, or released */
    vc_set_cells **sets;       /* [npasses] kept with the cells; NULL: none */
    const vc_spread **spreads; /* [npasses] likewise, of those whose facts count in parts */
    uint64_t *held_bytes;      /* [npasses] of cells */
    bool *is_scanned;          /* [npasses] */
    vc_policy *policies;       /* [nmeasures of the plan] */
} vc_grain;

/* Nothing is scanned yet. */
vc_status vc_grain_new(vc_plan *plan, uint32_t kept, vc_grain **grain_out, vc_error *error);

/* What the policies about dimensions that its source does not have mean for a base measure, where
 * the axes of `kept` are kept. VC_IMPOSSIBLE "unrelated". (policy.c) */
vc_status vc_policy_find(const vc_plan *plan, uint32_t kept, const vc_plan_measure *measure,
                         vc_policy *policy, vc_error *error);

/* Has what the query selects of the dimension all of the member? */
vc_status vc_policy_covers(const vc_plan *plan, const vc_standing *standing, bool *covers_out,
                           vc_error *error);

/* What holds for all cells of a base measure. Errors: unrelated, not_aggregatable. */
vc_status vc_grain_find_policy(vc_grain *grain, size_t measure, vc_error *error);

/* A dimension without an All cannot be rolled up: where the rows of the query themselves leave it
 * open the query is wrong (VC_IMPOSSIBLE, "not_aggregatable"), in their totals the measure is
 * undefined. (aggregatable.c) */
vc_status vc_grain_check_aggregatable(const vc_grain *grain, const vc_plan_measure *measure,
                                      vc_policy *policy, vc_error *error);

/* Make it possible to read a base measure: its pass is scanned, once, unless its policy says that
 * all its cells are null.
 *
 * finer  a grain of the same plan that keeps at least these axes, or NULL: what can be rolled up
 *        from there exactly is not scanned again */
vc_status vc_grain_need(vc_grain *grain, size_t measure, const vc_grain *finer, vc_error *error);

/* The cell of a base measure that was needed, at groups [naxes] of the kept axes. A null
 * says why. has_facts_out: facts fell into it. */
vc_status vc_grain_read(const vc_grain *grain, size_t measure, const uint32_t *groups,
                        vc_cell *cell_out, bool *has_facts_out, vc_error *error);

void vc_grain_release(vc_grain *grain); /* its cells; NULL is fine */

/* ---- calculated measures ---- */

typedef struct vc_row_at { /* the row at hand */
    vc_grain *grain;
    vc_frame *frame;    /* where there are functions over members or calculated ones; else NULL */
    uint32_t *groups;   /* [naxes] */
    vc_cell *cells;     /* [nmeasures of the plan] */
    bool *is_done;      /* [nmeasures] */
    bool has_facts;     /* some base measure has */
    bool is_calculated; /* it stands at a calculated member */
} vc_row_at;

/* Fill in the cells of a row, base measures and calculated ones. */
vc_status vc_row_fill(vc_row_at *row, vc_error *error);

/* The cell of one measure of a row: filled in now if it was not. */
vc_status vc_row_cell(vc_row_at *row, size_t measure, vc_error *error);

/* Free what functions over members have looked into. NULL is fine. */
void vc_frames_release(vc_plan *plan);

/* A cell as expressions count. */
vc_number vc_cell_number(const vc_plan_measure *measure, const vc_cell *cell);

/* ---- rows of one grouping ---- */

struct vc_rows {
    uint32_t kept; /* mask of axes */
    size_t nrows;
    uint64_t *keys; /* [nrows] ascending, over all kept axes */
    vc_cell *cells; /* [nrows * nmeasures of the plan] */
    vc_grain *grain;
    vc_table **tables; /* [npasses], of the grain */
    vc_cells **passes; /* [npasses], of the grain; NULL: not needed, or released */
    uint64_t strides[VC_MAX_AXES];
    bool hides_facts; /* rows were left out, for want of a value, whose facts totals may count */
};

/* Free the cells of the passes; what was stitched from them stays. NULL is fine. */
void vc_rows_release(vc_rows *rows);

/* Scan all passes for a grouping and put their cells together. is_sparse: drop rows whose asked
 * measures are all null (or a count of 0). With kept == 0 there is exactly one row.
 *
 * finer  rows that keep at least these axes and were not released, or NULL: passes whose cells can
 *        be rolled up from there exactly are not scanned again */
vc_status vc_stitch(vc_plan *plan, uint32_t kept, bool is_sparse, const vc_rows *finer,
                    vc_rows **rows_out, vc_error *error);

/* The same for rows that are known: keys [nkeys] ascending, which become the rows' own; all of them
 * stay, whatever is in them. */
vc_status vc_stitch_keys(vc_plan *plan, uint32_t kept, uint64_t *keys, size_t nkeys,
                         const vc_rows *finer, vc_rows **rows_out, vc_error *error);

/* Do the asked measures of a row say anything? A count of 0 does not. */
bool vc_row_has_value(const vc_plan *plan, const vc_cell *cells);

/* The group of a row on a kept axis. */
uint32_t vc_rows_group(const vc_plan *plan, const vc_rows *rows, uint64_t key, size_t axis);

/* having, top, order: which rows of the detail stay, in which order. order_out [nrows]. A top that
 * shows the others, too, puts other rows in the place of the detail. */
vc_status vc_shape(vc_plan *plan, vc_rows **detail, uint32_t **order_out, size_t *nkept_out,
                   vc_error *error);

#endif
