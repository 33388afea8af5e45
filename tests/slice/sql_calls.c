/* Functions over members as SQL. What one looks at are cells of other groupings, or of other
 * members: those are made like rows, in `w`, before the rows at hand, and what the function comes
 * to is kept in a table at<depth>_<measure>(g0, g1, ..., v, r), by the groups of the rows at hand.
 */
#include "tests/slice/sql_parts.h"

#include <stdio.h>
#include <string.h>

struct calling {
    struct sql_question *in;
    uint32_t kept;
    unsigned m, x, d;
    int axis; /* -1: the dimension is rolled up */
    const struct world_call *call;
    char table[32];
};

/* ---- cells elsewhere ---- */

/* "g0, g1, ..." with something else in place of one. */
static void put_groups(const char *prefix, int axis, const char *instead, vc_buffer *out)
{
    for (int a = 0; a < SQL_AXES; a++)
        if (a == axis)
            vc_buffer_printf(out, "%s%s", a > 0 ? ", " : "", instead);
        else
            vc_buffer_printf(out, "%s%sg%d", a > 0 ? ", " : "", prefix, a);
}

/* " AND a.g0 = b.g0 ..." but for one axis. */
static void put_same(const char *a, const char *b, int but, vc_buffer *out)
{
    for (int axis = 0; axis < SQL_AXES; axis++)
        if (axis != but) vc_buffer_printf(out, " AND %sg%d = %sg%d", a, axis, b, axis);
}

/* Make the cells of the argument, with the axis at a level; level -1: rolled up. In the table
 * `cells`(g0, ..., v, r). Returns the axis that the dimension has there. */
static int make_cells(struct calling *at, int level, bool is_lifted)
{
    struct sql_question *in = at->in, saved = *in;
    uint32_t kept = at->kept;
    int axis = at->axis;
    for (unsigned a = 0; a < in->naxes && axis < 0; a++)
        if (in->axes[a] == at->d) axis = (int)a;
    if (axis < 0) axis = (int)in->naxes++;
    in->axes[axis] = at->d;
    in->levels[axis] = level < 0 ? 0 : (unsigned)level;
    kept = level < 0 ? kept & ~(1u << axis) : kept | 1u << axis;
    memset(in->is_wanted, 0, sizeof in->is_wanted);
    sql_want(in, at->x);
    in->depth++;
    if (is_lifted) {
        in->is_cut[at->d] = false; /* also for what the argument finds elsewhere: at All */
        RUN(in, "DROP TABLE IF EXISTS pick%u", in->depth);
        RUN(in, "CREATE TABLE pick%u AS SELECT slot FROM pick WHERE d = %u", in->depth, at->d);
        RUN(in, "INSERT OR IGNORE INTO pick SELECT %u, slot FROM x%u WHERE vis", at->d, at->d);
    }
    sql_make_rows(in, kept, false);
    if (is_lifted)
        RUN(in, "DELETE FROM pick WHERE d = %u AND slot NOT IN (SELECT slot FROM pick%u)", at->d,
            in->depth);
    *in = saved;
    RUN(in, "DROP TABLE IF EXISTS cells");
    vc_buffer groups = {0};
    put_groups("", -1, "", &groups);
    RUN(in, "CREATE TABLE cells AS SELECT %s, v%u AS v, r%u AS r FROM w", vc_buffer_text(&groups),
        at->x, at->x);
    vc_buffer_release(&groups);
    return axis;
}

/* Add the cells to the table, each for the groups `c` of its group `p`: SELECT c, p. */
static void add_cells(struct calling *at, int axis, const char *pairs)
{
    vc_buffer groups = {0};
    put_groups("cells.", axis, "c", &groups);
    RUN(at->in, "INSERT INTO %s SELECT %s, v, r FROM cells JOIN (%s) ON p = cells.g%d", at->table,
        vc_buffer_text(&groups), pairs, axis);
    vc_buffer_release(&groups);
}

/* ---- parent ---- */

