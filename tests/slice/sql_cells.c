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

static const char *const units[] = {"1.0", "100.0", "4.0", "1.0"};

static bool is_cut_over(const struct world_measure *measure)
{
    return measure->over == VC_OVER_LAST || measure->over == VC_OVER_FIRST;
}

/* What a fact has to say, in units of the column: x, and its weight. */
static void put_value(const struct world_measure *measure, vc_buffer *out)
{
    if (measure->is_product)
        vc_buffer_printf(out, "x0 * x%d AS x", measure->column);
    else if (measure->column >= 0)
        vc_buffer_printf(out, "x%d AS x", measure->column);
    else
        vc_buffer_put_text(out, "1 AS x");
    if (measure->weight_column >= 0) vc_buffer_printf(out, ", x%d AS wt", measure->weight_column);
    if (measure->distinct_dimension >= 0)
        vc_buffer_printf(out, ", f.d%d AS dd", measure->distinct_dimension);
}

/* The amount of a cell of the rows `fact`, over x, in the units of the answer; and how many values
 * it is of. */
static void put_amount(const struct world_measure *measure, vc_buffer *out)
{
    const char *unit = units[measure->column >= 0 ? measure->column : 3];
    bool is_root = false;
    switch (measure->aggregator) {
    case VC_AGG_COUNT: vc_buffer_put_text(out, "count(x) AS v, count(x) AS k"); return;
    case VC_AGG_COUNT_DISTINCT:
        vc_buffer_printf(out, "count(DISTINCT %s) AS v, 1 AS k",
                         measure->distinct_dimension >= 0 ? "dd" : "x");
        return;
    case VC_AGG_SUM: vc_buffer_printf(out, "sum(x) / %s AS v", unit); break;
    case VC_AGG_MIN: vc_buffer_printf(out, "min(x) / %s AS v", unit); break;
    case VC_AGG_MAX: vc_buffer_printf(out, "max(x) / %s AS v", unit); break;
    case VC_AGG_AVG:
        vc_buffer_printf(out, "CAST(sum(x) AS REAL) / (count(x) * %s) AS v", unit);
        break;
    case VC_AGG_WEIGHTED_AVG: /* of facts that have both; the weights' own unit cancels */
        vc_buffer_printf(out,
                         "CAST(sum(x * wt) AS REAL) / (nullif(sum(CASE WHEN x IS NOT NULL THEN wt "
                         "END), 0) * %s) AS v, count(x * wt) AS k",
                         unit);
        return;
    case VC_AGG_MEDIAN:
    case VC_AGG_QUANTILE: {
        double quantile = measure->aggregator == VC_AGG_MEDIAN ? 0.5 : measure->quantile;
        /* between the values next to (count - 1) * quantile; `place` counts from 0 */
        vc_buffer_printf(
            out,
            "(max(CASE WHEN place = CAST(%.17g * (many - 1) AS INT) THEN x END) + "
            "(max(CASE WHEN place = min(CAST(%.17g * (many - 1) AS INT) + 1, many - 1) "
            "THEN x END) - max(CASE WHEN place = CAST(%.17g * (many - 1) AS INT) THEN x "
            "END)) * (max(%.17g * (many - 1)) - max(CAST(%.17g * (many - 1) AS INT)))) "
            "/ %s AS v",
            quantile, quantile, quantile, quantile, quantile, unit);
        break;
    }
    case VC_AGG_STDDEV:
    case VC_AGG_STDDEV_POP: is_root = true; /* fall through */
    case VC_AGG_VARIANCE:
    case VC_AGG_VARIANCE_POP: {
        bool is_pop =
            measure->aggregator == VC_AGG_STDDEV_POP || measure->aggregator == VC_AGG_VARIANCE_POP;
        vc_buffer_printf(out,
                         "%s(CAST(count(x) * sum(x * x) - sum(x) * sum(x) AS REAL) / "
                         "nullif(count(x) * (count(x) - %d), 0) / (%s * %s)) AS v",
                         is_root ? "sqrt" : "", !is_pop, unit, unit);
        break;
    }
    default: abort();
    }
    vc_buffer_put_text(out, ", count(x) AS k");
}

