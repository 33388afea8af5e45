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

void sql_want(struct sql_question *in, unsigned m)
{
    if (in->is_wanted[m]) return;
    in->is_wanted[m] = true;
    if (in->sql->nodes[m].formula == FORMULA_NONE) return;
    sql_want(in, in->sql->nodes[m].a);
    sql_want(in, in->sql->nodes[m].b);
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
    const struct world *world = sql->world;
    const struct world_pair *outer = &world->outer.pairs[0];
    bool is_outer = sql->ninner > 0 && node->source == sql->ninner;
    vc_unrelated word = VC_UNRELATED_DEFAULT;
    if (node->unrelated != VC_UNRELATED_DEFAULT) return node->unrelated;
    if (sql->first > 0 && node->source > 0 && d == outer->dimension)
        word = world->sources[0].others[outer->to_dimension]; /* of "o": it is v's own one now */
    else if (sql->first > 0 && (node->source == 0 || dimension->owner == 0))
        word = VC_UNRELATED_NULL; /* "o" says nothing */
    else if (!is_outer) /* of "n", too: what the sources of "v" show among themselves, "v" says */
        word = sql->sources[dimension->owner].definition->others[dimension->owned];
    else if (dimension->owner == 0)
        word = world->nested_others[dimension->owned];
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
        in->asked[in->nasked++] = sql_find_node(sql, query->measures[i].name);
    unsigned first = sql->first > 0 ? sql->world->ntaken : 0; /* the primary's of "o" */
    for (unsigned i = 0; query->nmeasures == 0 && i < sql->nnamed; i++) {
        unsigned m = (first + i) % sql->nnamed;
        if (!sql_is_refused(sql, m)) in->asked[in->nasked++] = m;
    }
    for (unsigned i = 0; i < in->nasked; i++)
        sql_want(in, in->asked[i]);
    for (size_t i = 0; i < query->nhavings; i++)
        sql_want(in, sql_find_node(sql, query->havings[i].measure));
    for (size_t i = 0; i < query->ntops; i++)
        sql_want(in, sql_find_node(sql, query->tops[i].measure));
    for (size_t i = 0; i < query->norders; i++)
        if (axis_named(in, query->orders[i].name) < 0)
            sql_want(in, sql_find_node(sql, query->orders[i].name));
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m] && sql->nodes[m].formula == FORMULA_NONE &&
            sql_has_policy(in, m, (1u << in->naxes) - 1, VC_UNRELATED_ERROR))
            return "unrelated";
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m] && sql->nodes[m].formula == FORMULA_NONE && sql_is_refused(sql, m))
            return "not_additive";
    return NULL;
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
    if (node->formula == FORMULA_CALL)
        sql_fill_call(in, kept, m);
    else
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

/* Is there a row without a value whose facts totals may count? */
static bool hides_facts(struct sql_question *in, const char *has_value)
{
    vc_buffer may_count = {0};
    for (unsigned i = 0; i < in->nasked; i++)
        if (in->sql->nodes[in->asked[i]].stored != NULL)
            vc_buffer_printf(&may_count, " OR r%u = 'd'", in->asked[i]);
        else
            vc_buffer_put_text(&may_count, " OR 1");
    bool hides = sql_number(in->sql, "SELECT count(*) FROM w WHERE n > 0 AND NOT %s AND (0%s)",
                            has_value, vc_buffer_text(&may_count)) > 0;
    vc_buffer_release(&may_count);
    return hides;
}