static void prepare_parent(struct calling *at)
{
    char pairs[256];
    unsigned level = at->in->levels[at->axis];
    make_cells(at, -1, false); /* of All: members of the first level, and buckets */
    snprintf(
        pairs, sizeof pairs,
        "SELECT DISTINCT g%u AS c, 0 AS p FROM x%u WHERE CASE WHEN syn THEN g%u %% 1000000 = 0 "
        "ELSE %d END",
        level, at->d, level, level == 0);
    add_cells(at, at->axis, pairs);
    if (level > 0) {
        make_cells(at, (int)level - 1, false);
        snprintf(pairs, sizeof pairs, "SELECT DISTINCT g%u AS c, g%u AS p FROM x%u WHERE NOT syn",
                 level, level - 1, at->d);
        add_cells(at, at->axis, pairs);
    }
    /* Of what is in a bucket, the bucket: a member of the first level, where there are more (g3).
     */
    int bucket = at->in->sql->dimensions[at->d].stored->nlevels > 1 ? 0 : WORLD_LEVELS;
    make_cells(at, bucket, false);
    snprintf(pairs, sizeof pairs,
             "SELECT DISTINCT g%u AS c, g%d AS p FROM x%u WHERE syn AND g%u %% 1000000 <> 0", level,
             bucket, at->d, level);
    add_cells(at, at->axis, pairs);
}

/* ---- previous ---- */

/* SELECT g, place: the members of a level that the cube has, in their order. */
static void put_order(const struct calling *at, unsigned level, vc_buffer *out)
{
    vc_buffer_printf(out,
                     "SELECT g, row_number() OVER (ORDER BY g) AS place FROM (SELECT DISTINCT g%u "
                     "AS g FROM x%u WHERE vis)",
                     level, at->d);
}

/* The level and member at which a cut leaves the cell standing: all of one member, at the level
 * that a condition names, else at the highest. -1: there is no such. */
static int find_position(const struct calling *at, int64_t *member_out)
{
    struct sql_question *in = at->in;
    struct sql *sql = in->sql;
    const struct world_dimension *stored = sql->dimensions[at->d].stored;
    int best = -1;
    if (!in->is_cut[at->d] ||
        sql_number(sql, "SELECT count(*) FROM pick JOIN x%u USING (slot) WHERE d = %u AND syn",
                   at->d, at->d) > 0)
        return -1;
    for (int level = (int)stored->nlevels - 1; level >= 0; level--) {
        bool is_one =
            sql_number(
                sql,
                "SELECT count(DISTINCT g%d) = 1 AND count(*) = (SELECT count(*) FROM x%u "
                "WHERE vis AND g%d = (SELECT min(g%d) FROM pick JOIN x%u USING (slot) WHERE d "
                "= %u)) FROM pick JOIN x%u USING (slot) WHERE d = %u",
                level, at->d, level, level, at->d, at->d, at->d, at->d) > 0;
        if (!is_one) continue;
        best = level;
        if (sql_names_level(in, at->d, (unsigned)level)) break;
    }
    if (best >= 0)
        *member_out =
            sql_number(sql, "SELECT min(g%d) FROM pick JOIN x%u USING (slot) WHERE d = %u", best,
                       at->d, at->d);
    return best;
}

static void prepare_previous(struct calling *at)
{
    vc_buffer order = {0}, pairs = {0};
    unsigned count = at->call->count > 0 ? at->call->count : 1;
    int64_t member = 0;
    int level = at->axis >= 0 ? (int)at->in->levels[at->axis] : find_position(at, &member);
    if (level < 0) return;
    put_order(at, (unsigned)level, &order);
    const char *text = vc_buffer_text(&order);
    int axis = make_cells(at, level, true);
    vc_buffer_printf(&pairs,
                     "SELECT %s AS c, b.g AS p FROM (%s) a JOIN (%s) b ON b.place + %u = a.place",
                     at->axis >= 0 ? "a.g" : "0", text, text, count);
    if (at->axis < 0) vc_buffer_printf(&pairs, " WHERE a.g = %lld", (long long)member);
    add_cells(at, axis, vc_buffer_text(&pairs));
    vc_buffer_release(&order);
    vc_buffer_release(&pairs);
}

/* ---- windows ---- */

/* The numbers of a window (rows of `cells` c, in their order by g), for each cell a. */
static void fill_window(struct calling *at, const char *value, const char *window)
{
    vc_buffer groups = {0}, same = {0};
    put_groups("a.", -1, "", &groups);
    put_same("a.", "c.", at->axis, &same);
    const char *text = vc_buffer_text(&same);
    RUN(at->in,
        "INSERT INTO %s SELECT %s, (SELECT %s FROM placed c WHERE c.v IS NOT NULL%s AND %s), CASE "
        "WHEN EXISTS (SELECT 1 FROM placed c WHERE c.v IS NOT NULL%s AND %s) THEN coalesce((SELECT "
        "c.r FROM placed c WHERE c.v IS NOT NULL AND c.r <> ''%s AND %s ORDER BY c.g%d LIMIT 1), "
        "'') ELSE a.r END FROM placed a",
        at->table, vc_buffer_text(&groups), value, text, window, text, window, text, window,
        at->axis);
    vc_buffer_release(&groups);
    vc_buffer_release(&same);
}

