/* A query as SQL. The statements of one question, in order:
 *
 *     pick   the slots that the cuts leave, per dimension
 *     grp    the members of each axis, and their order
 *     t      per source and dimension the pairs (group, own leaf) of T; why: why there is none
 *     w      a row per combination of visible groups; per measure its amount v and reason r
 *
 * t, why and w are of one grouping and made anew for each.
 */
#include "tests/slice/sql_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- axes ---- */

static void plan_axes(struct sql_question *in)
{
    RUN(in, "DELETE FROM grp");
    for (unsigned a = 0; a < in->naxes; a++) {
        const vc_dimref *ref = &in->query->axes[a].dimref;
        unsigned d = in->axes[a] = sql_find_dimension(in->sql, ref->dimension);
        unsigned level = in->levels[a] =
            ref->level.data == NULL ? 0 : (unsigned)(ref->level.data[1] - '0');
        vc_buffer keys = {0};
        for (unsigned l = 0; l < WORLD_LEVELS; l++)
            if (l == level) /* the key of a bucket's group is the bucket's */
                vc_buffer_printf(&keys,
                                 ", CASE WHEN syn THEN CASE WHEN g%u %% 1000000 = 0 THEN bkey ELSE "
                                 "skey END ELSE l%u END",
                                 level, l);
            else
                vc_buffer_printf(&keys, ", l%u", l);
        RUN(in,
            "INSERT OR IGNORE INTO grp SELECT %u, g%u, syn%s, m0, m1, m2 FROM x%u ORDER BY slot", a,
            level, vc_buffer_text(&keys), d);
        vc_buffer_release(&keys);
    }
}

int sql_axis_of(const struct sql_question *in, uint32_t kept, unsigned d)
{
    for (unsigned a = 0; a < in->naxes; a++)
        if (in->axes[a] == d && kept >> a & 1) return (int)a;
    return -1;
}

/* ---- measures ---- */

static unsigned find_node(const struct sql *sql, vc_str name)
{
    unsigned m = 0;
    while (!vc_str_is(name, sql->nodes[m].name))
        m++;
    return m;
}

static void want(struct sql_question *in, unsigned m)
{
    if (in->is_wanted[m]) return;
    in->is_wanted[m] = true;
    if (in->sql->nodes[m].formula == FORMULA_NONE) return;
    want(in, in->sql->nodes[m].a);
    want(in, in->sql->nodes[m].b);
}

static int axis_named(const struct sql_question *in, vc_str name)
{
    for (unsigned a = 0; a < in->naxes; a++)
        if (vc_str_equal(in->query->axes[a].dimref.dimension, name)) return (int)a;
    return -1;
}

/* What a measure shows while a dimension that its source does not have is cut or drilled. */
static vc_unrelated policy_of(const struct sql *sql, const struct sql_node *node, unsigned d)
{
    const struct sql_dimension *dimension = &sql->dimensions[d];
    if (node->unrelated != VC_UNRELATED_DEFAULT) return node->unrelated;
    vc_unrelated word = sql->sources[dimension->owner].definition->others[dimension->owned];
    return word == VC_UNRELATED_DEFAULT ? VC_UNRELATED_NULL : word;
}

/* Of the dimensions at hand: is one unrelated whose policy is this? */
bool sql_has_policy(const struct sql_question *in, unsigned m, uint32_t kept, vc_unrelated word)
{
    const struct sql *sql = in->sql;
    const struct sql_node *node = &sql->nodes[m];
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (!sql->sources[node->source].places[d].is_there &&
            (in->is_cut[d] || sql_axis_of(in, kept, d) >= 0) && policy_of(sql, node, d) == word)
            return true;
    return false;
}

static const char *plan_measures(struct sql_question *in)
{
    const vc_query *query = in->query;
    const struct sql *sql = in->sql;
    for (size_t i = 0; i < query->nmeasures; i++)
        in->asked[in->nasked++] = find_node(sql, query->measures[i].name);
    for (unsigned m = 0; query->nmeasures == 0 && m < sql->nnamed; m++)
        in->asked[in->nasked++] = m;
    for (unsigned i = 0; i < in->nasked; i++)
        want(in, in->asked[i]);
    for (size_t i = 0; i < query->nhavings; i++)
        want(in, find_node(sql, query->havings[i].measure));
    for (size_t i = 0; i < query->ntops; i++)
        want(in, find_node(sql, query->tops[i].measure));
    for (size_t i = 0; i < query->norders; i++)
        if (axis_named(in, query->orders[i].name) < 0)
            want(in, find_node(sql, query->orders[i].name));
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m] && sql->nodes[m].formula == FORMULA_NONE &&
            sql_has_policy(in, m, (1u << in->naxes) - 1, VC_UNRELATED_ERROR))
            return "unrelated";
    return NULL;
}