void sql_make_rows(struct sql_question *in, uint32_t kept, bool is_sparse)
{
    struct sql *sql = in->sql;
    bool is_done[SQL_NODES] = {false};
    vc_buffer columns = {0}, tables = {0};
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m] && sql->nodes[m].formula == FORMULA_CALL)
            sql_prepare_call(in, kept, m);
    RUN(in, "DELETE FROM w");
    sql_translate(in, kept);
    for (unsigned a = 0; a < SQL_AXES; a++) {
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
    RUN(in, "INSERT INTO w(g0, g1, g2, g3, g4, g5, g6, g7) SELECT %s%s", vc_buffer_text(&columns),
        vc_buffer_text(&tables));
    for (unsigned m = 0; m < sql->nnodes; m++)
        if (in->is_wanted[m]) fill(in, kept, m, is_done);
    if (is_sparse && (kept != 0 || in->narrow > NARROW_SHOWN)) {
        vc_buffer_clear(&columns);
        put_has_value(in, &columns);
        in->hides_facts = hides_facts(in, vc_buffer_text(&columns));
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
    unsigned m = sql_find_node(in->sql, having->measure);
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
 * among those of which some row is left. The rows go aside while the grain is in `w`.
 *
 * is_filtered: rows have been left out before, which are no others */
static void apply_top(struct sql_question *in, const vc_top *top, bool is_filtered)
{
    unsigned axis = (unsigned)axis_named(in, top->dimension),
             m = sql_find_node(in->sql, top->measure);
    vc_buffer keys = {0}, same = {0};
    for (unsigned a = 0; a <= axis; a++) {
        if (a < axis) vc_buffer_printf(&keys, "%sg%u", a > 0 ? ", " : "PARTITION BY ", a);
        vc_buffer_printf(&same, " AND x.g%u = y.g%u", a, a);
    }
    RUN(in, "DROP TABLE IF EXISTS aside");
    RUN(in, "CREATE TABLE aside AS SELECT * FROM w");
    sql_make_rows(in, (2u << axis) - 1, false);
    RUN(in, "DELETE FROM w AS x WHERE NOT EXISTS (SELECT 1 FROM aside y WHERE 1%s)",
        vc_buffer_text(&same));
    RUN(in,
        "DELETE FROM w WHERE rowid IN (SELECT id FROM (SELECT rowid AS id, row_number() OVER (%s "
        "ORDER BY v%u IS NULL, v%u %s, g%u) AS place FROM w) WHERE place > %llu)",
        vc_buffer_text(&keys), m, m, top->is_ascending ? "ASC" : "DESC", axis,
        (unsigned long long)top->count);
    RUN(in, "DROP TABLE IF EXISTS shown");
    if (is_filtered)
        RUN(in,
            "CREATE TABLE shown AS SELECT g0, g1, g2, g3 FROM aside AS x WHERE NOT EXISTS (SELECT "
            "1 FROM w y WHERE 1%s)",
            vc_buffer_text(&same));
    else
        RUN(in, "CREATE TABLE shown AS SELECT g0, g1, g2, g3 FROM w");
    RUN(in, "DELETE FROM aside AS x WHERE NOT EXISTS (SELECT 1 FROM w y WHERE 1%s)",
        vc_buffer_text(&same));
    RUN(in, "DELETE FROM w");
    if (top->has_other) sql_add_others(in, is_filtered ? NARROW_DROPPED : NARROW_OTHERS, axis);
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
            unsigned m = sql_find_node(in->sql, order->name);
            for (size_t t = 0; t < in->query->ntops; t++) /* others are last, both ways */
                vc_buffer_printf(out, "w.g%d = %d, ", axis_named(in, in->query->tops[t].dimension),
                                 SQL_OTHER);
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

static void put_groups(const struct sql_question *in, uint32_t kept, vc_buffer *out)
{
    for (unsigned a = 0; a < in->naxes; a++)
        if (kept >> a & 1)
            vc_buffer_printf(out, " JOIN grp b%u ON b%u.a = %u AND b%u.g = w.g%u", a, a, a, a, a);
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
    }
    put_groups(in, kept, &tables);
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
        if (condition->items[i].kind > VC_ITEM_MEMBER_SET || condition->items[i].level.data != NULL)
            return false;
    for (size_t i = 0; i < condition->nchildren; i++)
        if (!knows(condition->children[i])) return false;
    return true;
}

bool sql_knows(const vc_query *query)
{
    for (size_t i = 0; i < query->nconditions; i++)
        if (!knows(query->conditions[i])) return false;
    return query->naxes <= 4;
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
    vc_buffer order = {0}, tables = {0};
    char behind[64];
    in->hides_facts = false;
    sql_make_rows(in, all, query->is_sparse);
    size_t nmade = (size_t)sql_number(in->sql, "SELECT count(*) FROM w");
    drop_empty(in);
    size_t nrows = (size_t)sql_number(in->sql, "SELECT count(*) FROM w");
    bool hides_facts = in->hides_facts || nrows < nmade;
    for (size_t i = 0; i < query->nhavings; i++)
        apply_having(in, &query->havings[i]);
    bool shows_others = false;
    for (size_t i = 0; i < query->ntops; i++) {
        shows_others |= query->tops[i].has_other;
        size_t nleft = (size_t)sql_number(in->sql, "SELECT count(*) FROM w");
        apply_top(in, &query->tops[i], nleft < nrows);
    }
    *nfound_out = (size_t)sql_number(in->sql, "SELECT count(*) FROM w");
    put_orders(in, &order);
    put_groups(in, all, &tables);
    snprintf(behind, sizeof behind, " LIMIT %lld OFFSET %llu",
             query->limit == UINT64_MAX ? -1LL : (long long)query->limit,
             (unsigned long long)query->offset);
    if (query->totals_visible) { /* kept for sql_total */
        RUN(in, "DROP TABLE IF EXISTS visible");
        RUN(in, "CREATE TABLE visible AS SELECT w.g0, w.g1, w.g2, w.g3 FROM w%s ORDER BY %s%s",
            vc_buffer_text(&tables), vc_buffer_text(&order), behind);
        size_t nvisible = (size_t)sql_number(in->sql, "SELECT count(*) FROM visible");
        in->is_whole = nvisible == *nfound_out &&
                       (shows_others ? query->nhavings == 0 : *nfound_out == nrows && !hides_facts);
    }
    sqlite3_stmt *statement = read_rows(in, all, vc_buffer_text(&order), behind);
    vc_buffer_release(&order);
    vc_buffer_release(&tables);
    return statement;
}

sqlite3_stmt *sql_total(struct sql_question *in, uint32_t kept)
{
    bool is_narrow = in->query->totals_visible && !in->is_whole && in->naxes > 0;
    if (is_narrow) {
        RUN(in, "DROP TABLE IF EXISTS shown");
        RUN(in, "CREATE TABLE shown AS SELECT * FROM visible");
        sql_narrow(in, NARROW_SHOWN, 0);
    }
    sql_make_rows(in, kept, true);
    if (is_narrow) sql_widen(in);
    return read_rows(in, kept, "w.g0, w.g1, w.g2, w.g3", "");
}

sqlite3_stmt *sql_summary(struct sql_question *in)
{
    sql_make_rows(in, 0, true);
    return read_rows(in, 0, "w.g0, w.g1, w.g2, w.g3", "");
}

/* ---- the answer ---- */

const struct sql *sql_of(const struct sql_question *in)
{
    return in->sql;
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