static void prepare_window(struct calling *at)
{
    unsigned level = at->in->levels[at->axis];
    vc_buffer order = {0};
    char window[128], begins[64];
    make_cells(at, (int)level, false);
    put_order(at, level, &order);
    if (at->call->function != VC_MEMBER_RUNNING || at->call->level < 0)
        snprintf(begins, sizeof begins, "0");
    else /* a bucket is a member of each level, what is in it is below */
        snprintf(begins, sizeof begins, "CASE WHEN syn THEN g3 ELSE g%d END",
                 (int)level <= at->call->level ? (int)level : at->call->level);
    RUN(at->in, "DROP TABLE IF EXISTS placed");
    RUN(at->in,
        "CREATE TABLE placed AS SELECT cells.*, place, win FROM cells JOIN (%s) o ON o.g = "
        "cells.g%d "
        "JOIN (SELECT DISTINCT g%u AS wg, %s AS win FROM x%u) ON wg = o.g",
        vc_buffer_text(&order), at->axis, level, begins, at->d);
    if (at->call->function == VC_MEMBER_RUNNING) {
        snprintf(window, sizeof window, "c.win = a.win AND c.place <= a.place");
        fill_window(at, "sum(c.v)", window);
    } else {
        snprintf(window, sizeof window, "c.place <= a.place AND c.place > a.place - %u",
                 at->call->count);
        fill_window(at, "avg(c.v)", window);
    }
    vc_buffer_release(&order);
}

static void prepare_rank(struct calling *at)
{
    vc_buffer groups = {0}, same = {0};
    make_cells(at, (int)at->in->levels[at->axis], false);
    put_groups("a.", -1, "", &groups);
    put_same("a.", "c.", at->axis, &same);
    RUN(at->in,
        "INSERT INTO %s SELECT %s, CASE WHEN a.v IS NOT NULL THEN 1 + (SELECT count(*) FROM cells "
        "c "
        "WHERE c.v > a.v%s) END, a.r FROM cells a",
        at->table, vc_buffer_text(&groups), vc_buffer_text(&same));
    vc_buffer_release(&groups);
    vc_buffer_release(&same);
}

/* ---- agg_over ---- */

static void prepare_aggregate(struct calling *at)
{
    static const char *const hows[] = {"avg(v)", "min(v)", "max(v)", "sum(v)", "count(v)"};
    int level = at->axis >= 0 ? (int)at->in->levels[at->axis] : -1;
    bool is_count = at->call->how == VC_MEMBER_COUNT;
    vc_buffer groups = {0}, by = {0}, same = {0};
    char pairs[160];
    if (at->call->level < level && level < WORLD_LEVELS) return; /* nothing there */
    int axis = make_cells(at, at->call->level, false);
    if (level >= 0)
        snprintf(pairs, sizeof pairs, "SELECT DISTINCT g%d AS c, g%d AS p FROM x%u", level,
                 at->call->level, at->d);
    else
        snprintf(pairs, sizeof pairs, "SELECT DISTINCT 0 AS c, g%d AS p FROM x%u", at->call->level,
                 at->d);
    RUN(at->in, "DROP TABLE IF EXISTS placed");
    RUN(at->in,
        "CREATE TABLE placed AS SELECT cells.*, c AS up FROM cells JOIN (%s) ON p = cells.g%d",
        pairs, axis);
    put_groups("", axis, "up", &groups);
    put_groups("", axis, "up", &by);
    put_same("y.", "placed.", axis, &same);
    RUN(at->in,
        "INSERT INTO %s SELECT %s, CASE WHEN count(v) = 0 AND %d "
        "AND "
        "max(r NOT IN ('e', 'n')) THEN NULL ELSE %s END, CASE WHEN count(v) > 0 AND %d THEN '' "
        "WHEN "
        "count(v) > 0 THEN coalesce((SELECT y.r FROM placed y WHERE y.up = placed.up%s AND y.v IS "
        "NOT "
        "NULL AND y.r <> '' ORDER BY y.g%d LIMIT 1), '') WHEN %d AND NOT max(r NOT IN ('e', 'n')) "
        "THEN '' ELSE substr('endguxc', max(instr('endguxc', r)), 1) END FROM placed GROUP BY %s",
        at->table, vc_buffer_text(&groups), is_count, hows[at->call->how], is_count,
        vc_buffer_text(&same), axis, is_count, vc_buffer_text(&by));
    vc_buffer_release(&groups);
    vc_buffer_release(&by);
    vc_buffer_release(&same);
}