/* ---- T, and why it is empty ---- */

static void translate(struct sql_question *in, uint32_t kept, unsigned s, unsigned d)
{
    const struct sql_place *place = &in->sql->sources[s].places[d];
    int axis = sql_axis_of(in, kept, d);
    char group[16] = "0";
    if (axis >= 0) snprintf(group, sizeof group, "x.g%u", in->levels[axis]);
    if (!place->is_relation) {
        bool has_place = in->is_cut[d] || axis >= 0 || in->sql->dimensions[d].stored->nleaves > 0;
        RUN(in,
            "INSERT INTO t SELECT %u, %u, slot, %s FROM x%u x JOIN pick p USING (slot) WHERE p.d = "
            "%u AND NOT syn",
            s, d, group, d, d);
        RUN(in,
            "INSERT INTO why SELECT %u, %u, %s, CASE WHEN sum(NOT syn) = 0 AND %d THEN 'u' ELSE '' "
            "END FROM x%u x JOIN pick p USING (slot) WHERE p.d = %u GROUP BY 3",
            s, d, group, has_place, d, d);
        return;
    }
    /* Rows below what the index stands on have no part of it, however many leaves it has. */
    bool is_below = axis >= 0 && in->levels[axis] > place->level;
    char have[512];
    snprintf(have, sizeof have,
             "WITH have AS (SELECT %s AS g, u.unit, count(*) AS n FROM x%u x JOIN pick p USING "
             "(slot) JOIN u%u_%u u ON u.p = x.slot WHERE p.d = %u AND NOT syn GROUP BY 1, 2), "
             "part AS (SELECT h.g, h.unit, h.n < n.n OR %d AS is_part FROM have h JOIN n%u_%u n "
             "USING (unit))",
             group, d, s, d, d, is_below, s, d);
    RUN(in,
        "%s INSERT INTO t SELECT %u, %u, q, g FROM part JOIN ru%u_%u USING (unit) WHERE NOT "
        "is_part "
        "UNION SELECT %u, %u, q, %s FROM x%u x JOIN pick p USING (slot) WHERE p.d = %u AND syn AND "
        "src = %u",
        have, s, d, s, d, s, d, group, d, d, s);
    RUN(in,
        "%s INSERT INTO why SELECT %u, %u, g, CASE WHEN max(is_mapped) = 0 THEN 'u' WHEN "
        "max(is_part) THEN 'g' ELSE '' END FROM (SELECT g, unit IN (SELECT unit FROM ru%u_%u) AS "
        "is_mapped, is_part AND unit IN (SELECT unit FROM ru%u_%u) AS is_part FROM part UNION ALL "
        "SELECT %s, src = %u, 0 FROM x%u x JOIN pick p USING (slot) WHERE p.d = %u AND syn%s) "
        "GROUP "
        "BY g",
        have, s, d, s, d, s, d, group, s, d, d, axis < 0 ? " UNION ALL SELECT 0, 0, 0" : "");
}

static void fill_formula(struct sql_question *in, unsigned m)
{
    const struct sql_node *node = &in->sql->nodes[m];
    unsigned a = node->a, b = node->b;
    switch (node->formula) {
    case FORMULA_COALESCE:
        RUN(in,
            "UPDATE w SET v%u = coalesce(v%u, v%u), r%u = CASE WHEN v%u IS NULL AND v%u IS NOT "
            "NULL "
            "THEN r%u ELSE r%u END",
            m, a, b, m, a, b, b, a);
        return;
    case FORMULA_ZN:
        RUN(in,
            "UPDATE w SET v%u = coalesce(v%u, 0) - v%u, r%u = CASE WHEN v%u IS NULL OR v%u IS NULL "
            "OR r%u = '' THEN r%u ELSE r%u END",
            m, a, b, m, b, a, a, b, a);
        return;
    case FORMULA_RATIO:
    default:
        RUN(in,
            "UPDATE w SET v%u = CASE WHEN %d AND v%u = 0 THEN NULL ELSE v%u %s v%u END, r%u = CASE "
            "WHEN v%u IS NULL THEN r%u WHEN v%u IS NULL THEN r%u WHEN %d AND v%u = 0 THEN 'd' WHEN "
            "r%u <> '' THEN r%u ELSE r%u END",
            m, node->formula == FORMULA_RATIO, b, a, node->formula == FORMULA_RATIO ? "/" : "+", b,
            m, a, a, b, b, node->formula == FORMULA_RATIO, b, a, a, b);
    }
}

