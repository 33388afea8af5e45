/* The files of virtual cubes; and all files of a world. */
#include "tests/slice/world_files.h"

#include <stdio.h>
#include <string.h>

static void put_fix(FILE *file, const struct world_cube *cube, const struct world_fix *fix)
{
    if (!fix->is_there) return;
    const struct world_dimension *dimension = cube->dimensions[fix->dimension];
    fprintf(file, ", \"fix\": {\"%s\": \"", dimension->name);
    world_put_path(file, dimension, &dimension->leaves[fix->leaf], fix->depth);
    fputs("\"}", file);
}

static void put_call(FILE *file, const struct world_call *call, const char *argument)
{
    static const char *const names[] = {"parent",  "share",      "previous", "growth",
                                        "running", "moving_avg", "rank",     "agg_over"};
    static const char *const hows[] = {"avg", "min", "max", "sum", "count"};
    fprintf(file, "\"expr\": \"%s(", names[call->function]);
    if (call->function == VC_MEMBER_AGG_OVER) fprintf(file, "%s, ", hows[call->how]);
    fprintf(file, "%s, ", argument);
    if (call->function == VC_MEMBER_MOVING_AVG) fprintf(file, "%u, ", call->count);
    fputs(call->dimension->name, file);
    if (call->function == VC_MEMBER_AGG_OVER)
        fprintf(file, ":l%d", call->level);
    else if (call->function == VC_MEMBER_RUNNING && call->level >= 0)
        fprintf(file, ", l%d", call->level);
    else if (call->function != VC_MEMBER_MOVING_AVG && call->count > 0)
        fprintf(file, ", %u", call->count);
    fputs(")\"", file);
}

static const char *const modes[] = {"", "set", "weighted", "lookup"};

static void put_reaggregate(FILE *file, vc_reaggregate reaggregate)
{
    static const char *const names[] = {"", "none", "sum", "avg", "min", "max"};
    if (reaggregate != VC_REAGGREGATE_DEFAULT)
        fprintf(file, ", \"reaggregate\": \"%s\"", names[reaggregate]);
}

static void put_normalize(const struct world *world, FILE *file, const struct world_pair *pair)
{
    static const char *const sides[] = {"from", "to"};
    const char *comma = "";
    if (pair->steps == 0 && pair->nmaps[0] + pair->nmaps[1] == 0) return;
    fputs(", \"normalize\": {", file);
    for (unsigned side = 0; side < 2; side++) {
        if (pair->nmaps[side] == 0) continue;
        fprintf(file, "%s\"%s\": [", comma, sides[side]);
        for (unsigned i = 0; i < pair->nmaps[side]; i++)
            fprintf(file, "%s\"map:%s\"", i > 0 ? ", " : "",
                    world->crosswalks[pair->maps[side][i]].name);
        fputs("]", file);
        comma = ", ";
    }
    if (pair->steps != 0) {
        fprintf(file, "%s\"both\": [", comma);
        comma = "";
        if (pair->steps & STEP_SPLIT) fprintf(file, "{\"split\": \",\"}"), comma = ", ";
        if (pair->steps & STEP_TRIM) fprintf(file, "%s\"trim\"", comma), comma = ", ";
        if (pair->steps & STEP_FOLD) fprintf(file, "%s\"casefold\"", comma);
        fputs("]", file);
    }
    fputs("}", file);
}

static void put_join(const struct world *world, FILE *file, const struct world_source *source,
                     const struct world_cube *primary, const struct world_cube *joined)
{
    static const char *const unmatched[] = {"drop", "bucket", "members"};
    static const char *const picks[] = {"", "first_by:", "max:"};
    fprintf(file, ",\n   \"join\": {\"kind\": \"%s\", \"unmatched\": \"%s\"",
            vc_join_kind_name(source->kind), unmatched[source->unmatched]);
    if (source->mode != VC_MODE_DEFAULT) fprintf(file, ", \"mode\": \"%s\"", modes[source->mode]);
    if (source->is_fanout_weighted) fputs(", \"on_fanout\": \"weighted\"", file);
    if (source->pick != VC_PICK_ERROR)
        fprintf(file, ", \"pick\": \"%s%s\"", picks[source->pick],
                world_index_name(source->pick_index));
    put_reaggregate(file, source->reaggregate);
    fputs(", \"on\": [", file);
    for (unsigned i = 0; i < source->npairs; i++) {
        const struct world_pair *pair = &source->pairs[i];
        fprintf(file,
                "%s{\"dim\": \"%s\", \"%s\": \"%s\", \"to_dim\": \"%s\", \"to_index\": \"%s\"",
                i > 0 ? ",\n     " : "", primary->dimensions[pair->dimension]->name,
                pair->constant != NULL ? "const" : "index",
                pair->constant != NULL ? pair->constant : world_index_name(pair->index),
                joined->dimensions[pair->to_dimension]->name, world_index_name(pair->to_index));
        put_normalize(world, file, pair);
        if (pair->finer == VC_FINER_REPEAT) fputs(", \"finer\": \"repeat\"", file);
        if (pair->finer == VC_FINER_ALLOCATE)
            fprintf(file, ", \"finer\": \"allocate\", \"allocate\": %s",
                    pair->allocates_by_days ? "{\"weights\": \"days\"}" : "\"equal\"");
        fputs("}", file);
    }
    fputs("]}", file);
}

