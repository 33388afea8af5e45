/* Rows of some combinations of members only, as SQL: totals of visible rows, the others of a top.
 */
#include "tests/slice/sql_parts.h"

static bool has_axis(const struct sql_question *in, const struct sql_node *node, unsigned axis)
{
    return in->sql->sources[node->source].places[in->axes[axis]].is_there;
}

void sql_narrow(struct sql_question *in, enum sql_narrow narrow, unsigned axis)
{
    uint32_t all = (1u << in->naxes) - 1;
    RUN(in, "DROP TABLE IF EXISTS tv");
    RUN(in, "DROP TABLE IF EXISTS pick_all");
    sql_translate(in, all);
    RUN(in, "CREATE TABLE tv AS SELECT * FROM t");
    RUN(in, "CREATE INDEX tv_q ON tv(s, d, k, q)");
    RUN(in, "CREATE TABLE pick_all AS SELECT * FROM pick");
    in->narrow = narrow;
    in->narrow_axis = axis;
    for (unsigned a = 0; a < in->naxes; a++) {
        unsigned d = in->axes[a];
        if (narrow == NARROW_OTHERS && (axis > 0 || a > 0)) continue;
        RUN(in,
            "DELETE FROM pick WHERE d = %u AND slot IN (SELECT slot FROM x%u WHERE g%u %s (SELECT "
            "g%u FROM shown))",
            d, d, in->levels[a], narrow == NARROW_OTHERS ? "IN" : "NOT IN", a);
    }
}

void sql_widen(struct sql_question *in)
{
    in->narrow = NARROW_NONE;
    RUN(in, "DELETE FROM pick");
    RUN(in, "INSERT INTO pick SELECT * FROM pick_all");
}

/* Are the combinations, on the axes that the source has, all those of their groups? Then the
 * narrowed selections say the same. */
static bool is_product(const struct sql_question *in, const struct sql_node *node)
{
    vc_buffer groups = {0}, product = {0};
    for (unsigned a = 0; a < in->naxes; a++) {
        if (!has_axis(in, node, a)) continue;
        vc_buffer_printf(&groups, "%sg%u", groups.size > 0 ? ", " : "", a);
        vc_buffer_printf(&product, " * count(DISTINCT g%u)", a);
    }
    bool is = sql_number(in->sql,
                         "SELECT (SELECT count(*) FROM (SELECT DISTINCT %s FROM shown)) = 1%s FROM "
                         "shown",
                         vc_buffer_text(&groups), vc_buffer_text(&product)) > 0;
    vc_buffer_release(&groups);
    vc_buffer_release(&product);
    return is;
}

/* The groups of the fact on the axes that the source has, by T of the rows themselves. */
void sql_put_narrow(const struct sql_question *in, const struct sql_node *node, uint32_t kept,
                    vc_buffer *out)
{
    vc_buffer tables = {0}, on = {0};
    unsigned naxes = 0, end = in->narrow == NARROW_OTHERS ? in->narrow_axis + 1 : in->naxes;
    if (in->narrow == NARROW_NONE || in->depth > 0)
        return; /* of cells elsewhere the members say it */
    if (in->narrow != NARROW_SHOWN && !has_axis(in, node, in->narrow_axis)) return;
    for (unsigned a = 0; a < end; a++) {
        unsigned d = in->axes[a];
        if (!has_axis(in, node, a)) continue;
        vc_buffer_printf(&tables, "%stv y%u", naxes > 0 ? ", " : "", a);
        vc_buffer_printf(&on, " AND y%u.s = %u AND y%u.d = %u AND y%u.k = %d AND y%u.q = t%u.q", a,
                         node->source, a, d, a, sql_form_of(in->sql, node, d), a, d);
        if (kept >> a & 1) vc_buffer_printf(&on, " AND y%u.g = t%u.g", a, d);
        naxes++;
    }
    if (naxes == 0) /* in all of the combinations, or in none where nothing is shown */
        vc_buffer_put_text(out, " AND EXISTS (SELECT 1 FROM shown)");
    if (naxes > 1 && (in->narrow == NARROW_OTHERS || !is_product(in, node))) {
        vc_buffer_printf(out,
                         " AND EXISTS (SELECT 1 FROM %s WHERE 1%s AND %sEXISTS (SELECT 1 FROM "
                         "shown z WHERE 1",
                         vc_buffer_text(&tables), vc_buffer_text(&on),
                         in->narrow == NARROW_OTHERS ? "NOT " : "");
        for (unsigned a = 0; a < end; a++)
            if (has_axis(in, node, a)) vc_buffer_printf(out, " AND z.g%u = y%u.g", a, a);
        vc_buffer_put_text(out, "))");
    }
    vc_buffer_release(&tables);
    vc_buffer_release(&on);
}

bool sql_makes_rows(const struct sql_question *in, const struct sql_node *node)
{
    bool is_of_others = in->narrow == NARROW_OTHERS || in->narrow == NARROW_DROPPED;
    return !is_of_others || has_axis(in, node, in->narrow_axis);
}

void sql_add_others(struct sql_question *in, enum sql_narrow narrow, unsigned axis)
{
    unsigned d = in->axes[axis];
    bool was_cut = in->is_cut[d];
    sql_narrow(in, narrow, axis);
    in->is_cut[d] = true;
    sql_make_rows(in, ((1u << in->naxes) - 1) & ~(1u << axis), true);
    in->is_cut[d] = was_cut;
    sql_widen(in);
    RUN(in, "UPDATE w SET g%u = %d", axis, SQL_OTHER);
    RUN(in,
        "INSERT OR REPLACE INTO grp(a, g, syn, k%u, m0, m1, m2) VALUES (%u, %d, 2, '(other)', 0, "
        "0, 0)",
        in->levels[axis], axis, SQL_OTHER);
}
