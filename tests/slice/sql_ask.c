/* A query as SQL. The statements of one question, in order:
 *
 *     pick   the slots that the cuts leave, per dimension
 *     grp    the members of each axis, and their order
 *     t      per source and dimension the pairs (group, own leaf) of T; why: why there is none
 *     w      a row per combination of visible groups; per measure its amount v and reason r
 *
 * t, why and w are of one grouping and made anew for each.
 */
#include "tests/slice/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sql_question {
    struct sql *sql;
    const vc_query *query;
    bool is_cut[SQL_DIMENSIONS];
    unsigned naxes, axes[SQL_AXES], levels[SQL_AXES];
    unsigned asked[SQL_NODES], nasked;
    bool is_wanted[SQL_NODES]; /* asked, compared, or needed for one of those */
};

#define RUN(in, ...) sql_run((in)->sql, &(in)->sql->log, __VA_ARGS__)

/* ---- conditions ---- */

struct cutting {
    struct sql_question *in;
    unsigned d, cube, of;
    const struct world_dimension *stored;
    const bool *is_number; /* per level */
};

static void put_is(vc_buffer *out, unsigned level, vc_str key)
{
    vc_buffer_printf(out, "l%u ", level);
    if (key.size == 0) {
        vc_buffer_put_text(out, "IS NULL");
        return;
    }
    vc_buffer_put_text(out, "IS "); /* not "=": a negation of null must be true */
    sql_put_text(out, key);
}

static int64_t count_leaves(const struct cutting *at, vc_buffer *condition)
{
    return sql_number(at->in->sql, "SELECT count(*) FROM c%u_%u WHERE %s", at->cube, at->of,
                      vc_buffer_text(condition));
}

/* A key alone means a member of the first level, else the one member below that has it. */
static const char *find_alone(const struct cutting *at, vc_str key, unsigned *level_out)
{
    vc_buffer text = {0};
    int64_t nmembers = 0;
    put_is(&text, 0, key);
    *level_out = 0;
    bool is_first = count_leaves(at, &text) > 0;
    for (unsigned l = 1; l < at->stored->nlevels && !is_first; l++) {
        vc_buffer_clear(&text);
        put_is(&text, l, key);
        int64_t count = sql_number(at->in->sql,
                                   "SELECT count(DISTINCT m%u) FROM c%u_%u JOIN o%u_%u USING "
                                   "(leaf) WHERE %s",
                                   l, at->cube, at->of, at->cube, at->of, vc_buffer_text(&text));
        if (count > 0) *level_out = l;
        nmembers += count;
    }
    vc_buffer_release(&text);
    return is_first || nmembers == 1 ? NULL : nmembers == 0 ? "unknown_member" : "ambiguous_key";
}

static const char *put_path(const struct cutting *at, const char *target, const vc_item *item,
                            vc_buffer *out)
{
    vc_buffer text = {0};
    unsigned level;
    const char *error = NULL;
    if (item->nkeys == 1) {
        vc_buffer_put_text(&text, "syn AND (skey IS ");
        sql_put_text(&text, item->keys[0]);
        vc_buffer_put_text(&text, " OR bkey IS ");
        sql_put_text(&text, item->keys[0]);
        vc_buffer_put_text(&text, ")");
        if (sql_number(at->in->sql, "SELECT count(*) FROM x%u WHERE %s", at->d,
                       vc_buffer_text(&text)) > 0) {
            vc_buffer_put_text(out, vc_buffer_text(&text));
            vc_buffer_release(&text);
            return NULL;
        }
        vc_buffer_clear(&text);
    }
    if (item->nkeys == 1 && target != NULL) {
        if (target[0] == 'l') {
            put_is(&text, (unsigned)(target[1] - '0'), item->keys[0]);
        } else {
            vc_buffer_printf(&text, "%s IS ", target);
            sql_put_text(&text, item->keys[0]);
        }
        if (count_leaves(at, &text) == 0) error = "unknown_member";
    } else if (item->nkeys == 1) {
        error = find_alone(at, item->keys[0], &level);
        if (error == NULL) put_is(&text, level, item->keys[0]);
    } else {
        for (size_t k = 0; k < item->nkeys; k++) {
            vc_buffer_put_text(&text, k > 0 ? " AND " : "");
            put_is(&text, (unsigned)k, item->keys[k]);
        }
        if (item->nkeys == 0) vc_buffer_put_text(&text, "1");
        if (item->nkeys > 0 && count_leaves(at, &text) == 0) error = "unknown_member";
    }
    vc_buffer_printf(out, "NOT syn AND %s", vc_buffer_text(&text));
    vc_buffer_release(&text);
    return error;
}