static void fill(struct sql_question *in, uint32_t kept, unsigned m, bool *is_done)
{
    const struct sql_node *node = &in->sql->nodes[m];
    if (is_done[m]) return;
    is_done[m] = true;
    if (node->formula == FORMULA_NONE) {
        sql_fill_base(in, kept, m);
        return;
    }
    fill(in, kept, node->a, is_done);
    fill(in, kept, node->b, is_done);
    fill_formula(in, m);
}

/* ---- rows ---- */

static void put_has_value(const struct sql_question *in, vc_buffer *out)
{
    vc_buffer_put_text(out, "(0");
    for (unsigned i = 0; i < in->nasked; i++) {
        unsigned m = in->asked[i];
        const struct world_measure *stored = in->sql->nodes[m].stored;
        bool is_count = stored != NULL && (stored->aggregator == VC_AGG_COUNT ||
                                           stored->aggregator == VC_AGG_COUNT_DISTINCT);
        vc_buffer_printf(out, is_count ? " OR coalesce(v%u, 0) <> 0" : " OR v%u IS NOT NULL", m);
    }
    vc_buffer_put_char(out, ')');
}

static void make_rows(struct sql_question *in, uint32_t kept, bool is_sparse)
{
    struct sql *sql = in->sql;
    bool is_read[WORLD_SOURCES] = {false}, is_done[SQL_NODES] = {false};
    vc_buffer columns = {0}, tables = {0};
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m] && sql->nodes[m].formula == FORMULA_NONE)
            is_read[sql->nodes[m].source] = true;
    RUN(in, "DELETE FROM t");
    RUN(in, "DELETE FROM why");
    RUN(in, "DELETE FROM w");
    for (unsigned s = 0; s < sql->nsources; s++)
        for (unsigned d = 0; d < sql->ndimensions; d++)
            if (is_read[s] && sql->sources[s].places[d].is_there) translate(in, kept, s, d);
    for (unsigned a = 0; a < 4; a++) {
        if (a >= in->naxes || !(kept >> a & 1)) {
            vc_buffer_printf(&columns, "%s0", a > 0 ? ", " : "");
            continue;
        }
        vc_buffer_printf(&columns, "%sv%u", a > 0 ? ", " : "", a);
        vc_buffer_printf(&tables,
                         "%s(SELECT DISTINCT g%u AS v%u FROM x%u JOIN pick USING (slot) WHERE d = "
                         "%u)",
                         tables.size > 0 ? ", " : " FROM ", in->levels[a], a, in->axes[a],
                         in->axes[a]);
    }
    RUN(in, "INSERT INTO w(g0, g1, g2, g3) SELECT %s%s", vc_buffer_text(&columns),
        vc_buffer_text(&tables));
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m]) fill(in, kept, m, is_done);
    if (is_sparse && kept != 0) {
        vc_buffer_clear(&columns);
        put_has_value(in, &columns);
        RUN(in, "DELETE FROM w WHERE n = 0 OR NOT %s", vc_buffer_text(&columns));
    }
    vc_buffer_release(&columns);
    vc_buffer_release(&tables);
}

/* ---- having, top, order ---- */

static void drop_empty(struct sql_question *in)
{
    vc_buffer has_value = {0};
    put_has_value(in, &has_value);
    for (size_t i = 0; i < in->query->nnonempty; i++) {
        int axis = axis_named(in, in->query->nonempty[i].name);
        RUN(in, "DELETE FROM w WHERE g%d NOT IN (SELECT g%d FROM w WHERE %s)", axis, axis,
            vc_buffer_text(&has_value));
    }
    vc_buffer_release(&has_value);
}