static bool is_mapped(const struct world_source *source, unsigned dimension)
{
    for (unsigned i = 0; i < source->npairs; i++)
        if (source->pairs[i].to_dimension == dimension) return true;
    return false;
}

/* Does a source have the dimension, unmapped? */
static bool has_dimension(const struct world *world, unsigned source,
                          const struct world_dimension *dimension)
{
    const struct world_cube *cube = &world->cubes[world->sources[source].cube];
    for (unsigned d = 0; d < cube->ndimensions; d++)
        if (cube->dimensions[d] == dimension && !is_mapped(&world->sources[source], d)) return true;
    return false;
}

/* Is the dimension one that the source owns, and another one lacks? A policy about any other is an
 * error. */
static bool can_have_policy(const struct world *world, unsigned source, unsigned number)
{
    const struct world_dimension *dimension =
        world->cubes[world->sources[source].cube].dimensions[number];
    bool is_lacking = false;
    if (is_mapped(&world->sources[source], number)) return false;
    for (unsigned s = 0; s < source; s++)
        if (has_dimension(world, s, dimension)) return false;
    for (unsigned s = 0; s < world->nsources; s++) {
        bool has = has_dimension(world, s, dimension);
        const struct world_source *other = &world->sources[s];
        for (unsigned i = 0; i < other->npairs && source == 0; i++)
            has |= other->pairs[i].dimension == number;
        is_lacking |= !has;
    }
    return is_lacking;
}

static void put_privates(const struct world *world, FILE *file)
{
    static const char *const names[] = {"", "null", "repeat", "error"};
    fputs(" \"private\": {", file);
    for (unsigned s = 0; s < world->nsources; s++) {
        const struct world_cube *cube = &world->cubes[world->sources[s].cube];
        const char *comma = "";
        fprintf(file, "%s\"%s\": {", s > 0 ? ", " : "", world->sources[s].alias);
        for (unsigned d = 0; d < cube->ndimensions; d++) {
            if (world->sources[s].others[d] == VC_UNRELATED_DEFAULT ||
                !can_have_policy(world, s, d))
                continue;
            fprintf(file, "%s\"%s\": {\"others\": \"%s\"}", comma, cube->dimensions[d]->name,
                    names[world->sources[s].others[d]]);
            comma = ", ";
        }
        fputs("}", file);
    }
    fputs("},\n", file);
}

/* A virtual cube with one source cube, "s1_" in "n_s1". */
static void write_around(const char *folder, const struct world_source *source, const char *cube)
{
    char name[32];
    snprintf(name, sizeof name, "n_%s", source->alias);
    FILE *file = world_open_file(folder, name, ".json");
    fprintf(file,
            "{\"name\": \"%s\", \"kind\": \"virtual\", \"primary\": \"%s_\", \"sources\": "
            "[{\"alias\": \"%s_\", \"cube\": \"%s\"}]}\n",
            name, source->alias, source->alias, cube);
    fclose(file);
}

