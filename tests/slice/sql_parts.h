/* For tests: what the parts of a question as SQL share (sql_ask.c, sql_cuts.c, sql_cells.c). */
#ifndef TESTS_SLICE_SQL_PARTS_H
#define TESTS_SLICE_SQL_PARTS_H

#include "tests/slice/sql.h"

/* Rows that see some combinations of groups only: those in the table `shown` (totals of visible
 * rows; of rows that a top dropped), or all members of an axis but those in it, per combination of
 * the axes before (the others of a top). */
enum sql_narrow { NARROW_NONE, NARROW_SHOWN, NARROW_DROPPED, NARROW_OTHERS };
enum { SQL_OTHER = 2000000000 }; /* the group of others, behind all */

struct sql_question {
    struct sql *sql;
    const vc_query *query;
    bool is_cut[SQL_DIMENSIONS];
    unsigned naxes, axes[SQL_AXES], levels[SQL_AXES];
    unsigned asked[SQL_NODES], nasked;
    bool is_wanted[SQL_NODES]; /* asked, compared, or needed for one of those */
    bool is_whole;    /* limits, tops and having leave no row out, or in the row of others */
    bool hides_facts; /* rows made last: some were left out, for want of a value, though they have
                         facts that totals may count */
    unsigned depth;   /* 0: rows of the answer; else cells that functions over members look at */
    enum sql_narrow narrow;
    unsigned narrow_axis; /* of NARROW_OTHERS, NARROW_DROPPED: the top's */
};

#define RUN(in, ...) sql_run((in)->sql, &(in)->sql->log, __VA_ARGS__)

/* Resolve a join along a dimension of the cube (sql_relate.c). */
void sql_relate(struct sql *sql, unsigned source, unsigned d);
/* Those of "o": `ro`(p, slot), leaves of its dimension d and slots of v's dimension `inner`;
 * ip<source>(slot, q); and the relations of v's sources through both. */
void sql_relate_outer(struct sql *sql, unsigned d, unsigned inner);

/* Which facts a measure sees through its source's place along a dimension, and how they count:
 * forms of T, each in the table `t`. */
enum sql_form { FORM_SET, FORM_FINER, FORM_MODE, NFORMS };
enum sql_form sql_form_of(const struct sql *sql, const struct sql_node *node, unsigned d);

unsigned sql_find_dimension(const struct sql *sql, vc_str name); /* of the cube */

/* Fill `pick` with what the conditions leave. Returns the code of an error, or NULL. */
const char *sql_select_slots(struct sql_question *in);

/* Does a condition of the query, by its one path, name a member of this level? */
bool sql_names_level(struct sql_question *in, unsigned d, unsigned level);

/* The kept axis on which a dimension of the cube is drilled; -1: none. */
int sql_axis_of(const struct sql_question *in, uint32_t kept, unsigned d);

/* Of the dimensions at hand that the measure's source does not have: has one this policy? */
bool sql_has_policy(const struct sql_question *in, unsigned m, uint32_t kept, vc_unrelated word);

/* "l0 IS 'A'"; an empty key is null. */
void sql_put_is(vc_buffer *out, unsigned level, vc_str key);

/* Fill `t`, `why` and `un` for a grouping, as far as wanted measures need them (sql_sets.c). */
void sql_translate(struct sql_question *in, uint32_t kept);

/* Make the rows of a grouping in `w`. */
void sql_make_rows(struct sql_question *in, uint32_t kept, bool is_sparse);

unsigned sql_find_node(const struct sql *sql, vc_str name);
/* Is a measure, or one that it is computed from, always refused (not_additive)? */
bool sql_is_refused(const struct sql *sql, unsigned m);

/* A measure, and what it is computed from, is needed. */
void sql_want(struct sql_question *in, unsigned m);

/* Functions over members (sql_calls.c): make the table of what one finds at other cells, before the
 * rows of the grouping are made; fill it in. */
void sql_prepare_call(struct sql_question *in, uint32_t kept, unsigned m);
void sql_fill_call(struct sql_question *in, uint32_t kept, unsigned m);

/* See what is `shown` only, until widened again (sql_narrow.c). */
void sql_narrow(struct sql_question *in, enum sql_narrow narrow, unsigned axis);
void sql_widen(struct sql_question *in);
/* The condition that a fact of the measure is among it: " AND EXISTS ..." */
void sql_put_narrow(const struct sql_question *in, const struct sql_node *node, uint32_t kept,
                    vc_buffer *out);
/* Do facts of the measure make rows? */
bool sql_makes_rows(const struct sql_question *in, const struct sql_node *node);
/* Put the rows of the others of a top into `w`, whose rows are `aside`; `shown` is filled. */
void sql_add_others(struct sql_question *in, enum sql_narrow narrow, unsigned axis);

/* Fill in a base measure in all rows of `w`. */
void sql_fill_base(struct sql_question *in, uint32_t kept, unsigned m);

#endif