/* Does a path, from `level` down, stand behind (>) or before (<) the end, or at it? Members with a
 * null key on the way are in no range; on a level of numbers they are compared as such. */
static void put_beyond(const struct cutting *at, const vc_str *keys, size_t nkeys, unsigned level,
                       const char *sign, bool excludes, vc_buffer *out)
{
    vc_buffer_put_text(out, "coalesce(");
    for (size_t k = 0; k < nkeys; k++) {
        bool is_number = at->is_number[level + k], is_last = k + 1 == nkeys;
        char left[40];
        snprintf(left, sizeof left, is_number ? "CAST(l%zu AS INTEGER)" : "l%zu", level + k);
        vc_buffer_printf(out, "(%s %s%s ", left, sign, is_last && !excludes ? "=" : "");
        vc_buffer end = {0};
        if (is_number)
            vc_buffer_printf(&end, "%.*s", VC_FMT(keys[k]));
        else
            sql_put_text(&end, keys[k]);
        vc_buffer_put_text(out, vc_buffer_text(&end));
        if (!is_last) vc_buffer_printf(out, " OR (%s = %s AND ", left, vc_buffer_text(&end));
        vc_buffer_release(&end);
    }
    for (size_t k = 0; k + 1 < nkeys; k++)
        vc_buffer_put_text(out, "))");
    vc_buffer_put_text(out, "), 0)");
}

/* The values of an attribute or key in a range: as numbers where both are. */
static void put_value_beyond(const char *target, vc_str end, const char *sign, bool excludes,
                             vc_buffer *out)
{
    const char *equal = excludes ? "" : "=";
    vc_buffer_printf(out, "coalesce(");
    if (vc_str_is_number(end))
        vc_buffer_printf(
            out, "CASE WHEN %s NOT GLOB '*[^0-9]*' THEN CAST(%s AS INTEGER) %s%s %.*s ELSE ",
            target, target, sign, equal, VC_FMT(end));
    vc_buffer_printf(out, "%s %s%s ", target, sign, equal);
    sql_put_text(out, end);
    vc_buffer_put_text(out, vc_str_is_number(end) ? " END, 0)" : ", 0)");
}

/* The level on which ends of one key stand: the highest on which one is found, else the first. */
static const char *choose_level(const struct cutting *at, const vc_item *item, unsigned *level_out)
{
    const vc_str *ends[2] = {item->nkeys == 1 ? item->keys : NULL,
                             item->nend_keys == 1 ? item->end_keys : NULL};
    unsigned best = WORLD_LEVELS;
    bool is_ambiguous = false;
    for (int i = 0; i < 2; i++) {
        unsigned level;
        if (ends[i] == NULL) continue;
        const char *error = find_alone(at, *ends[i], &level);
        if (error == NULL && level < best) best = level;
        is_ambiguous |= error != NULL && strcmp(error, "ambiguous_key") == 0;
    }
    *level_out = best == WORLD_LEVELS ? 0 : best;
    return best == WORLD_LEVELS && is_ambiguous ? "ambiguous_key" : NULL;
}

static bool are_ends(const struct cutting *at, const vc_str *keys, size_t nkeys, unsigned level)
{
    for (size_t k = 0; k < nkeys && at->stored->nleaves > 0; k++)
        if (at->is_number[level + k] && !vc_str_is_number(keys[k])) return false;
    return true;
}

