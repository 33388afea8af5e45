/* Joins as SQL: how a source lies along a dimension of the cube. */
#include "tests/slice/sql_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

/* The level on which an index stands; WORLD_LEVELS: the leaf. */
static unsigned index_level(const struct world_dimension *dimension, unsigned index)
{
    if (index >= INDEX_LEVEL) return index - INDEX_LEVEL;
    if (index == INDEX_TOP) return 0;
    if (index == INDEX_KEY && !dimension->has_table) return dimension->nlevels - 1;
    return WORLD_LEVELS;
}

/* SELECT leaf, val, w: what an index, or a constant, says of each leaf, through the crosswalks. */
static void put_values(struct sql *sql, unsigned cube, unsigned of, const char *value,
                       const unsigned *maps, unsigned nmaps, vc_buffer *out)
{
    vc_buffer weight = {0}, ways = {0};
    char from[80];
    snprintf(from, sizeof from, "%s", value);
    vc_buffer_put_text(&weight, "1.0");
    for (unsigned i = 0; i < nmaps; i++) {
        vc_buffer_printf(&weight, " * y%u.w", i);
        vc_buffer_printf(&ways, " JOIN %s y%u ON y%u.f = %s", sql->world->crosswalks[maps[i]].name,
                         i, i, from);
        snprintf(from, sizeof from, "y%u.t", i);
    }
    vc_buffer_printf(out, "SELECT leaf, %s AS val, %s AS w FROM c%u_%u%s WHERE %s IS NOT NULL",
                     from, vc_buffer_text(&weight), cube, of, vc_buffer_text(&ways), value);
    vc_buffer_release(&weight);
    vc_buffer_release(&ways);
}

/* SELECT leaf, key, w: the same through the steps, without empty keys; w is the sum of the ways to
 * the key. side 0: the primary's, 1: the joined one's. */
static void put_keys(struct sql *sql, vc_buffer *out, unsigned cube, unsigned of,
                     const struct world_dimension *dimension, const struct world_pair *pair,
                     unsigned side)
{
    vc_buffer value = {0}, values = {0};
    unsigned index = side == 0 ? pair->index : pair->to_index, steps = pair->steps;
    if (index == INDEX_KEY && !dimension->has_table) index = INDEX_LEVEL + dimension->nlevels - 1;
    if (side == 0 && pair->constant != NULL)
        sql_put_text(&value, vc_str_of(pair->constant));
    else
        vc_buffer_put_text(&value, world_index_name(index));
    put_values(sql, cube, of, vc_buffer_text(&value), pair->maps[side], pair->nmaps[side], &values);
    const char *open = steps & STEP_TRIM ? "trim(" : "", *close = steps & STEP_TRIM ? ")" : "";
    const char *fold = steps & STEP_FOLD ? "lower(" : "", *unfold = steps & STEP_FOLD ? ")" : "";
    vc_buffer_printf(out,
                     "SELECT leaf, key, %s AS w FROM (SELECT leaf, %s%spart%s%s AS key, w FROM (",
                     pair->nmaps[side] > 0 ? "sum(w)" : "1.0", fold, open, close, unfold);
    if (steps & STEP_SPLIT)
        vc_buffer_printf(out,
                         "WITH RECURSIVE cut(leaf, part, rest, w) AS (SELECT leaf, NULL, val || "
                         "',', w FROM (%s) UNION ALL SELECT leaf, substr(rest, 1, instr(rest, ',') "
                         "- 1), substr(rest, instr(rest, ',') + 1), w FROM cut WHERE rest <> '') "
                         "SELECT leaf, part, w FROM cut WHERE part IS NOT NULL",
                         vc_buffer_text(&values));
    else
        vc_buffer_printf(out, "SELECT leaf, val AS part, w FROM (%s)", vc_buffer_text(&values));
    vc_buffer_put_text(out, ")) WHERE key <> '' GROUP BY leaf, key");
    vc_buffer_release(&value);
    vc_buffer_release(&values);
}

/* ---- relations ---- */