/* ---- the whole ---- */

static struct calling calling_of(struct sql_question *in, uint32_t kept, unsigned m)
{
    const struct sql_node *node = &in->sql->nodes[m];
    struct calling at = {.in = in,
                         .kept = kept,
                         .m = m,
                         .x = node->a,
                         .d = node->call_dimension,
                         .axis = sql_axis_of(in, kept, node->call_dimension),
                         .call = &node->call};
    snprintf(at.table, sizeof at.table, "at%u_%u", in->depth, m);
    return at;
}

void sql_prepare_call(struct sql_question *in, uint32_t kept, unsigned m)
{
    struct calling at = calling_of(in, kept, m);
    vc_buffer groups = {0};
    put_groups("", -1, "", &groups);
    RUN(in, "DROP TABLE IF EXISTS %s", at.table);
    RUN(in, "CREATE TABLE %s(%s, v REAL, r TEXT)", at.table, vc_buffer_text(&groups));
    vc_buffer_release(&groups);
    switch (at.call->function) {
    case VC_MEMBER_PARENT:
    case VC_MEMBER_SHARE:
        if (at.axis >= 0) prepare_parent(&at);
        break;
    case VC_MEMBER_PREVIOUS:
    case VC_MEMBER_GROWTH: prepare_previous(&at); break;
    case VC_MEMBER_RUNNING:
    case VC_MEMBER_MOVING_AVG:
        if (at.axis >= 0) prepare_window(&at);
        break;
    case VC_MEMBER_RANK:
        if (at.axis >= 0) prepare_rank(&at);
        break;
    case VC_MEMBER_AGG_OVER: prepare_aggregate(&at); break;
    }
}

void sql_fill_call(struct sql_question *in, uint32_t kept, unsigned m)
{
    struct calling at = calling_of(in, kept, m);
    bool is_count = at.call->function == VC_MEMBER_AGG_OVER && at.call->how == VC_MEMBER_COUNT;
    vc_buffer same = {0};
    put_same("w.", "a.", -1, &same);
    if (is_count)
        RUN(in, "UPDATE w SET v%u = 0, r%u = ''", m, m);
    else
        RUN(in, "UPDATE w SET v%u = NULL, r%u = 'e'", m, m);
    RUN(in, "UPDATE w SET v%u = a.v, r%u = a.r FROM %s a WHERE 1%s", m, m, at.table,
        vc_buffer_text(&same));
    vc_buffer_release(&same);
    bool is_all = at.axis < 0;
    switch (at.call->function) {
    case VC_MEMBER_SHARE:
        if (is_all) RUN(in, "UPDATE w SET v%u = v%u, r%u = r%u", m, at.x, m, at.x);
        RUN(in,
            "UPDATE w SET v%u = v%u / nullif(v%u, 0), r%u = CASE WHEN v%u IS NULL THEN r%u WHEN "
            "v%u IS NULL THEN r%u WHEN v%u = 0 THEN 'd' WHEN r%u <> '' THEN r%u ELSE r%u END",
            m, at.x, m, m, at.x, at.x, m, m, m, at.x, at.x, m);
        break;
    case VC_MEMBER_GROWTH:
        RUN(in,
            "UPDATE w SET v%u = (v%u - v%u) / nullif(v%u, 0), r%u = CASE WHEN v%u IS NULL THEN r%u "
            "WHEN v%u IS NULL THEN r%u WHEN v%u = 0 THEN 'd' WHEN r%u <> '' THEN r%u ELSE r%u END",
            m, at.x, m, m, m, at.x, at.x, m, m, m, at.x, at.x, m);
        break;
    case VC_MEMBER_RUNNING:
    case VC_MEMBER_MOVING_AVG:
    case VC_MEMBER_RANK:
        if (!is_all) break;
        RUN(in,
            "UPDATE w SET v%u = CASE WHEN %d AND v%u IS NOT NULL THEN 1 ELSE v%u END, r%u = r%u", m,
            at.call->function == VC_MEMBER_RANK, at.x, at.x, m, at.x);
        break;
    default: break;
    }
}
