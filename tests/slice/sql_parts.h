/* For tests: what the parts of a question as SQL share (sql_ask.c, sql_cuts.c, sql_cells.c). */
#ifndef TESTS_SLICE_SQL_PARTS_H
#define TESTS_SLICE_SQL_PARTS_H

#include "tests/slice/sql.h"

struct sql_question {
    struct sql *sql;
    const vc_query *query;
    bool is_cut[SQL_DIMENSIONS];
    unsigned naxes, axes[SQL_AXES], levels[SQL_AXES];
    unsigned asked[SQL_NODES], nasked;
    bool is_wanted[SQL_NODES]; /* asked, compared, or needed for one of those */
};

#define RUN(in, ...) sql_run((in)->sql, &(in)->sql->log, __VA_ARGS__)

unsigned sql_find_dimension(const struct sql *sql, vc_str name); /* of the cube */

/* Fill `pick` with what the conditions leave. Returns the code of an error, or NULL. */
const char *sql_select_slots(struct sql_question *in);

/* The kept axis on which a dimension of the cube is drilled; -1: none. */
int sql_axis_of(const struct sql_question *in, uint32_t kept, unsigned d);

/* Of the dimensions at hand that the measure's source does not have: has one this policy? */
bool sql_has_policy(const struct sql_question *in, unsigned m, uint32_t kept, vc_unrelated word);

/* "l0 IS 'A'"; an empty key is null. */
void sql_put_is(vc_buffer *out, unsigned level, vc_str key);

/* Fill in a base measure in all rows of `w`. */
void sql_fill_base(struct sql_question *in, uint32_t kept, unsigned m);

#endif