/* q<source>_<dimension>: what is related to the primary's leaves, with a column per component of
 * the key: leaves of one dimension, or of several the tuples that facts have. */
static void list_qs(struct sql *sql, unsigned s, unsigned d)
{
    const struct sql_place *place = &sql->sources[s].places[d];
    unsigned cube = sql->sources[s].cube;
    vc_buffer columns = {0}, order = {0}, tables = {0}, own = {0};
    if (place->ncomponents == 1) {
        sql_run(sql, &sql->world_log,
                "CREATE TABLE q%u_%u AS SELECT leaf AS q, leaf AS c%u, own, pos FROM o%u_%u", s, d,
                place->of, cube, place->of);
        return;
    }
    for (unsigned i = 0; i < place->ncomponents; i++) {
        unsigned of = place->components[i];
        const char *comma = i > 0 ? ", " : "";
        vc_buffer_printf(&columns, "%sd%u AS c%u", comma, of, of);
        vc_buffer_printf(&order, "%sa%u.pos", comma, of);
        vc_buffer_printf(&own, "%sa%u.own", i > 0 ? " || ', ' || " : "", of);
        vc_buffer_printf(&tables, " JOIN o%u_%u a%u ON a%u.leaf = f.c%u", cube, of, of, of, of);
    }
    sql_run(sql, &sql->world_log,
            "CREATE TABLE q%u_%u AS SELECT row_number() OVER (ORDER BY %s) AS q, f.*, %s AS own, "
            "row_number() OVER (ORDER BY %s) AS pos FROM (SELECT DISTINCT %s FROM f%u) f%s",
            s, d, vc_buffer_text(&order), vc_buffer_text(&own), vc_buffer_text(&order),
            vc_buffer_text(&columns), cube, vc_buffer_text(&tables));
    vc_buffer_release(&columns);
    vc_buffer_release(&order);
    vc_buffer_release(&tables);
    vc_buffer_release(&own);
}

/* SELECT p, q, w: of all pairs of one key. Sets the level of its units. */
static void put_pairs(struct sql *sql, unsigned s, unsigned d, vc_buffer *out)
{
    const struct sql_source *source = &sql->sources[s];
    struct sql_place *place = &sql->sources[s].places[d];
    const struct world_dimension *primary = sql->dimensions[d].stored;
    const struct world_cube *joined = &sql->world->cubes[source->cube];
    unsigned mine = sql->dimensions[d].cube, owned = sql->dimensions[d].of;
    unsigned npairs = 0;
    vc_buffer all = {0}, product = {0};
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        if (pair->dimension + sql->shift != d) continue;
        unsigned level = pair->constant != NULL ? 0 : index_level(primary, pair->index);
        unsigned to = pair->to_dimension;
        if (level > place->level) place->level = level;
        place->finer = pair->finer;
        place->allocates_by_days = pair->allocates_by_days;
        vc_buffer_put_text(&all, npairs > 0 ? " JOIN " : "");
        vc_buffer_printf(&product, "%sz%u.w", npairs > 0 ? " * " : "", npairs);
        vc_buffer_put_text(&all, "(SELECT a.leaf AS p, k.q, sum(a.w * b.w) AS w FROM (");
        put_keys(sql, &all, mine, owned, primary, pair, 0);
        vc_buffer_put_text(&all, ") a JOIN (");
        put_keys(sql, &all, source->cube, to, joined->dimensions[to], pair, 1);
        vc_buffer_printf(&all,
                         ") b ON a.key = b.key JOIN q%u_%u k ON k.c%u = b.leaf WHERE a.leaf IN "
                         "(SELECT slot FROM x%u WHERE vis OR %d) GROUP BY 1, 2) z%u%s",
                         s, d, to, d, s < sql->ninner || sql->ninner == 0, npairs,
                         npairs > 0 ? " USING (p, q)" : "");
        npairs++;
    }
    vc_buffer_printf(out, "SELECT p, q, %s AS w FROM %s", vc_buffer_text(&product),
                     vc_buffer_text(&all));
    vc_buffer_release(&all);
    vc_buffer_release(&product);
}