static const char *put_range(const struct cutting *at, const char *target, const vc_item *item,
                             vc_buffer *out)
{
    vc_buffer_put_text(out, "NOT syn");
    if (target != NULL && target[0] != 'l') {
        vc_buffer_printf(out, " AND %s IS NOT NULL", target);
        if (item->nkeys > 0) {
            vc_buffer_put_text(out, " AND ");
            put_value_beyond(target, item->keys[0], ">", item->excludes_first, out);
        }
        if (item->nend_keys > 0) {
            vc_buffer_put_text(out, " AND ");
            put_value_beyond(target, item->end_keys[0], "<", item->excludes_end, out);
        }
        return NULL;
    }
    unsigned single = 0;
    if (target != NULL) {
        single = (unsigned)(target[1] - '0');
    } else {
        const char *error = choose_level(at, item, &single);
        if (error != NULL) return error;
    }
    unsigned low = item->nkeys == 1 ? single : 0, high = item->nend_keys == 1 ? single : 0;
    if (!are_ends(at, item->keys, item->nkeys, low) ||
        !are_ends(at, item->end_keys, item->nend_keys, high))
        return "syntax";
    if (item->nkeys > 0) {
        vc_buffer_put_text(out, " AND ");
        put_beyond(at, item->keys, item->nkeys, low, ">", item->excludes_first, out);
    }
    if (item->nend_keys > 0) {
        vc_buffer_put_text(out, " AND ");
        put_beyond(at, item->end_keys, item->nend_keys, high, "<", item->excludes_end, out);
    }
    return NULL;
}

static void put_part(const char *target, const vc_item *item, vc_buffer *out)
{
    vc_buffer part = {0};
    vc_buffer_put_text(&part, "lower(");
    sql_put_text(&part, item->keys[0]);
    vc_buffer_put_text(&part, ")");
    const char *text = vc_buffer_text(&part);
    vc_buffer_printf(out, "NOT syn AND %s IS NOT NULL AND ", target);
    if (item->kind == VC_ITEM_CONTAINS)
        vc_buffer_printf(out, "instr(lower(%s), %s) > 0", target, text);
    else if (item->kind == VC_ITEM_STARTS_WITH)
        vc_buffer_printf(out, "substr(lower(%s), 1, length(%s)) = %s", target, text, text);
    else
        vc_buffer_printf(out,
                         "length(%s) >= length(%s) AND substr(lower(%s), length(%s) - length(%s) + "
                         "1) = %s",
                         target, text, target, target, text, text);
    vc_buffer_release(&part);
}

static const char *put_item(const struct cutting *at, const char *target, const vc_item *item,
                            vc_buffer *out)
{
    const char *value = target == NULL ? "l0" : target;
    switch (item->kind) {
    case VC_ITEM_ALL: vc_buffer_put_text(out, "1"); return NULL;
    case VC_ITEM_RANGE: return put_range(at, target, item, out);
    case VC_ITEM_NULL: vc_buffer_printf(out, "NOT syn AND %s IS NULL", value); return NULL;
    case VC_ITEM_NOT_NULL: vc_buffer_printf(out, "NOT syn AND %s IS NOT NULL", value); return NULL;
    case VC_ITEM_CONTAINS:
    case VC_ITEM_STARTS_WITH:
    case VC_ITEM_ENDS_WITH: put_part(value, item, out); return NULL;
    default: return put_path(at, target, item, out);
    }
}