/* The facts that a measure is of, whoever asks. */
static void put_where(const struct sql *sql, const struct sql_node *node, const char *column,
                      vc_buffer *out)
{
    const struct world_measure *measure = node->stored;
    vc_buffer_printf(out, " AND %s %sIN (SELECT leaf FROM c%u_%u WHERE ", column,
                     measure->is_negated ? "NOT " : "", sql->sources[node->source].cube,
                     measure->where_dimension);
    sql_put_is(out, 0, vc_str_of(measure->where_key));
    vc_buffer_put_char(out, ')');
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
                     " JOIN (SELECT %s%s(m%u) AS m FROM %s JOIN o%u_%u lo ON lo.leaf = t%u.q "
                     "WHERE 1",
                     vc_buffer_text(&groups), node->stored->over == VC_OVER_LAST ? "max" : "min",
                     lowest, vc_buffer_text(&tables), source->cube, over, last);
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (source->places[d].is_there && source->places[d].of == over)
            vc_buffer_printf(out, " AND t%u.s = %u AND t%u.d = %u", d, node->source, d, d);
    put_fixes(sql, node, (int)over, "lo.leaf", out);
    if (node->stored->has_where && node->stored->where_dimension == over)
        put_where(sql, node, "lo.leaf", out);
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

/* The facts in the groups, resolved along the `over` dimension, each with what it says. `keys`: the
 * columns of the groups, each with a comma behind. */
static void put_facts(const struct sql_question *in, uint32_t kept, const struct sql_node *node,
                      const char *columns, const char *keys, const char *tables, vc_buffer *out)
{
    const struct sql *sql = in->sql;
    const struct world_measure *measure = node->stored;
    unsigned cube = sql->sources[node->source].cube, over = measure->over_dimension;
    unsigned lowest = sql->world->cubes[cube].dimensions[over]->nlevels - 1;
    vc_buffer facts = {0}, others = {0};
    char column[16];
    vc_buffer_printf(&facts, "SELECT %s", columns);
    put_value(measure, &facts);
    vc_buffer_put_text(&facts, ", f.d0, f.d1, f.d2, f.d3");
    if (measure->over != VC_OVER_NONE) vc_buffer_printf(&facts, ", fo.m%u AS pos", lowest);
    vc_buffer_printf(&facts, " FROM f%u f%s", cube, tables);
    if (measure->over != VC_OVER_NONE)
        vc_buffer_printf(&facts, " JOIN o%u_%u fo ON fo.leaf = f.d%u", cube, over, over);
    if (is_cut_over(measure)) put_over(in, kept, node, &facts);
    vc_buffer_put_text(&facts, " WHERE 1");
    put_fixes(sql, node, -1, "f.d", &facts);
    snprintf(column, sizeof column, "f.d%u", measure->where_dimension);
    if (measure->has_where) put_where(sql, node, column, &facts);
    for (unsigned d = 0; d < WORLD_DIMENSIONS; d++)
        if (d != over) vc_buffer_printf(&others, "%sd%u", others.size > 0 ? ", " : "", d);
    const char *text = vc_buffer_text(&facts), *rest = vc_buffer_text(&others);
    switch (measure->over) {
    case VC_OVER_LAST_NONEMPTY: /* of each combination the last leaf with a value */
    case VC_OVER_FIRST_NONEMPTY:
        vc_buffer_printf(
            out,
            "SELECT %sCASE WHEN pos = best THEN x END AS x FROM (SELECT *, %s(CASE WHEN "
            "x IS NOT NULL THEN pos END) OVER (PARTITION BY %s%s) AS best FROM (%s))",
            keys, measure->over == VC_OVER_LAST_NONEMPTY ? "max" : "min", keys, rest, text);
        break;
    case VC_OVER_AVG: /* of its sums at the leaves with a value; beside them the facts, as nulls */
    case VC_OVER_MIN:
    case VC_OVER_MAX:
        vc_buffer_printf(out,
                         "SELECT %s%s AS x FROM (SELECT %s%s, sum(x) AS s FROM (%s) GROUP BY %s%s, "
                         "pos HAVING count(x) > 0) GROUP BY %s%s UNION ALL SELECT %sNULL FROM (%s)",
                         keys,
                         measure->over == VC_OVER_AVG   ? "CAST(sum(s) AS REAL) / count(s)"
                         : measure->over == VC_OVER_MIN ? "min(s)"
                                                        : "max(s)",
                         keys, rest, text, keys, rest, keys, rest, keys, text);
        break;
    default: vc_buffer_put_text(out, text);
    }
    vc_buffer_release(&facts);
    vc_buffer_release(&others);
}