static void apply_having(struct sql_question *in, const vc_having *having)
{
    static const char *const signs[] = {"=", "=", ">", ">=", "<", "<="};
    unsigned m = find_node(in->sql, having->measure);
    vc_buffer any = {0};
    if (having->op == VC_OP_SET || having->op == VC_OP_NOT_SET) {
        RUN(in, "DELETE FROM w WHERE v%u IS %sNULL", m, having->op == VC_OP_SET ? "" : "NOT ");
        return;
    }
    for (size_t i = 0; i < having->nvalues; i++)
        vc_buffer_printf(&any, " OR v%u %s %.17g", m, signs[having->op], having->values[i]);
    RUN(in, "DELETE FROM w WHERE v%u IS NULL OR %s(0%s)", m, having->op == VC_OP_NE ? "" : "NOT ",
        vc_buffer_text(&any));
    vc_buffer_release(&any);
}

/* The best members of an axis in each combination of those before it, by the measure at that grain,
 * among those of which some row is left. The rows go aside while the grain is in `w`. */
static void apply_top(struct sql_question *in, const vc_top *top)
{
    unsigned axis = (unsigned)axis_named(in, top->dimension), m = find_node(in->sql, top->measure);
    vc_buffer keys = {0}, same = {0};
    for (unsigned a = 0; a <= axis; a++) {
        if (a < axis) vc_buffer_printf(&keys, "%sg%u", a > 0 ? ", " : "PARTITION BY ", a);
        vc_buffer_printf(&same, " AND x.g%u = y.g%u", a, a);
    }
    RUN(in, "DROP TABLE IF EXISTS aside");
    RUN(in, "CREATE TABLE aside AS SELECT * FROM w");
    make_rows(in, (2u << axis) - 1, false);
    RUN(in, "DELETE FROM w AS x WHERE NOT EXISTS (SELECT 1 FROM aside y WHERE 1%s)",
        vc_buffer_text(&same));
    RUN(in,
        "DELETE FROM w WHERE rowid IN (SELECT id FROM (SELECT rowid AS id, row_number() OVER (%s "
        "ORDER BY v%u IS NULL, v%u %s, g%u) AS place FROM w) WHERE place > %llu)",
        vc_buffer_text(&keys), m, m, top->is_ascending ? "ASC" : "DESC", axis,
        (unsigned long long)top->count);
    RUN(in, "DELETE FROM aside AS x WHERE NOT EXISTS (SELECT 1 FROM w y WHERE 1%s)",
        vc_buffer_text(&same));
    RUN(in, "DELETE FROM w");
    RUN(in, "INSERT INTO w SELECT * FROM aside");
    vc_buffer_release(&keys);
    vc_buffer_release(&same);
}

static void put_orders(const struct sql_question *in, vc_buffer *out)
{
    for (size_t i = 0; i < in->query->norders; i++) {
        const vc_order *order = &in->query->orders[i];
        int axis = axis_named(in, order->name);
        if (axis < 0) {
            unsigned m = find_node(in->sql, order->name);
            vc_buffer_printf(out, "v%u IS NULL, v%u %s, ", m, m,
                             order->is_descending ? "DESC" : "ASC");
        } else if (!order->is_descending) {
            vc_buffer_printf(out, "w.g%d, ", axis);
        } else { /* buckets stay last, and so does a null key among its siblings */
            vc_buffer_printf(out, "b%d.syn, CASE WHEN b%d.syn THEN w.g%d END, ", axis, axis, axis);
            for (unsigned l = 0; l <= in->levels[axis]; l++)
                vc_buffer_printf(out, "b%d.k%u IS NULL, b%d.m%u DESC, ", axis, l, axis, l);
        }
    }
    vc_buffer_put_text(out, "w.g0, w.g1, w.g2, w.g3");
}