/* *restricts_out: "()" alone restricts nothing, and is no cut. */
static const char *put_condition(const struct cutting *at, const vc_condition *condition,
                                 bool *restricts_out, vc_buffer *out)
{
    const char *error = NULL;
    bool is_and = condition->kind == VC_CONDITION_AND;
    vc_buffer_put_char(out, '(');
    if (condition->kind == VC_CONDITION_ITEMS) {
        char target[16];
        bool has_target = condition->dimref.level.data != NULL;
        snprintf(target, sizeof target, "%.*s", VC_FMT(condition->dimref.level));
        *restricts_out = true;
        for (size_t i = 0; i < condition->nitems && error == NULL; i++) {
            vc_buffer_put_text(out, i > 0 ? ") OR (" : "(");
            error = put_item(at, has_target ? target : NULL, &condition->items[i], out);
            *restricts_out &= condition->items[i].kind != VC_ITEM_ALL;
        }
        vc_buffer_put_text(out, "))");
        return error;
    }
    *restricts_out = !is_and;
    if (condition->kind == VC_CONDITION_NOT) vc_buffer_put_text(out, "NOT syn AND NOT ");
    for (size_t c = 0; c < condition->nchildren && error == NULL; c++) {
        bool restricts;
        vc_buffer_put_text(out, c == 0 ? "" : is_and ? " AND " : " OR ");
        error = put_condition(at, condition->children[c], &restricts, out);
        if (condition->kind != VC_CONDITION_NOT)
            *restricts_out = is_and ? *restricts_out || restricts : *restricts_out && restricts;
    }
    vc_buffer_put_char(out, ')');
    return error;
}

static unsigned find_dimension(const struct sql *sql, vc_str name)
{
    unsigned d = 0;
    while (!vc_str_is(name, sql->dimensions[d].stored->name))
        d++;
    return d;
}

static const char *select_slots(struct sql_question *in)
{
    struct sql *sql = in->sql;
    vc_buffer all[SQL_DIMENSIONS] = {{0}};
    const char *error = NULL;
    for (size_t i = 0; i < in->query->nconditions && error == NULL; i++) {
        const vc_condition *condition = in->query->conditions[i];
        unsigned d = find_dimension(sql, condition->dimref.dimension);
        const struct sql_dimension *dimension = &sql->dimensions[d];
        struct cutting at = {.in = in,
                             .d = d,
                             .cube = sql->sources[dimension->owner].cube,
                             .of = dimension->owned,
                             .stored = dimension->stored};
        at.is_number = sql->is_number[at.cube][at.of];
        vc_buffer text = {0};
        bool restricts = true;
        error = put_condition(&at, condition, &restricts, &text);
        if (restricts) vc_buffer_printf(&all[d], " AND %s", vc_buffer_text(&text));
        in->is_cut[d] |= restricts;
        vc_buffer_release(&text);
    }
    RUN(in, "DELETE FROM pick");
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        if (error == NULL)
            RUN(in, "INSERT INTO pick SELECT %u, slot FROM x%u WHERE vis%s", d, d,
                vc_buffer_text(&all[d]));
        vc_buffer_release(&all[d]);
    }
    return error;
}

/* ---- axes ---- */