/* Of a unit that finds several, the one that is first by the attribute, or has most of it: as
 * numbers where all are, those without a value last, equal ones in member order. */
static void pick(struct sql *sql, unsigned s, unsigned d)
{
    const struct world_source *definition = sql->sources[s].definition;
    const struct sql_place *place = &sql->sources[s].places[d];
    const char *name = world_index_name(definition->pick_index);
    unsigned cube = sql->sources[s].cube;
    bool is_number = sql_number(sql,
                                "SELECT coalesce(sum(%s GLOB '*[^0-9]*' OR %s = ''), 0) = 0 FROM "
                                "c%u_%u",
                                name, name, cube, place->of);
    const char *open = is_number ? "CAST(" : "", *close = is_number ? " AS INTEGER)" : "";
    sql_run(sql, &sql->world_log,
            "CREATE TABLE best%u_%u AS SELECT unit, q FROM (SELECT unit, q, row_number() OVER "
            "(PARTITION BY unit ORDER BY %s IS NULL, %s%s%s %s, o.pos) AS place FROM (SELECT "
            "DISTINCT unit, q FROM r%u_%u JOIN u%u_%u USING (p)) JOIN c%u_%u c ON c.leaf = q JOIN "
            "o%u_%u o ON o.leaf = q) WHERE place = 1",
            s, d, name, open, name, close, definition->pick == VC_PICK_MAX ? "DESC" : "ASC", s, d,
            s, d, cube, place->of, cube, place->of);
    sql_run(sql, &sql->world_log,
            "DELETE FROM ru%u_%u WHERE (unit, q) NOT IN (SELECT unit, q FROM "
            "best%u_%u)",
            s, d, s, d);
}

/* How the facts count: in equal parts, where members of the primary share some and no weights say
 * how much. */
static void weigh(struct sql *sql, unsigned s, unsigned d)
{
    const struct world_source *definition = sql->sources[s].definition;
    struct sql_place *place = &sql->sources[s].places[d];
    bool has_fanout = sql_number(sql,
                                 "SELECT count(*) FROM (SELECT q FROM ru%u_%u GROUP BY q HAVING "
                                 "count(*) > 1)",
                                 s, d) > 0;
    bool has_weights = sql_number(sql, "SELECT count(*) FROM ru%u_%u WHERE w <> 1", s, d) > 0;
    place->mode = definition->mode == VC_MODE_DEFAULT ? VC_MODE_SET : definition->mode;
    if (definition->is_fanout_weighted && has_fanout) place->mode = VC_MODE_WEIGHTED;
    if (place->mode == VC_MODE_WEIGHTED && has_fanout && !has_weights) {
        place->is_equal = true;
        sql_run(
            sql, &sql->world_log,
            "UPDATE ru%u_%u AS a SET w = 1.0 / (SELECT count(*) FROM ru%u_%u b WHERE b.q = a.q)", s,
            d, s, d);
    }
    place->is_rough = place->mode == VC_MODE_WEIGHTED &&
                      sql_number(sql,
                                 "SELECT count(*) FROM ru%u_%u WHERE w * 4096 <> CAST(w * 4096 AS "
                                 "INTEGER)",
                                 s, d) > 0;
    place->is_rough |= place->finer == VC_FINER_ALLOCATE;
}

/* u<source>_<dimension>: what each p is a part of; ru: the pairs (unit, q) that count. */
static void put_units(struct sql *sql, unsigned s, unsigned d)
{
    const struct sql_place *place = &sql->sources[s].places[d];
    unsigned mine = sql->dimensions[d].cube, owned = sql->dimensions[d].of;
    char unit[8] = "leaf";
    if (place->level < WORLD_LEVELS) snprintf(unit, sizeof unit, "m%u", place->level);
    sql_run(sql, &sql->world_log,
            "CREATE TABLE u%u_%u AS SELECT leaf AS p, %s AS unit, %s AS part FROM o%u_%u JOIN "
            "c%u_%u USING (leaf)",
            s, d, unit, place->allocates_by_days ? "coalesce(CAST(days AS REAL), 0)" : "1.0", mine,
            owned, mine, owned);
    sql_run(sql, &sql->world_log,
            "CREATE TABLE ru%u_%u AS SELECT unit, q, max(w) AS w FROM r%u_%u JOIN u%u_%u USING (p) "
            "GROUP BY unit, q",
            s, d, s, d, s, d);
}