static sqlite3_stmt *read_rows(struct sql_question *in, uint32_t kept, const char *order,
                               const char *behind)
{
    sqlite3_stmt *statement = NULL;
    vc_buffer text = {0}, tables = {0};
    vc_buffer_put_text(&text, "SELECT 0");
    for (unsigned a = 0; a < in->naxes; a++) {
        if (!(kept >> a & 1)) continue;
        vc_buffer_printf(&text, ", b%u.syn", a);
        for (unsigned l = 0; l <= in->levels[a]; l++)
            vc_buffer_printf(&text, ", b%u.k%u", a, l);
        vc_buffer_printf(&tables, " JOIN grp b%u ON b%u.a = %u AND b%u.g = w.g%u", a, a, a, a, a);
    }
    for (unsigned i = 0; i < in->nasked; i++)
        vc_buffer_printf(&text, ", v%u, r%u", in->asked[i], in->asked[i]);
    vc_buffer_printf(&text, " FROM w%s ORDER BY %s%s", vc_buffer_text(&tables), order, behind);
    vc_buffer_printf(&in->sql->log, "%s;\n", vc_buffer_text(&text));
    if (sqlite3_prepare_v2(in->sql->db, vc_buffer_text(&text), -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "SQLite: %s in\n%s\n", sqlite3_errmsg(in->sql->db), vc_buffer_text(&text));
        abort();
    }
    vc_buffer_release(&text);
    vc_buffer_release(&tables);
    return statement;
}

/* ---- the question ---- */

static bool knows(const vc_condition *condition)
{
    for (size_t i = 0; i < condition->nitems; i++)
        if (condition->items[i].kind > VC_ITEM_ENDS_WITH || condition->items[i].level.data != NULL)
            return false;
    for (size_t i = 0; i < condition->nchildren; i++)
        if (!knows(condition->children[i])) return false;
    return true;
}

bool sql_knows(const vc_query *query)
{
    for (size_t i = 0; i < query->nconditions; i++)
        if (!knows(query->conditions[i])) return false;
    return query->naxes <= 4 && !query->totals_visible;
}

struct sql_question *sql_ask(struct sql *sql, const vc_query *query, vc_arena *arena,
                             const char **error_out)
{
    struct sql_question *in = VC_ARENA_NEW(arena, struct sql_question, 1);
    *in = (struct sql_question){.sql = sql, .query = query, .naxes = (unsigned)query->naxes};
    vc_buffer_clear(&sql->log);
    plan_axes(in);
    *error_out = sql_select_slots(in);
    if (*error_out == NULL) *error_out = plan_measures(in);
    return in;
}

sqlite3_stmt *sql_detail(struct sql_question *in, size_t *nfound_out)
{
    uint32_t all = (1u << in->naxes) - 1;
    const vc_query *query = in->query;
    vc_buffer order = {0};
    char behind[64];
    make_rows(in, all, query->is_sparse);
    drop_empty(in);
    for (size_t i = 0; i < query->nhavings; i++)
        apply_having(in, &query->havings[i]);
    for (size_t i = 0; i < query->ntops; i++)
        apply_top(in, &query->tops[i]);
    *nfound_out = (size_t)sql_number(in->sql, "SELECT count(*) FROM w");
    put_orders(in, &order);
    snprintf(behind, sizeof behind, " LIMIT %lld OFFSET %llu",
             query->limit == UINT64_MAX ? -1LL : (long long)query->limit,
             (unsigned long long)query->offset);
    sqlite3_stmt *statement = read_rows(in, all, vc_buffer_text(&order), behind);
    vc_buffer_release(&order);
    return statement;
}

sqlite3_stmt *sql_total(struct sql_question *in, uint32_t kept)
{
    make_rows(in, kept, true);
    return read_rows(in, kept, "w.g0, w.g1, w.g2, w.g3", "");
}

size_t sql_naxes(const struct sql_question *in)
{
    return in->naxes;
}

unsigned sql_nkeys(const struct sql_question *in, size_t axis)
{
    return in->levels[axis] + 1;
}

size_t sql_nasked(const struct sql_question *in)
{
    return in->nasked;
}

const char *sql_asked(const struct sql_question *in, size_t number)
{
    return in->sql->nodes[in->asked[number]].name;
}

vc_value_type sql_type(const struct sql_question *in, size_t number)
{
    const struct world_measure *stored = in->sql->nodes[in->asked[number]].stored;
    if (stored == NULL || stored->aggregator == VC_AGG_AVG || stored->over == VC_OVER_AVG ||
        stored->aggregator > VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_FLOAT;
    if (stored->aggregator == VC_AGG_COUNT || stored->aggregator == VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_INT;
    return stored->column == COLUMN_INT       ? VC_VALUE_INT
           : stored->column == COLUMN_DECIMAL ? VC_VALUE_DECIMAL
                                              : VC_VALUE_FLOAT;
}
