#include "tests/slice/sql_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- statements ---- */

static void fail(struct sql *sql, const char *text)
{
    fprintf(stderr, "SQLite: %s in\n%s\n", sqlite3_errmsg(sql->db), text);
    abort();
}

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) abort();
    return text;
}

void sql_run(struct sql *sql, vc_buffer *log, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    vc_buffer_printf(log, "%s;\n", text);
    if (sqlite3_exec(sql->db, text, NULL, NULL, NULL) != SQLITE_OK) fail(sql, text);
    free(text);
}

int64_t sql_number(struct sql *sql, const char *format, ...)
{
    va_list arguments;
    sqlite3_stmt *statement = NULL;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    if (sqlite3_prepare_v2(sql->db, text, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        fail(sql, text);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    free(text);
    return number;
}

void sql_put_text(vc_buffer *out, vc_str text)
{
    vc_buffer_put_char(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'') vc_buffer_put_char(out, '\'');
        vc_buffer_put_char(out, text.data[i]);
    }
    vc_buffer_put_char(out, '\'');
}

static void put_value(vc_buffer *out, const char *text)
{
    if (text == NULL)
        vc_buffer_put_text(out, "NULL");
    else
        sql_put_text(out, vc_str_of(text));
}

/* ---- the tables of the source cubes ---- */

/* c<cube>_<dimension>: a row per leaf. */
static void put_leaves(struct sql *sql, const struct world_dimension *dimension, unsigned cube,
                       unsigned of)
{
    vc_buffer rows = {0};
    sql_run(sql, &sql->world_log,
            "CREATE TABLE c%u_%u(leaf INTEGER PRIMARY KEY, l0 TEXT, l1 TEXT, l2 TEXT, key TEXT, "
            "code TEXT, top TEXT, days TEXT)",
            cube, of);
    for (size_t i = 0; i < dimension->nleaves; i++) {
        const struct world_leaf *leaf = &dimension->leaves[i];
        const char *const fields[] = {leaf->keys[0], leaf->keys[1], leaf->keys[2], leaf->key,
                                      leaf->code,    leaf->top,     leaf->days};
        vc_buffer_printf(&rows, "%s(%zu", i > 0 ? "," : "", i);
        for (size_t f = 0; f < 7; f++) {
            vc_buffer_put_char(&rows, ',');
            put_value(&rows, fields[f]);
        }
        vc_buffer_put_char(&rows, ')');
    }
    if (dimension->nleaves > 0)
        sql_run(sql, &sql->world_log, "INSERT INTO c%u_%u VALUES %s", cube, of,
                vc_buffer_text(&rows));
    vc_buffer_release(&rows);
}

/* A key in its order: numerically when all keys of the level are numbers, null keys last. */
static void put_key_order(vc_buffer *out, const char *name, bool is_number)
{
    vc_buffer_printf(out, is_number ? "%s IS NULL, CAST(%s AS INTEGER)" : "%s IS NULL, %s", name,
                     name);
}

static void put_path_order(vc_buffer *out, const bool *is_number, unsigned nlevels)
{
    for (unsigned l = 0; l < nlevels; l++) {
        char name[8];
        snprintf(name, sizeof name, "l%u", l);
        vc_buffer_put_text(out, l > 0 ? ", " : "");
        put_key_order(out, name, is_number[l]);
    }
}

/* o<cube>_<dimension>: the number of each leaf's member on each level, in member order; its own
 * place in the order of leaves (by path; then by key or, without one, by what tells them apart),
 * and what names it. */
static void number_members(struct sql *sql, const struct world_dimension *dimension, unsigned cube,
                           unsigned of)
{
    bool *is_number = sql->is_number[cube][of];
    vc_buffer columns = {0};
    for (unsigned l = 0; l < WORLD_LEVELS; l++) {
        is_number[l] = sql_number(sql,
                                  "SELECT count(l%u) > 0 AND sum(l%u GLOB '*[^0-9]*') = 0 "
                                  "FROM c%u_%u",
                                  l, l, cube, of);
        if (l < dimension->nlevels) {
            vc_buffer_put_text(&columns, ", dense_rank() OVER (ORDER BY ");
            put_path_order(&columns, is_number, l + 1);
            vc_buffer_printf(&columns, ") AS m%u", l);
        } else {
            vc_buffer_printf(&columns, ", 0 AS m%u", l);
        }
    }
    const char *last = dimension->has_table ? "key" : "code";
    bool is_last_number = sql_number(
        sql, "SELECT coalesce(sum(%s GLOB '*[^0-9]*'), 0) = 0 FROM c%u_%u", last, cube, of);
    vc_buffer_put_text(&columns, ", row_number() OVER (ORDER BY ");
    put_path_order(&columns, is_number, dimension->nlevels);
    vc_buffer_put_text(&columns, ", ");
    put_key_order(&columns, last, is_last_number);
    if (dimension->has_table)
        vc_buffer_put_text(&columns, ") AS pos, coalesce(key, '') AS own");
    else
        vc_buffer_printf(&columns, ") AS pos, coalesce(l%u, '') AS own", dimension->nlevels - 1);
    sql_run(sql, &sql->world_log, "CREATE TABLE o%u_%u AS SELECT leaf%s FROM c%u_%u", cube, of,
            vc_buffer_text(&columns), cube, of);
    vc_buffer_release(&columns);
}

static void put_facts(struct sql *sql, unsigned number)
{
    const struct world_cube *cube = &sql->world->cubes[number];
    vc_buffer rows = {0};
    sql_run(sql, &sql->world_log,
            "CREATE TABLE f%u(d0 INT, d1 INT, d2 INT, d3 INT, x0 INT, x1 INT, x2 INT, x3 INT)",
            number);
    for (size_t i = 0; i < cube->nfacts; i++) {
        const struct world_fact *fact = &cube->facts[i];
        vc_buffer_printf(&rows, "%s(", rows.size > 0 ? "," : "");
        for (unsigned d = 0; d < WORLD_DIMENSIONS; d++)
            vc_buffer_printf(&rows, "%s%u", d > 0 ? "," : "", fact->leaves[d]);
        for (unsigned c = 0; c < WORLD_COLUMNS; c++)
            if (fact->nulls >> c & 1)
                vc_buffer_put_text(&rows, ",NULL");
            else
                vc_buffer_printf(&rows, ",%lld", (long long)fact->values[c]);
        vc_buffer_put_char(&rows, ')');
        if (rows.size < 100000 && i + 1 < cube->nfacts) continue;
        sql_run(sql, &sql->world_log, "INSERT INTO f%u VALUES %s", number, vc_buffer_text(&rows));
        vc_buffer_clear(&rows);
    }
    vc_buffer_release(&rows);
}

/* way<number>: the rows of a crosswalk. */
static void put_crosswalk(struct sql *sql, unsigned number)
{
    const struct world_crosswalk *crosswalk = &sql->world->crosswalks[number];
    sql_run(sql, &sql->world_log, "CREATE TABLE %s(f TEXT, t TEXT, w REAL)", crosswalk->name);
    for (unsigned i = 0; i < crosswalk->nrows; i++) {
        vc_buffer row = {0};
        sql_put_text(&row, vc_str_of(crosswalk->rows[i].from));
        vc_buffer_put_text(&row, ", ");
        sql_put_text(&row, vc_str_of(crosswalk->rows[i].to));
        sql_run(sql, &sql->world_log, "INSERT INTO %s VALUES (%s, %g)", crosswalk->name,
                vc_buffer_text(&row), crosswalk->rows[i].quarters / 4.0);
        vc_buffer_release(&row);
    }
}

/* ---- the dimensions of the cube: x<dimension>, a row per leaf and per synthetic one ---- */

/* Groups g0 to g2 are those of the levels; g3 is what is right below All: buckets as a whole,
 * beside the members of the first level. */

static void put_leaf_rows(struct sql *sql, unsigned d)
{
    unsigned cube = sql->dimensions[d].cube, of = sql->dimensions[d].of;
    sql_run(sql, &sql->world_log,
            "CREATE TABLE x%u(slot INTEGER PRIMARY KEY, syn INT, src INT, q INT, skey TEXT, "
            "bkey TEXT, vis INT, l0 TEXT, l1 TEXT, l2 TEXT, key TEXT, code TEXT, top TEXT, "
            "m0 INT, m1 INT, m2 INT, g0 INT, g1 INT, g2 INT, g3 INT NOT NULL)",
            d);
    sql_run(sql, &sql->world_log,
            "INSERT INTO x%u SELECT leaf, 0, NULL, NULL, NULL, NULL, 1, l0, l1, l2, key, code, "
            "top, m0, m1, m2, m0, m1, m2, m0 FROM c%u_%u JOIN o%u_%u USING (leaf)",
            d, cube, of, cube, of);
}

/* What is unmatched: a synthetic row each, in the order of the joined leaves. In a bucket all have
 * one key and one group; with `members` each its own below the first level. */
static void put_unmatched(struct sql *sql, unsigned s, unsigned d)
{
    const struct sql_source *source = &sql->sources[s];
    const struct world_source *definition = source->definition;
    unsigned first = 1000000 * (s + 1);
    bool has_members = definition->unmatched == VC_UNMATCHED_MEMBERS;
    if (definition->kind == VC_JOIN_INNER || definition->kind == VC_JOIN_RIGHT)
        sql_run(sql, &sql->world_log,
                "UPDATE x%u SET vis = 0 WHERE NOT syn AND slot NOT IN (SELECT p FROM r%u_%u)", d, s,
                d);
    if (definition->unmatched == VC_UNMATCHED_DROP) return;
    bool each_top = has_members && sql->dimensions[d].stored->nlevels == 1;
    sql_run(
        sql, &sql->world_log,
        "INSERT INTO x%u SELECT %u + n, 1, %u, q, %s, bkey, 1, NULL, NULL, NULL, NULL, NULL, "
        "NULL, 0, 0, 0, %u + %s, %u + %s, %u + %s, %u FROM (SELECT *, row_number() OVER (ORDER BY "
        "pos) AS n, '%s:' || own AS mkey, '(unmatched:%s)' AS bkey FROM q%u_%u WHERE q NOT IN "
        "(SELECT q FROM r%u_%u))",
        d, first, s, has_members ? "mkey" : "bkey", first, each_top ? "n" : "0", first,
        has_members ? "n" : "0", first, has_members ? "n" : "0", first, definition->alias,
        definition->alias, s, d, s, d);
}

/* ---- what the definition says ---- */

static void add_dimension(struct sql *sql, unsigned s, unsigned of,
                          const struct world_dimension *stored)
{
    unsigned d = sql->ndimensions++;
    bool is_united = stored == sql->world->united;
    sql->dimensions[d] =
        (struct sql_dimension){.name = stored->name,
                               .stored = stored,
                               .owner = s,
                               .owned = of,
                               .cube = is_united ? (unsigned)WORLD_CUBES : sql->sources[s].cube,
                               .of = is_united ? 0 : of};
}

/* Leaves of its own that are leaves of the united dimension. */
static void put_united(struct sql *sql, unsigned s, unsigned d)
{
    const struct world *world = sql->world;
    const uint32_t *slots = world->united_leaves[s - sql->first - 1];
    size_t nleaves =
        world->cubes[sql->sources[s].cube].dimensions[sql->sources[s].places[d].of]->nleaves;
    sql_run(sql, &sql->world_log, "CREATE TABLE m%u_%u(slot INT, leaf INT)", s, d);
    for (size_t leaf = 0; leaf < nleaves; leaf++)
        sql_run(sql, &sql->world_log, "INSERT INTO m%u_%u VALUES (%u, %zu)", s, d, slots[leaf],
                leaf);
}

/* Pairs map; what is left is common where it is the same shared dimension, else private. */
static void place_source(struct sql *sql, unsigned s)
{
    struct sql_source *source = &sql->sources[s];
    const struct world_cube *cube = &sql->world->cubes[source->cube];
    bool is_mapped[WORLD_DIMENSIONS] = {false};
    for (unsigned i = 0; source->definition != NULL && i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        if (s == sql->first) break;
        is_mapped[pair->to_dimension] = true;
        struct sql_place *place = &source->places[pair->dimension + sql->shift];
        bool is_new = true;
        for (unsigned c = 0; c < place->ncomponents; c++)
            is_new &= place->components[c] != pair->to_dimension;
        if (!place->is_there) place->of = pair->to_dimension;
        place->is_there = place->is_relation = true;
        if (is_new) place->components[place->ncomponents++] = pair->to_dimension;
    }
    for (unsigned of = 0; of < cube->ndimensions; of++) {
        unsigned d = 0;
        if (is_mapped[of]) continue;
        bool is_united = sql->world->has_united && source->definition != NULL &&
                         (s == sql->first + 1 || s == sql->first + 2) &&
                         sql->world->united_of[s - sql->first - 1] == of;
        const struct world_dimension *stored =
            is_united ? sql->world->united : cube->dimensions[of];
        while (d < sql->ndimensions && sql->dimensions[d].stored != stored)
            d++;
        if (d == sql->ndimensions) add_dimension(sql, s, of, stored);
        source->places[d] = (struct sql_place){.is_there = true, .is_united = is_united, .of = of};
        if (is_united) put_united(sql, s, d);
    }
}

/* A measure of a source, as node `at`; what a formula is over follows behind all named ones. */
static void add_node(struct sql *sql, unsigned at, unsigned s, unsigned number,
                     const struct world_taken *taken)
{
    const struct world_measure *stored = &sql->world->cubes[sql->sources[s].cube].measures[number];
    struct sql_node *node = &sql->nodes[at];
    *node = (struct sql_node){.name = taken != NULL ? taken->name : stored->name, .source = s};
    if (taken != NULL) {
        node->fix = taken->fix;
        node->unrelated = taken->unrelated;
        node->is_mode_set = taken->is_mode_set;
        node->reaggregate = taken->reaggregate;
    }
    if (node->reaggregate == VC_REAGGREGATE_DEFAULT && sql->sources[s].definition != NULL)
        node->reaggregate = sql->sources[s].definition->reaggregate;
    if (node->reaggregate == VC_REAGGREGATE_DEFAULT) node->reaggregate = VC_REAGGREGATE_NONE;
    node->formula = stored->formula;
    if (stored->formula == FORMULA_NONE) {
        node->stored = stored;
        return;
    }
    node->a = sql->nnodes++;
    node->b = sql->nnodes++;
    if (sql->nnodes > SQL_NODES - 2) abort();
    unsigned a = node->a, b = node->b;
    add_node(sql, a, s, stored->a, taken);
    add_node(sql, b, s, stored->b, taken);
}

static void add_nodes(struct sql *sql, bool is_virtual)
{
    const struct world *world = sql->world;
    unsigned count = is_virtual ? world->ntaken : world->cubes[sql->sources[0].cube].nmeasures;
    unsigned own = sql->ninner + sql->first > 0 ? world->cubes[world->nested.cube].nmeasures : 0;
    sql->nnodes = sql->nnamed = count + own;
    for (unsigned i = 0; i < own; i++) /* of "n" behind v's, of "o" its primary's */
        add_node(sql, count + i, sql->ninner, i, NULL);
    for (unsigned i = 0; i < count; i++) {
        const struct world_taken *taken = is_virtual ? &world->taken[i] : NULL;
        if (taken == NULL)
            add_node(sql, i, 0, i, NULL);
        else if (taken->formula == FORMULA_NONE)
            add_node(sql, i, sql->first + taken->source, taken->measure, taken);
        else
            sql->nodes[i] = (struct sql_node){.name = taken->name,
                                              .formula = taken->formula,
                                              .a = taken->a,
                                              .b = taken->b,
                                              .call = taken->call};
        while (sql->nodes[i].formula == FORMULA_CALL &&
               sql->dimensions[sql->nodes[i].call_dimension].stored != taken->call.dimension)
            sql->nodes[i].call_dimension++;
        if (sql->dimensions[sql->nodes[i].call_dimension].is_hidden) /* what stands for it */
            sql->nodes[i].call_dimension = world->outer.pairs[0].dimension;
    }
}

/* ---- open, close ---- */

static void make_work_tables(struct sql *sql)
{
    vc_buffer columns = {0}, groups = {0};
    for (unsigned a = 0; a < SQL_AXES; a++)
        vc_buffer_printf(&groups, "%sg%u INT", a > 0 ? ", " : "", a);
    for (unsigned i = 0; i < sql->nnodes; i++)
        vc_buffer_printf(&columns, ", v%u REAL, r%u TEXT NOT NULL DEFAULT ''", i, i);
    sql_run(sql, &sql->world_log, "CREATE TABLE w(%s, n INT NOT NULL DEFAULT 0%s)",
            vc_buffer_text(&groups), vc_buffer_text(&columns));
    vc_buffer_release(&columns);
    vc_buffer_release(&groups);
    sql_run(sql, &sql->world_log,
            "CREATE TABLE pick(d INT, slot INT, PRIMARY KEY (d, slot)) WITHOUT ROWID");
    sql_run(
        sql, &sql->world_log,
        "CREATE TABLE t(s INT, d INT, k INT, q INT, g INT, u INT NOT NULL DEFAULT 0, w REAL NOT "
        "NULL DEFAULT 1, e INT NOT NULL DEFAULT 0, PRIMARY KEY (s, d, k, q, g, u)) WITHOUT "
        "ROWID");
    sql_run(sql, &sql->world_log,
            "CREATE TABLE why(s INT, d INT, k INT, g INT, r TEXT, rep INT NOT NULL DEFAULT 0)");
    sql_run(sql, &sql->world_log, "CREATE TABLE un(s INT, d INT, g INT, u INT, m INT)");
    sql_run(sql, &sql->world_log,
            "CREATE TABLE grp(a INT, g INT, syn INT, k0 TEXT, k1 TEXT, k2 TEXT, m0 INT, m1 INT, "
            "m2 INT, PRIMARY KEY (a, g)) WITHOUT ROWID");
}

/* The sources of the cube: of "n" those of "v", then its own. */
static void list_sources(struct sql *sql, const char *cube)
{
    static const struct world_source nothing;
    const struct world *world = sql->world;
    bool is_nested = strcmp(cube, "n") == 0, is_outer = strcmp(cube, "o") == 0;
    bool is_virtual = is_nested || is_outer || strcmp(cube, "v") == 0;
    sql->ninner = is_nested ? world->nsources : 0;
    sql->first = is_outer;
    if (is_outer) {
        sql->sources[sql->nsources++] =
            (struct sql_source){.cube = world->nested.cube, .definition = &nothing};
        place_source(sql, 0);
        sql->shift = sql->ndimensions;
    }
    for (unsigned s = 0; is_virtual && s < world->nsources; s++)
        sql->sources[sql->nsources++] =
            (struct sql_source){.cube = world->sources[s].cube, .definition = &world->sources[s]};
    if (is_nested)
        sql->sources[sql->nsources++] =
            (struct sql_source){.cube = world->nested.cube, .definition = &world->nested};
    if (!is_virtual) sql->nsources = 1;
    while (!is_virtual && strcmp(world->cubes[sql->sources[0].cube].name, cube) != 0)
        sql->sources[0].cube++;
    for (unsigned s = sql->first; s < sql->nsources; s++)
        place_source(sql, s);
    if (is_outer) sql->dimensions[sql->shift + world->outer.pairs[0].to_dimension].is_hidden = true;
}

/* What some sources say of a dimension, and hide of it. Of "n" those of "v" come first: what they
 * hide is not there for the others. */
static void join_sources(struct sql *sql, unsigned d, unsigned first, unsigned end)
{
    for (unsigned s = first; s < end; s++)
        if (sql->sources[s].places[d].is_relation) sql_relate(sql, s, d);
    for (unsigned s = first; s < end; s++)
        if (sql->sources[s].places[d].is_relation) put_unmatched(sql, s, d);
}

static void count_units(struct sql *sql, unsigned s, unsigned d)
{
    sql_run(sql, &sql->world_log,
            "CREATE TABLE n%u_%u AS SELECT unit, count(*) AS n, sum(part) AS part FROM u%u_%u JOIN "
            "x%u ON slot = p WHERE vis GROUP BY unit",
            s, d, s, d, d);
}

/* Of "o": everything of "v" through both relations, and what nobody has in one bucket. */
static void join_outer(struct sql *sql)
{
    const struct world_source *outer = &sql->world->outer;
    unsigned d = outer->pairs[0].dimension, inner = sql->shift + outer->pairs[0].to_dimension;
    enum { BUCKET = 90000000 };
    sql_relate_outer(sql, d, inner);
    if (outer->kind == VC_JOIN_INNER || outer->kind == VC_JOIN_RIGHT)
        sql_run(sql, &sql->world_log, "UPDATE x%u SET vis = 0 WHERE slot NOT IN (SELECT p FROM ro)",
                d);
    for (unsigned s = sql->first; s < sql->nsources; s++) {
        if (!sql->sources[s].places[d].is_relation) continue;
        if (outer->unmatched == VC_UNMATCHED_BUCKET)
            sql_run(sql, &sql->world_log,
                    "INSERT INTO x%u SELECT %u + row_number() OVER (ORDER BY q), 1, %u, q, bkey, "
                    "bkey, 1, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, %d, %d, %d, %d FROM "
                    "(SELECT DISTINCT q, '(unmatched:v)' AS bkey FROM ip%u WHERE slot NOT IN "
                    "(SELECT slot FROM ro))",
                    d, BUCKET + 1000000 * s, s, BUCKET, BUCKET, BUCKET, BUCKET, s);
    }
    for (unsigned s = sql->first; s < sql->nsources; s++)
        if (sql->sources[s].places[d].is_relation) count_units(sql, s, d);
}

void sql_open(struct sql *sql, const struct world *world, const char *cube)
{
    *sql = (struct sql){.world = world};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(":memory:", &sql->db, flags, NULL) != SQLITE_OK) abort();
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 512, 2000);
    sql_run(sql, &sql->log, "PRAGMA journal_mode = OFF");
    list_sources(sql, cube);
    for (unsigned i = 0; i < world->ncrosswalks; i++)
        put_crosswalk(sql, i);
    for (unsigned c = 0; c < world->ncubes; c++) {
        for (unsigned of = 0; of < world->cubes[c].ndimensions; of++) {
            put_leaves(sql, world->cubes[c].dimensions[of], c, of);
            number_members(sql, world->cubes[c].dimensions[of], c, of);
        }
        put_facts(sql, c);
    }
    if (world->has_united) {
        put_leaves(sql, world->united, WORLD_CUBES, 0);
        number_members(sql, world->united, WORLD_CUBES, 0);
    }
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        put_leaf_rows(sql, d);
        if (sql->ninner > 0) join_sources(sql, d, 0, sql->ninner);
        join_sources(sql, d, sql->ninner, sql->nsources);
        for (unsigned s = 0; s < sql->nsources; s++)
            if (sql->sources[s].places[d].is_relation) count_units(sql, s, d);
    }
    if (sql->first > 0) join_outer(sql);
    add_nodes(sql, strcmp(cube, "v") == 0 || sql->ninner + sql->first > 0);
    make_work_tables(sql);
}