static void plan_axes(struct sql_question *in)
{
    RUN(in, "DELETE FROM grp");
    for (unsigned a = 0; a < in->naxes; a++) {
        const vc_dimref *ref = &in->query->axes[a].dimref;
        unsigned d = in->axes[a] = find_dimension(in->sql, ref->dimension);
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

static int axis_of(const struct sql_question *in, uint32_t kept, unsigned d)
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
static bool has_policy(const struct sql_question *in, unsigned m, uint32_t kept, vc_unrelated word)
{
    const struct sql *sql = in->sql;
    const struct sql_node *node = &sql->nodes[m];
    for (unsigned d = 0; d < sql->ndimensions; d++)
        if (!sql->sources[node->source].places[d].is_there &&
            (in->is_cut[d] || axis_of(in, kept, d) >= 0) && policy_of(sql, node, d) == word)
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
            has_policy(in, m, (1u << in->naxes) - 1, VC_UNRELATED_ERROR))
            return "unrelated";
    return NULL;
}

/* ---- T, and why it is empty ---- */

static void translate(struct sql_question *in, uint32_t kept, unsigned s, unsigned d)
{
    const struct sql_place *place = &in->sql->sources[s].places[d];
    int axis = axis_of(in, kept, d);
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

/* ---- cells ---- */

static void put_fix(const struct sql *sql, unsigned s, const struct world_fix *fix,
                    const char *column, vc_buffer *out)
{
    const struct world_dimension *dimension =
        sql->world->cubes[sql->sources[s].cube].dimensions[fix->dimension];
    vc_buffer_printf(out, " AND %s IN (SELECT leaf FROM c%u_%u WHERE 1", column,
                     sql->sources[s].cube, fix->dimension);
    for (unsigned l = 0; l < fix->depth; l++) {
        vc_buffer_put_text(out, " AND ");
        put_is(out, l,
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
        if (axis_of(in, kept, d) < 0) continue;
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
            axis_of(in, kept, d) >= 0) {
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

static void fill_base(struct sql_question *in, uint32_t kept, unsigned m)
{
    const struct sql *sql = in->sql;
    const struct sql_node *node = &sql->nodes[m];
    const struct sql_source *source = &sql->sources[node->source];
    bool is_count = node->stored->aggregator == VC_AGG_COUNT ||
                    node->stored->aggregator == VC_AGG_COUNT_DISTINCT;
    vc_buffer reasons = {0}, columns = {0}, tables = {0}, groups = {0}, where = {0};
    if (has_policy(in, m, kept, VC_UNRELATED_NULL)) {
        RUN(in, "UPDATE w SET r%u = 'x'", m);
        return;
    }
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        if (!source->places[d].is_there) continue;
        int axis = axis_of(in, kept, d);
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
    if (has_policy(in, m, kept, VC_UNRELATED_REPEAT))
        RUN(in, "UPDATE w SET r%u = 'r' WHERE v%u IS NOT NULL", m, m);
    vc_buffer_release(&reasons);
    vc_buffer_release(&columns);
    vc_buffer_release(&tables);
    vc_buffer_release(&groups);
    vc_buffer_release(&where);
    vc_buffer_release(&fixes);
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
        fill_base(in, kept, m);
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
        int axis = axis_named(in, in->query->nonempty[i]);
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

/* A measure that is newer than this file, or a formula over one? */
static bool knows_node(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula != FORMULA_NONE) return knows_node(sql, node->a) && knows_node(sql, node->b);
    return node->stored->aggregator <= VC_AGG_COUNT_DISTINCT && node->stored->over <= VC_OVER_FIRST;
}

static bool knows_name(const struct sql *sql, vc_str name)
{
    for (unsigned m = 0; m < sql->nnamed; m++)
        if (vc_str_is(name, sql->nodes[m].name)) return knows_node(sql, m);
    return true; /* an axis */
}

bool sql_knows(const struct sql *sql, const vc_query *query)
{
    bool is_known = true;
    for (size_t i = 0; i < query->nmeasures; i++)
        is_known &= knows_name(sql, query->measures[i].name);
    for (unsigned m = 0; m < sql->nnamed && query->nmeasures == 0; m++)
        is_known &= knows_node(sql, m);
    for (size_t i = 0; i < query->nhavings; i++)
        is_known &= knows_name(sql, query->havings[i].measure);
    for (size_t i = 0; i < query->norders; i++)
        is_known &= knows_name(sql, query->orders[i].name);
    for (size_t i = 0; i < query->ntops; i++)
        is_known &= knows_name(sql, query->tops[i].measure);
    if (!is_known) return false;
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
    *error_out = select_slots(in);
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
    if (stored == NULL || stored->aggregator == VC_AGG_AVG) return VC_VALUE_FLOAT;
    if (stored->aggregator == VC_AGG_COUNT || stored->aggregator == VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_INT;
    return stored->column == COLUMN_INT       ? VC_VALUE_INT
           : stored->column == COLUMN_DECIMAL ? VC_VALUE_DECIMAL
                                              : VC_VALUE_FLOAT;
}