void sql_fill_base(struct sql_question *in, uint32_t kept, unsigned m)
{
    const struct sql *sql = in->sql;
    const struct sql_node *node = &sql->nodes[m];
    const struct sql_source *source = &sql->sources[node->source];
    bool is_count = node->stored->aggregator == VC_AGG_COUNT ||
                    node->stored->aggregator == VC_AGG_COUNT_DISTINCT;
    vc_buffer reasons = {0}, columns = {0}, tables = {0}, groups = {0}, where = {0};
    vc_buffer keys = {0}, amount = {0}, facts = {0};
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
        vc_buffer_printf(&keys, "a%d, ", axis);
        vc_buffer_printf(&groups, "%s a%d", groups.size > 0 ? "," : " GROUP BY", axis);
        vc_buffer_printf(&where, " AND w.g%d = c.a%d", axis, axis);
    }
    RUN(in,
        "UPDATE w SET r%u = (SELECT CASE WHEN coalesce(sum(r = 'u'), 0) THEN 'u' WHEN "
        "coalesce(sum(r = 'g'), 0) THEN 'g' ELSE '' END FROM why WHERE s = %u AND (0%s))",
        m, node->source, vc_buffer_text(&reasons));
    put_amount(node->stored, &amount);
    put_facts(in, kept, node, vc_buffer_text(&columns), vc_buffer_text(&keys),
              vc_buffer_text(&tables), &facts);
    if (node->stored->aggregator == VC_AGG_MEDIAN || node->stored->aggregator == VC_AGG_QUANTILE) {
        vc_buffer plain = facts, partition = {0};
        facts = (vc_buffer){0};
        if (keys.size > 0) /* without the last comma */
            vc_buffer_printf(&partition, "PARTITION BY %.*s", (int)keys.size - 2, keys.data);
        vc_buffer_printf(&facts,
                         "SELECT *, row_number() OVER (%s ORDER BY x IS NULL, x) - 1 AS place, "
                         "count(x) OVER (%s) AS many FROM (%s)",
                         vc_buffer_text(&partition), vc_buffer_text(&partition),
                         vc_buffer_text(&plain));
        vc_buffer_release(&plain);
        vc_buffer_release(&partition);
    }
    RUN(in,
        "UPDATE w SET v%u = c.v, n = w.n + c.n, r%u = CASE WHEN c.v IS NOT NULL THEN '' WHEN c.k = "
        "0 "
        "THEN 'n' ELSE 'd' END FROM (SELECT %s%s, count(*) AS n FROM (%s)%s HAVING count(*) > 0) c "
        "WHERE w.r%u = ''%s",
        m, m, vc_buffer_text(&keys), vc_buffer_text(&amount), vc_buffer_text(&facts),
        vc_buffer_text(&groups), m, vc_buffer_text(&where));
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
    vc_buffer_release(&keys);
    vc_buffer_release(&amount);
    vc_buffer_release(&facts);
}