void sql_describe(struct sql *sql, vc_arena *arena, struct asking_cube *cube_out)
{
    *cube_out = (struct asking_cube){.nmeasures = sql->nnamed};
    for (unsigned m = 0; m < sql->nnamed; m++)
        cube_out->measures[m] = sql->nodes[m].name;
    for (unsigned of = 0; of < sql->ndimensions; of++) {
        sqlite3_stmt *keys = NULL;
        vc_buffer text = {0};
        unsigned d = cube_out->ndimensions;
        if (sql->dimensions[of].is_hidden) continue;
        cube_out->ndimensions++;
        cube_out->dimensions[d] = sql->dimensions[of].stored;
        cube_out->names[d] = sql->dimensions[of].name;
        for (unsigned i = 0; i < sql->world->nsets; i++)
            if (sql->world->sets[i].dimension == sql->dimensions[of].stored)
                cube_out->sets[d][cube_out->nsets[d]++] = sql->world->sets[i].name;
        vc_buffer_printf(
            &text,
            "SELECT skey FROM x%u WHERE syn UNION SELECT bkey FROM x%u WHERE syn LIMIT "
            "%d",
            of, of, ASKING_SYNTHETIC);
        if (sqlite3_prepare_v2(sql->db, vc_buffer_text(&text), -1, &keys, NULL) != SQLITE_OK)
            fail(sql, vc_buffer_text(&text));
        while (sqlite3_step(keys) == SQLITE_ROW)
            cube_out->synthetic[d][cube_out->nsynthetic[d]++] =
                vc_arena_printf(arena, "%s", (const char *)sqlite3_column_text(keys, 0)).data;
        sqlite3_finalize(keys);
        vc_buffer_release(&text);
    }
}

void sql_close(struct sql *sql)
{
    sqlite3_close(sql->db);
    vc_buffer_release(&sql->world_log);
    vc_buffer_release(&sql->log);
}
