/* Cuts and filters as SQL: which slots of each dimension are left. */
#include "tests/slice/sql_parts.h"

#include <stdio.h>
#include <string.h>

struct cutting {
    struct sql_question *in;
    unsigned d, cube, of;
    const struct world_dimension *stored;
    const bool *is_number; /* per level */
};

void sql_put_is(vc_buffer *out, unsigned level, vc_str key)
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
    sql_put_is(&text, 0, key);
    *level_out = 0;
    bool is_first = count_leaves(at, &text) > 0;
    for (unsigned l = 1; l < at->stored->nlevels && !is_first; l++) {
        vc_buffer_clear(&text);
        sql_put_is(&text, l, key);
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
    unsigned level = (unsigned)item->nkeys - 1;
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
            sql_put_is(&text, (unsigned)(target[1] - '0'), item->keys[0]);
        } else {
            vc_buffer_printf(&text, "%s IS ", target);
            sql_put_text(&text, item->keys[0]);
        }
        if (count_leaves(at, &text) == 0) error = "unknown_member";
    } else if (item->nkeys == 1) {
        error = find_alone(at, item->keys[0], &level);
        if (error == NULL) sql_put_is(&text, level, item->keys[0]);
    } else {
        for (size_t k = 0; k < item->nkeys; k++) {
            vc_buffer_put_text(&text, k > 0 ? " AND " : "");
            sql_put_is(&text, (unsigned)k, item->keys[k]);
        }
        if (item->nkeys == 0) vc_buffer_put_text(&text, "1");
        if (item->nkeys > 0 && count_leaves(at, &text) == 0) error = "unknown_member";
    }
    bool is_lowest = item->nkeys > 0 && level + 1 == at->stored->nlevels;
    vc_buffer_printf(out, "NOT syn AND %s%s", vc_buffer_text(&text),
                     item->kind == VC_ITEM_CHILDREN && is_lowest ? " AND 0" : "");
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

/* What the cut of the set selects; a negation leaves buckets out. */
static void put_set(const struct cutting *at, vc_str name, vc_buffer *out)
{
    const struct world *world = at->in->sql->world;
    unsigned number = 0;
    while (!vc_str_is(name, world->sets[number].name))
        number++;
    const struct world_set *set = &world->sets[number];
    vc_buffer_printf(out, "NOT syn AND %s(0", set->is_negated ? "NOT " : "");
    for (unsigned k = 0; k < set->nkeys; k++) {
        vc_buffer_put_text(out, " OR ");
        sql_put_is(out, set->level, vc_str_of(set->keys[k]));
    }
    vc_buffer_put_char(out, ')');
}

static const char *put_item(const struct cutting *at, const char *target, const vc_item *item,
                            vc_buffer *out)
{
    const char *value = target == NULL ? "l0" : target;
    switch (item->kind) {
    case VC_ITEM_ALL: vc_buffer_put_text(out, "1"); return NULL;
    case VC_ITEM_MEMBER_SET: put_set(at, item->keys[0], out); return NULL;
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

unsigned sql_find_dimension(const struct sql *sql, vc_str name)
{
    unsigned d = 0;
    while (!vc_str_is(name, sql->dimensions[d].name))
        d++;
    return d;
}

static struct cutting cutting_of(struct sql_question *in, unsigned d)
{
    struct sql *sql = in->sql;
    const struct sql_dimension *dimension = &sql->dimensions[d];
    return (struct cutting){.in = in,
                            .d = d,
                            .cube = dimension->cube,
                            .of = dimension->of,
                            .stored = dimension->stored,
                            .is_number = sql->is_number[dimension->cube][dimension->of]};
}

bool sql_names_level(struct sql_question *in, unsigned d, unsigned level)
{
    struct cutting at = cutting_of(in, d);
    for (size_t i = 0; i < in->query->nconditions; i++) {
        const vc_condition *condition = in->query->conditions[i];
        unsigned named = WORLD_LEVELS;
        if (sql_find_dimension(in->sql, condition->dimref.dimension) != d ||
            condition->kind != VC_CONDITION_ITEMS || condition->nitems != 1 ||
            condition->items[0].kind != VC_ITEM_PATH)
            continue;
        const vc_item *item = &condition->items[0];
        vc_str target = condition->dimref.level;
        if (target.data != NULL && target.size == 2 && target.data[0] == 'l')
            named = (unsigned)(target.data[1] - '0');
        else if (target.data == NULL && item->nkeys > 1)
            named = (unsigned)item->nkeys - 1;
        else if (target.data == NULL && item->nkeys == 1)
            find_alone(&at, item->keys[0], &named);
        if (named == level) return true;
    }
    return false;
}

const char *sql_select_slots(struct sql_question *in)
{
    struct sql *sql = in->sql;
    vc_buffer all[SQL_DIMENSIONS] = {{0}};
    const char *error = NULL;
    for (size_t i = 0; i < in->query->nconditions && error == NULL; i++) {
        const vc_condition *condition = in->query->conditions[i];
        unsigned d = sql_find_dimension(sql, condition->dimref.dimension);
        struct cutting at = cutting_of(in, d);
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
