/* The cells of a base measure as SQL: the facts in T of each group, and what they come to. */
#include "tests/slice/sql_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_fix(const struct sql *sql, unsigned s, const struct world_fix *fix,
                    const char *column, vc_buffer *out)
{
    const struct world_dimension *dimension =
        sql->world->cubes[sql->sources[s].cube].dimensions[fix->dimension];
    vc_buffer_printf(out, " AND %s IN (SELECT leaf FROM c%u_%u WHERE 1", column,
                     sql->sources[s].cube, fix->dimension);
    for (unsigned l = 0; l < fix->depth; l++) {
        vc_buffer_put_text(out, " AND ");
        sql_put_is(out, l,
                   dimension->leaves[fix->leaf].keys[l] == NULL
                       ? (vc_str){0}
                       : vc_str_of(dimension->leaves[fix->leaf].keys[l]));
    }
    vc_buffer_put_char(out, ')');
}

/* The source's fix, unless the measure's is on the same dimension; only: of one dimension, or -1.
 */
static void put_fixes(const struct sql *sql, const struct sql_node *node, int only,
                      const char *prefix, vc_buffer *out)
{
    const struct world_source *definition = sql->sources[node->source].definition;
    const struct world_fix *own = &node->fix;
    const struct world_fix *general = definition == NULL ? NULL : &definition->fix;
    char column[32];
    if (own->is_there && (only < 0 || own->dimension == (unsigned)only)) {
        snprintf(column, sizeof column, only < 0 ? "%s%u" : "%s", prefix, own->dimension);
        put_fix(sql, node->source, own, column, out);
    }
    if (general == NULL || !general->is_there ||
        (own->is_there && own->dimension == general->dimension) ||
        (only >= 0 && general->dimension != (unsigned)only))
        return;
    snprintf(column, sizeof column, only < 0 ? "%s%u" : "%s", prefix, general->dimension);
    put_fix(sql, node->source, general, column, out);
}

static void put_amount(const struct world_measure *measure, vc_buffer *out)
{
    static const char *const units[] = {"1.0", "100.0", "4.0"};
    int column = measure->column;
    const char *unit = column >= 0 && column < 3 ? units[column] : "1.0";
    switch (measure->aggregator) {
    case VC_AGG_COUNT:
        if (column < 0)
            vc_buffer_put_text(out, "count(*)");
        else
            vc_buffer_printf(out, "count(x%d)", column);
        break;
    case VC_AGG_COUNT_DISTINCT:
        if (measure->distinct_dimension >= 0)
            vc_buffer_printf(out, "count(DISTINCT f.d%d)", measure->distinct_dimension);
        else
            vc_buffer_printf(out, "count(DISTINCT x%d)", column);
        break;
    case VC_AGG_SUM: vc_buffer_printf(out, "sum(x%d) / %s", column, unit); break;
    case VC_AGG_MIN: vc_buffer_printf(out, "min(x%d) / %s", column, unit); break;
    case VC_AGG_MAX: vc_buffer_printf(out, "max(x%d) / %s", column, unit); break;
    case VC_AGG_AVG:
        vc_buffer_printf(out, "CAST(sum(x%d) AS REAL) / (count(x%d) * %s)", column, column, unit);
        break;
    default: abort();
    }
}

/* The leaf that counts along the `over` dimension, per combination of the groups that are mapped
 * onto it: of all leaves in T, with facts or without. Joined to the facts as `o`. */
static void put_over(const struct sql_question *in, uint32_t kept, const struct sql_node *node,
                     vc_buffer *out)
{
    const struct sql *sql = in->sql;
    const struct sql_source *source = &sql->sources[node->source];
    unsigned over = node->stored->over_dimension, lowest;
    unsigned last = WORLD_LEVELS;
    vc_buffer groups = {0}, tables = {0}, on = {0};
    lowest = sql->world->cubes[source->cube].dimensions[over]->nlevels - 1;
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        if (!source->places[d].is_there || source->places[d].of != over) continue;
        if (last == WORLD_LEVELS)
            vc_buffer_printf(&tables, "t t%u", d);
        else
            vc_buffer_printf(&tables, " JOIN t t%u ON t%u.q = t%u.q", d, d, last);
        last = d;
        if (sql_axis_of(in, kept, d) < 0) continue;
        vc_buffer_printf(&groups, "t%u.g AS og%u, ", d, d);
        vc_buffer_printf(&on, " AND o.og%u = t%u.g", d, d);
    }
    vc_buffer_printf(out,
                     " JOIN o%u_%u fo ON fo.leaf = f.d%u JOIN (SELECT %s%s(m%u) AS m FROM %s "
                     "JOIN o%u_%u lo ON lo.leaf = t%u.q WHERE 1",
                     source->cube, over, over, vc_buffer_text(&groups),
                     node->stored->over == VC_OVER_LAST ? "max" : "min", lowest,
                     vc_buffer_text(&tables), source->cube, over, last);
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (source->places[d].is_there && source->places[d].of == over)
            vc_buffer_printf(out, " AND t%u.s = %u AND t%u.d = %u", d, node->source, d, d);
    put_fixes(sql, node, (int)over, "lo.leaf", out);
    bool is_grouped = false;
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (source->places[d].is_there && source->places[d].of == over &&
            sql_axis_of(in, kept, d) >= 0) {
            vc_buffer_printf(out, "%s t%u.g", is_grouped ? "," : " GROUP BY", d);
            is_grouped = true;
        }
    vc_buffer_printf(out, ") o ON o.m = fo.m%u%s", lowest, vc_buffer_text(&on));
    vc_buffer_release(&groups);
    vc_buffer_release(&tables);
    vc_buffer_release(&on);
}

