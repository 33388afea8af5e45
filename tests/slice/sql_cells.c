/* The cells of a base measure as SQL: the facts in T of each group, and what they come to. */
#include "tests/slice/sql_parts.h"

#include <limits.h>
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

/* The same of facts that count by W each, an E of 1 where that is an estimate. What cannot be
 * counted in parts must have been refused. */
static void put_part_amount(const struct world_measure *measure, vc_buffer *out)
{
    const char *unit = units[measure->column >= 0 ? measure->column : 3];
    switch (measure->aggregator) {
    case VC_AGG_COUNT:
        vc_buffer_put_text(out, "coalesce(sum(CASE WHEN x IS NOT NULL THEN W END), 0) AS v, "
                                "count(x) AS k");
        break;
    case VC_AGG_SUM: vc_buffer_printf(out, "sum(x * W) / %s AS v, count(x) AS k", unit); break;
    case VC_AGG_AVG:
        vc_buffer_printf(
            out,
            "sum(x * W) / (nullif(sum(CASE WHEN x IS NOT NULL THEN W END), 0) * %s) AS "
            "v, count(x) AS k",
            unit);
        break;
    case VC_AGG_WEIGHTED_AVG:
        vc_buffer_printf(out,
                         "sum(x * wt * W) / (nullif(sum(CASE WHEN x IS NOT NULL THEN wt * W END), "
                         "0) * %s) AS v, count(x * wt) AS k",
                         unit);
        break;
    default: {
        vc_buffer plain = {0};
        put_amount(measure, &plain);
        const char *text = vc_buffer_text(&plain), *name = strstr(text, " AS v,");
        vc_buffer_printf(out, "CASE WHEN max(E) THEN 9e99 ELSE %.*s END%s", (int)(name - text),
                         text, name);
        vc_buffer_release(&plain);
    }
    }
    vc_buffer_put_text(out, ", max(E) AS e");
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
    unsigned last = UINT_MAX;
    vc_buffer groups = {0}, tables = {0}, on = {0};
    lowest = sql->world->cubes[source->cube].dimensions[over]->nlevels - 1;
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        if (!source->places[d].is_there || source->places[d].of != over) continue;
        if (last == UINT_MAX)
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
            vc_buffer_printf(out, " AND t%u.s = %u AND t%u.d = %u AND t%u.k = %d", d, node->source,
                             d, d, d, sql_form_of(sql, node, d));
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
static void put_table(const struct sql *sql, const struct sql_node *node, unsigned d,
                      vc_buffer *out)
{
    unsigned s = node->source;
    const struct sql_place *place = &sql->sources[s].places[d];
    if (place->ncomponents > 1) {
        vc_buffer_printf(out, " CROSS JOIN q%u_%u k%u ON 1", s, d, d);
        for (unsigned c = 0; c < place->ncomponents; c++)
            vc_buffer_printf(out, " AND k%u.c%u = f.d%u", d, place->components[c],
                             place->components[c]);
        vc_buffer_printf(out, " CROSS JOIN t t%u ON t%u.q = k%u.q", d, d, d);
    } else {
        vc_buffer_printf(out, " CROSS JOIN t t%u ON t%u.q = f.d%u", d, d, place->of);
    }
    vc_buffer_printf(out, " AND t%u.s = %u AND t%u.d = %u AND t%u.k = %d", d, s, d, d, d,
                     sql_form_of(sql, node, d));
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
    sql_put_narrow(in, node, kept, &facts);
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

/* What a base measure is made of, as SQL. */
struct base {
    struct sql_question *in;
    const struct sql_node *node;
    unsigned m;
    uint32_t kept;
    bool has_parts, has_repeats;
    unsigned nlookups, lookups[SQL_DIMENSIONS]; /* dimensions */
    vc_buffer columns, tables;                  /* of the facts: "t0.g AS a0, ", "CROSS JOIN t" */
    vc_buffer keys;                             /* "a0, " */
    vc_buffer carried;                          /* "a0, b3, W, E, ": with what tells facts apart */
    vc_buffer where;                            /* " AND w.g0 = c.a0" */
    vc_buffer whys;                             /* " OR (d = 0 AND k = 0 AND g = w.g0)" */
};

static void read_dimension(struct base *base, unsigned d, vc_buffer *weight, vc_buffer *estimate)
{
    const struct sql *sql = base->in->sql;
    const struct sql_place *place = &sql->sources[base->node->source].places[d];
    int axis = sql_axis_of(base->in, base->kept, d);
    enum sql_form form = sql_form_of(sql, base->node, d);
    put_table(sql, base->node, d, &base->tables);
    vc_buffer_printf(&base->whys, " OR (d = %u AND k = %d AND g = ", d, form);
    if (axis < 0) {
        vc_buffer_put_text(&base->whys, "0)");
    } else {
        vc_buffer_printf(&base->whys, "w.g%d)", axis);
        vc_buffer_printf(&base->columns, "t%u.g AS a%d, ", d, axis);
        vc_buffer_printf(&base->keys, "a%d, ", axis);
        vc_buffer_printf(&base->where, " AND w.g%d = c.a%d", axis, axis);
    }
    base->has_repeats |= form != FORM_SET && place->finer == VC_FINER_REPEAT;
    if (form == FORM_MODE && place->mode == VC_MODE_LOOKUP) {
        base->lookups[base->nlookups++] = d;
    } else if (form != FORM_SET) {
        vc_buffer_printf(weight, "%st%u.w", weight->size > 0 ? " * " : "", d);
        vc_buffer_printf(estimate, "%st%u.e", estimate->size > 0 ? " OR " : "", d);
        base->has_parts = true;
    }
}

static void read_base(struct base *base)
{
    const struct sql *sql = base->in->sql;
    vc_buffer weight = {0}, estimate = {0};
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (sql->sources[base->node->source].places[d].is_there)
            read_dimension(base, d, &weight, &estimate);
    vc_buffer_put_text(&base->carried, vc_buffer_text(&base->keys));
    for (unsigned i = 0; i < base->nlookups; i++) {
        vc_buffer_printf(&base->columns, "t%u.u AS b%u, ", base->lookups[i], base->lookups[i]);
        vc_buffer_printf(&base->carried, "b%u, ", base->lookups[i]);
    }
    if (base->has_parts) {
        vc_buffer_printf(&base->columns, "%s AS W, %s AS E, ", vc_buffer_text(&weight),
                         vc_buffer_text(&estimate));
        vc_buffer_put_text(&base->carried, "W, E, ");
    }
    vc_buffer_release(&weight);
    vc_buffer_release(&estimate);
}

static void release_base(struct base *base)
{
    vc_buffer *const buffers[] = {&base->columns, &base->tables, &base->keys,
                                  &base->carried, &base->where,  &base->whys};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        vc_buffer_release(buffers[i]);
}

/* SELECT of the cells with facts: a<axis>, b<dimension> of lookups, v, k, n, and e of parts. */
static void put_cells(struct base *base, vc_buffer *out)
{
    const struct world_measure *stored = base->node->stored;
    vc_buffer facts = {0}, amount = {0}, groups = {0};
    vc_buffer_put_text(&groups, vc_buffer_text(&base->keys));
    for (unsigned i = 0; i < base->nlookups; i++)
        vc_buffer_printf(&groups, "b%u, ", base->lookups[i]);
    int size = groups.size > 0 ? (int)groups.size - 2 : 0; /* without the last comma */
    const char *text = vc_buffer_text(&groups);
    put_facts(base->in, base->kept, base->node, vc_buffer_text(&base->columns),
              vc_buffer_text(&base->carried), vc_buffer_text(&base->tables), &facts);
    (base->has_parts ? put_part_amount : put_amount)(stored, &amount);
    if (stored->aggregator == VC_AGG_MEDIAN || stored->aggregator == VC_AGG_QUANTILE) {
        vc_buffer plain = facts;
        const char *by = size > 0 ? "PARTITION BY " : "";
        facts = (vc_buffer){0};
        vc_buffer_printf(&facts,
                         "SELECT *, row_number() OVER (%s%.*s ORDER BY x IS NULL, x) - 1 AS place, "
                         "count(x) OVER (%s%.*s) AS many FROM (%s)",
                         by, size, text, by, size, text, vc_buffer_text(&plain));
        vc_buffer_release(&plain);
    }
    vc_buffer_printf(out, "SELECT %s%s, count(*) AS n FROM (%s)%s%.*s HAVING count(*) > 0", text,
                     vc_buffer_text(&amount), vc_buffer_text(&facts), size > 0 ? " GROUP BY " : "",
                     size, text);
    vc_buffer_release(&facts);
    vc_buffer_release(&amount);
    vc_buffer_release(&groups);
}

/* The values of leaves put together. Every leaf of the cell is there, those that find something
 * (m) with a count of 0 where they have no facts; a cell without facts that is only looked at has
 * no row for its 0. */
static void fill_lookups(struct base *base, bool is_count)
{
    static const char *const words[] = {"",        "CASE WHEN count(*) = 1 THEN max(%s) END",
                                        "sum(%s)", "CAST(sum(%s) AS REAL) / count(%s)",
                                        "min(%s)", "max(%s)"};
    unsigned m = base->m, s = base->node->source;
    vc_buffer cells = {0}, leaves = {0}, on = {0}, found = {0}, value = {0};
    char how[80];
    put_cells(base, &cells);
    for (unsigned i = 0; i < base->nlookups; i++) {
        unsigned d = base->lookups[i];
        int axis = sql_axis_of(base->in, base->kept, d);
        vc_buffer_printf(&leaves, " JOIN un u%u ON u%u.s = %u AND u%u.d = %u AND u%u.g = ", d, d, s,
                         d, d, d);
        if (axis < 0) vc_buffer_put_text(&leaves, "0");
        if (axis >= 0) vc_buffer_printf(&leaves, "w.g%d", axis);
        vc_buffer_printf(&on, " AND c.b%u = u%u.u", d, d);
        vc_buffer_printf(&found, "%su%u.m", i > 0 ? " AND " : "", d);
    }
    if (is_count)
        vc_buffer_printf(&value, "CASE WHEN %s THEN coalesce(c.v, 0) END", vc_buffer_text(&found));
    else
        vc_buffer_put_text(&value, "c.v");
    snprintf(how, sizeof how, words[base->node->reaggregate], "x", "x");
    RUN(base->in, "DROP TABLE IF EXISTS looked");
    RUN(base->in, "CREATE TABLE looked AS %s", vc_buffer_text(&cells));
    bool makes_rows = sql_makes_rows(base->in, base->node);
    RUN(base->in,
        "UPDATE w SET v%u = CASE WHEN c.n > 0 OR NOT %d THEN c.v END, n = w.n + c.n * %d, r%u = "
        "CASE WHEN c.v IS NOT NULL THEN '' WHEN c.n = "
        "0 AND %d THEN 'e' WHEN c.k > 0 THEN 'd' WHEN c.d > 0 THEN 'd' ELSE 'n' END FROM (SELECT "
        "id, %s AS v, count(x) AS k, sum(d) AS d, coalesce(sum(n), 0) AS n FROM (SELECT w.rowid AS "
        "id, %s AS x, c.v IS NULL AND c.k > 0 AS d, c.n AS n FROM w%s LEFT JOIN looked c ON 1%s%s) "
        "GROUP BY id) c WHERE w.rowid = c.id AND w.r%u = ''",
        m, is_count && base->in->depth > 0, makes_rows, m, !is_count, how, vc_buffer_text(&value),
        vc_buffer_text(&leaves), vc_buffer_text(&base->where), vc_buffer_text(&on), m);
    vc_buffer_release(&cells);
    vc_buffer_release(&leaves);
    vc_buffer_release(&on);
    vc_buffer_release(&found);
    vc_buffer_release(&value);
}

static void fill_cells(struct base *base)
{
    unsigned m = base->m;
    vc_buffer cells = {0};
    put_cells(base, &cells);
    RUN(base->in,
        "UPDATE w SET v%u = c.v, n = w.n + c.n * %d, r%u = CASE WHEN c.v IS NOT NULL THEN %s WHEN "
        "c.k = "
        "0 THEN 'n' ELSE 'd' END FROM (%s) c WHERE w.r%u = ''%s",
        m, sql_makes_rows(base->in, base->node), m,
        base->has_parts ? "CASE WHEN e THEN 'a' ELSE '' END" : "''", vc_buffer_text(&cells), m,
        vc_buffer_text(&base->where));
    vc_buffer_release(&cells);
}

void sql_fill_base(struct sql_question *in, uint32_t kept, unsigned m)
{
    const struct sql_node *node = &in->sql->nodes[m];
    bool is_count = node->stored->aggregator == VC_AGG_COUNT ||
                    node->stored->aggregator == VC_AGG_COUNT_DISTINCT;
    struct base base = {.in = in, .node = node, .m = m, .kept = kept};
    if (sql_has_policy(in, m, kept, VC_UNRELATED_NULL)) {
        RUN(in, "UPDATE w SET r%u = 'x'", m);
        return;
    }
    read_base(&base);
    const char *whys = vc_buffer_text(&base.whys);
    RUN(in,
        "UPDATE w SET r%u = (SELECT CASE WHEN coalesce(sum(r = 'u'), 0) THEN 'u' WHEN "
        "coalesce(sum(r = 'g'), 0) THEN 'g' ELSE '' END FROM why WHERE s = %u AND (0%s))",
        m, node->source, whys);
    if (base.nlookups > 0)
        fill_lookups(&base, is_count);
    else
        fill_cells(&base);
    if (is_count && in->depth == 0)
        RUN(in, "UPDATE w SET v%u = 0 WHERE r%u = '' AND v%u IS NULL", m, m, m);
    else
        RUN(in, "UPDATE w SET r%u = 'e' WHERE r%u = '' AND v%u IS NULL", m, m, m);
    if (base.has_repeats)
        RUN(in,
            "UPDATE w SET r%u = 'r' WHERE v%u IS NOT NULL AND EXISTS (SELECT 1 FROM why WHERE rep "
            "AND s = %u AND (0%s))",
            m, m, node->source, whys);
    if (sql_has_policy(in, m, kept, VC_UNRELATED_REPEAT))
        RUN(in, "UPDATE w SET r%u = 'r' WHERE v%u IS NOT NULL", m, m);
    release_base(&base);
}