/* Through "v": what each of its slots has of a source, then what finds the slot. */
static void relate_through(struct sql *sql, unsigned s, unsigned d, unsigned inner, unsigned level)
{
    const struct sql_place *from = &sql->sources[s].places[inner];
    if (from->is_relation)
        sql_run(sql, &sql->world_log,
                "CREATE TABLE ip%u AS SELECT slot, ru.q FROM x%u JOIN u%u_%u ON p = slot JOIN "
                "ru%u_%u ru "
                "USING (unit) WHERE vis AND NOT syn UNION SELECT slot, q FROM x%u WHERE syn AND "
                "src = %u",
                s, inner, s, inner, s, inner, inner, s);
    else
        sql_run(sql, &sql->world_log,
                "CREATE TABLE ip%u AS SELECT slot, slot AS q FROM x%u WHERE vis AND NOT syn", s,
                inner);
    sql->sources[s].places[d] = *from;
    struct sql_place *place = &sql->sources[s].places[d];
    place->is_relation = true;
    place->mode = VC_MODE_SET;
    place->finer = VC_FINER_NULL;
    place->level = level;
    if (from->ncomponents > 1)
        sql_run(sql, &sql->world_log, "CREATE TABLE q%u_%u AS SELECT * FROM q%u_%u", s, d, s,
                inner);
    sql_run(sql, &sql->world_log,
            "CREATE TABLE r%u_%u AS SELECT DISTINCT p, q, 1.0 AS w FROM ro JOIN ip%u USING (slot)",
            s, d, s);
    put_units(sql, s, d);
}

void sql_relate_outer(struct sql *sql, unsigned d, unsigned inner)
{
    const struct world_pair *pair = &sql->world->outer.pairs[0];
    const struct sql_dimension *to = &sql->dimensions[inner], *from = &sql->dimensions[d];
    unsigned level = index_level(from->stored, pair->index);
    vc_buffer all = {0};
    vc_buffer_put_text(&all, "SELECT DISTINCT a.leaf AS p, b.leaf AS slot FROM (");
    put_keys(sql, &all, from->cube, from->of, from->stored, pair, 0);
    vc_buffer_put_text(&all, ") a JOIN (");
    put_keys(sql, &all, to->cube, to->of, to->stored, pair, 1);
    vc_buffer_printf(&all, ") b ON a.key = b.key JOIN x%u x ON x.slot = b.leaf WHERE x.vis", inner);
    sql_run(sql, &sql->world_log, "CREATE TABLE ro AS %s", vc_buffer_text(&all));
    for (unsigned s = sql->first; s < sql->nsources; s++)
        if (sql->sources[s].places[inner].is_there) relate_through(sql, s, d, inner, level);
    vc_buffer_release(&all);
}

/* r<source>_<dimension>: the pairs (p, q); u: what each p is a part of, and how much of it; ru: the
 * pairs (unit, q) that count, with weights. */
void sql_relate(struct sql *sql, unsigned s, unsigned d)
{
    struct sql_place *place = &sql->sources[s].places[d];
    vc_buffer all = {0};
    place->level = 0;
    list_qs(sql, s, d);
    put_pairs(sql, s, d, &all);
    if (place->level == WORLD_LEVELS) place->finer = VC_FINER_NULL; /* nothing is finer */
    sql_run(sql, &sql->world_log, "CREATE TABLE r%u_%u AS %s", s, d, vc_buffer_text(&all));
    put_units(sql, s, d);
    if (sql->sources[s].definition->pick != VC_PICK_ERROR) pick(sql, s, d);
    weigh(sql, s, d);
    vc_buffer_release(&all);
}