/* Join T to the facts: by the leaf, or by the tuple that the fact has. */
static void put_table(const struct sql_place *place, unsigned s, unsigned d, vc_buffer *out)
{
    if (place->ncomponents > 1) {
        vc_buffer_printf(out, " CROSS JOIN q%u_%u k%u ON 1", s, d, d);
        for (unsigned c = 0; c < place->ncomponents; c++)
            vc_buffer_printf(out, " AND k%u.c%u = f.d%u", d, place->components[c],
                             place->components[c]);
        vc_buffer_printf(out, " CROSS JOIN t t%u ON t%u.q = k%u.q", d, d, d);
    } else {
        vc_buffer_printf(out, " CROSS JOIN t t%u ON t%u.q = f.d%u", d, d, place->of);
    }
    vc_buffer_printf(out, " AND t%u.s = %u AND t%u.d = %u", d, s, d, d);
}

void sql_fill_base(struct sql_question *in, uint32_t kept, unsigned m)
{
    const struct sql *sql = in->sql;
    const struct sql_node *node = &sql->nodes[m];
    const struct sql_source *source = &sql->sources[node->source];
    bool is_count = node->stored->aggregator == VC_AGG_COUNT ||
                    node->stored->aggregator == VC_AGG_COUNT_DISTINCT;
    vc_buffer reasons = {0}, columns = {0}, tables = {0}, groups = {0}, where = {0};
    if (sql_has_policy(in, m, kept, VC_UNRELATED_NULL)) {
        RUN(in, "UPDATE w SET r%u = 'x'", m);
        return;
    }
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        if (!source->places[d].is_there) continue;
        int axis = sql_axis_of(in, kept, d);
        put_table(&source->places[d], node->source, d, &tables);
        vc_buffer_printf(&reasons, " OR (d = %u AND g = ", d);
        if (axis < 0) {
            vc_buffer_put_text(&reasons, "0)");
            continue;
        }
        vc_buffer_printf(&reasons, "w.g%d)", axis);
        vc_buffer_printf(&columns, "t%u.g AS a%d, ", d, axis);
        vc_buffer_printf(&groups, "%s t%u.g", groups.size > 0 ? "," : " GROUP BY", d);
        vc_buffer_printf(&where, " AND w.g%d = c.a%d", axis, axis);
    }
    RUN(in,
        "UPDATE w SET r%u = (SELECT CASE WHEN coalesce(sum(r = 'u'), 0) THEN 'u' WHEN "
        "coalesce(sum(r = 'g'), 0) THEN 'g' ELSE '' END FROM why WHERE s = %u AND (0%s))",
        m, node->source, vc_buffer_text(&reasons));
    vc_buffer_clear(&reasons);
    put_amount(node->stored, &reasons);
    if (node->stored->over != VC_OVER_NONE) put_over(in, kept, node, &tables);
    vc_buffer fixes = {0};
    put_fixes(sql, node, -1, "f.d", &fixes);
    RUN(in,
        "UPDATE w SET v%u = c.v, n = w.n + c.n, r%u = CASE WHEN c.v IS NULL THEN 'n' ELSE '' END "
        "FROM (SELECT %s%s AS v, count(*) AS n FROM f%u f%s WHERE 1%s%s HAVING count(*) > 0) c "
        "WHERE w.r%u = ''%s",
        m, m, vc_buffer_text(&columns), vc_buffer_text(&reasons), source->cube,
        vc_buffer_text(&tables), vc_buffer_text(&fixes), vc_buffer_text(&groups), m,
        vc_buffer_text(&where));
    if (is_count)
        RUN(in, "UPDATE w SET v%u = 0 WHERE r%u = '' AND v%u IS NULL", m, m, m);
    else
        RUN(in, "UPDATE w SET r%u = 'e' WHERE r%u = '' AND v%u IS NULL", m, m, m);
    if (sql_has_policy(in, m, kept, VC_UNRELATED_REPEAT))
        RUN(in, "UPDATE w SET r%u = 'r' WHERE v%u IS NOT NULL", m, m);
    vc_buffer_release(&reasons);
    vc_buffer_release(&columns);
    vc_buffer_release(&tables);
    vc_buffer_release(&groups);
    vc_buffer_release(&where);
    vc_buffer_release(&fixes);
}