static void write_virtual(const struct world *world, const char *folder, const char *name,
                          bool is_nested)
{
    static const char *const unrelated[] = {"", "null", "repeat", "error"};
    FILE *file = world_open_file(folder, name, ".json");
    fprintf(file, "{\"name\": \"%s\", \"kind\": \"virtual\", \"primary\": \"s0\",\n", name);
    fputs(" \"sources\": [\n", file);
    for (unsigned s = 0; s < world->nsources; s++) {
        const struct world_source *source = &world->sources[s];
        const struct world_cube *cube = &world->cubes[source->cube];
        if (is_nested) write_around(folder, source, cube->name);
        fprintf(file, "  {\"alias\": \"%s\", \"cube\": \"%s%s\"", source->alias,
                is_nested ? "n_" : "", is_nested ? source->alias : cube->name);
        put_fix(file, cube, &source->fix);
        if (source->npairs > 0)
            put_join(world, file, source, &world->cubes[world->sources[0].cube], cube);
        fputs(s + 1 < world->nsources ? "},\n" : "}],\n", file);
    }
    put_privates(world, file);
    if (world->has_united)
        fprintf(file,
                " \"common\": [{\"name\": \"%s\", \"of\": {\"s1\": \"%s\", \"s2\": \"%s\"}}],\n",
                world->united->name,
                world->cubes[world->sources[1].cube].dimensions[world->united_of[0]]->name,
                world->cubes[world->sources[2].cube].dimensions[world->united_of[1]]->name);
    fputs(" \"measures\": [\n", file);
    for (unsigned i = 0; i < world->ntaken; i++) {
        const struct world_taken *taken = &world->taken[i];
        const struct world_cube *cube = &world->cubes[world->sources[taken->source].cube];
        fprintf(file, "  {\"name\": \"%s\", ", taken->name);
        if (taken->formula == FORMULA_CALL) {
            put_call(file, &taken->call, world->taken[taken->a].name);
        } else if (taken->formula != FORMULA_NONE) {
            world_put_formula(file, taken->formula, world->taken[taken->a].name,
                              world->taken[taken->b].name);
        } else {
            fprintf(file, "\"source\": \"%s\", \"measure\": \"%s\"",
                    world->sources[taken->source].alias, cube->measures[taken->measure].name);
            put_fix(file, cube, &taken->fix);
            if (taken->unrelated != VC_UNRELATED_DEFAULT)
                fprintf(file, ", \"unrelated\": \"%s\"", unrelated[taken->unrelated]);
            if (taken->is_mode_set) fputs(", \"mode\": \"set\"", file);
            put_reaggregate(file, taken->reaggregate);
        }
        fputs(i + 1 < world->ntaken ? "},\n" : "}]}\n", file);
    }
    fclose(file);
}

static void write_nested(const struct world *world, const char *folder)
{
    static const char *const names[] = {"", "null", "repeat"};
    const struct world_cube *joined = &world->cubes[world->nested.cube];
    const struct world_cube *primary = &world->cubes[world->sources[0].cube];
    FILE *file = world_open_file(folder, "n", ".json");
    fprintf(
        file,
        "{\"name\": \"n\", \"kind\": \"virtual\", \"primary\": \"v\",\n \"sources\": [{\"cube\": "
        "\"v\"}, {\"alias\": \"k\", \"cube\": \"%s\"",
        joined->name);
    put_join(world, file, &world->nested, primary, joined);
    fputs("}],\n \"private\": {\"k\": {", file);
    const char *comma = "";
    for (unsigned d = 0; d < joined->ndimensions; d++) {
        if (world->nested.others[d] == VC_UNRELATED_DEFAULT || is_mapped(&world->nested, d))
            continue;
        fprintf(file, "%s\"%s\": {\"others\": \"%s\"}", comma, joined->dimensions[d]->name,
                names[world->nested.others[d]]);
        comma = ", ";
    }
    fputs("}, \"v\": {", file);
    comma = "";
    for (unsigned d = 0; d < primary->ndimensions; d++) {
        bool is_joined = false;
        for (unsigned i = 0; i < world->nested.npairs; i++)
            is_joined |= world->nested.pairs[i].dimension == d;
        if (world->nested_others[d] == VC_UNRELATED_DEFAULT || is_joined) continue;
        fprintf(file, "%s\"%s\": {\"others\": \"%s\"}", comma, primary->dimensions[d]->name,
                names[world->nested_others[d]]);
        comma = ", ";
    }
    fputs("}}}\n", file);
    fclose(file);
}

static void write_outer(const struct world *world, const char *folder)
{
    const struct world_cube *primary = &world->cubes[world->nested.cube];
    FILE *file = world_open_file(folder, "o", ".json");
    fprintf(
        file,
        "{\"name\": \"o\", \"kind\": \"virtual\", \"primary\": \"k\",\n \"sources\": [{\"alias\": "
        "\"k\", \"cube\": \"%s\"}, {\"alias\": \"v\", \"cube\": \"v\"",
        primary->name);
    put_join(world, file, &world->outer, primary, &world->cubes[world->sources[0].cube]);
    fputs("}]}\n", file);
    fclose(file);
}

void world_write(const struct world *world, const char *folder, bool is_append)
{
    for (unsigned i = 0; i < world->ncrosswalks; i++)
        world_write_crosswalk(&world->crosswalks[i], folder);
    for (unsigned i = 0; i < world->ncubes; i++) {
        const struct world_cube *cube = &world->cubes[i];
        world_write_cube(world, cube, folder);
        world_write_facts(cube, folder, is_append);
        for (unsigned d = 0; d < cube->ndimensions; d++) {
            if (cube->dimensions[d]->has_table)
                world_write_table(cube->dimensions[d], folder, is_append);
            if (cube->dimensions[d]->is_shared) world_write_shared(cube->dimensions[d], folder);
        }
    }
    write_virtual(world, folder, "v", false);
    if (world->has_nested) write_nested(world, folder);
    if (world->has_outer) write_outer(world, folder);
}

void world_write_nested(const struct world *world, const char *folder)
{
    write_virtual(world, folder, "w", true);
}
