/* ls and describe: what there is to ask. */
#include "cli/browsing.h"

#include "base/buffer.h"
#include "slice/property.h"

vc_status vc_browsing_open(const vc_arguments *arguments, vc_browsing *in, vc_error *error)
{
    vc_snapshot *snapshot;
    *in = (vc_browsing){0};
    vc_status status = vc_cli_open_store(arguments, VC_TO_READ, &in->store, error);
    if (status == VC_OK) status = vc_snapshot_open(in->store, &snapshot, error);
    if (status == VC_OK) {
        status = vc_model_new(snapshot, true, &in->model, error);
        if (status != VC_OK) vc_snapshot_close(snapshot);
    }
    if (status == VC_OK && arguments->noperands > 0)
        status = vc_model_cube(in->model, vc_str_of(arguments->operands[0]), &in->cube, error);
    return status;
}

int vc_browsing_close(vc_browsing *in, vc_status status, const vc_error *error)
{
    vc_model_free(in->model);
    vc_store_close(in->store);
    vc_arena_release(&in->arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(error);
}

static vc_str join_names(vc_arena *arena, vc_str list, vc_str name)
{
    if (list.size == 0) return name;
    return vc_arena_printf(arena, "%.*s, %.*s", VC_FMT(list), VC_FMT(name));
}

/* ---- ls ---- */

static uint64_t cube_rows(const vc_cube *cube)
{
    return cube->is_virtual ? 0 : cube->sources[0].cube->nrows;
}

static void describe_line(vc_browsing *in, const vc_cube *cube, vc_str *row)
{
    vc_str dimensions = VC_STR("");
    size_t nmeasures = 0;
    for (size_t d = 0; d < cube->ndimensions; d++)
        dimensions = join_names(&in->arena, dimensions, cube->dimensions[d].name);
    for (size_t m = 0; m < cube->nmeasures; m++)
        nmeasures += !cube->measures[m].is_hidden;
    row[0] = cube->name;
    row[1] = cube->is_virtual ? VC_STR("virtual") : VC_STR("source");
    row[2] = cube->is_virtual ? vc_arena_printf(&in->arena, "%zu sources", cube->nsources)
                              : vc_cli_count(&in->arena, cube_rows(cube));
    row[3] = vc_cli_count(&in->arena, nmeasures);
    row[4] = dimensions;
}

static void put_json_line(vc_buffer *out, const vc_cube *cube)
{
    vc_buffer_put_text(out, "{\"name\":");
    vc_buffer_put_json(out, cube->name);
    vc_buffer_put_text(out, ",\"kind\":");
    vc_buffer_put_text(out, cube->is_virtual ? "\"virtual\"" : "\"source\"");
    vc_buffer_put_text(out, ",\"label\":");
    vc_buffer_put_json(out, cube->label);
    if (!cube->is_virtual)
        vc_buffer_printf(out, ",\"rows\":%llu", (unsigned long long)cube_rows(cube));
    vc_buffer_put_text(out, ",\"dimensions\":[");
    for (size_t d = 0; d < cube->ndimensions; d++) {
        vc_buffer_put_text(out, d > 0 ? "," : "");
        vc_buffer_put_json(out, cube->dimensions[d].name);
    }
    vc_buffer_put_text(out, "],\"measures\":[");
    for (size_t m = 0, n = 0; m < cube->nmeasures; m++) {
        if (cube->measures[m].is_hidden) continue;
        vc_buffer_put_text(out, n++ > 0 ? "," : "");
        vc_buffer_put_json(out, cube->measures[m].name);
    }
    vc_buffer_put_text(out, "]}");
}

/* A cube that no longer fits what it stands on (something was dropped by force) does not hide the
 * others: it is listed with the reason. What is wrong with the store itself is an error. */
static vc_status list_cube(vc_browsing *in, vc_str name, vc_str *row, vc_buffer *json,
                           vc_error *error)
{
    const vc_cube *cube;
    vc_error why = {0};
    vc_status status = vc_model_cube(in->model, name, &cube, &why);
    if (status == VC_OK) {
        describe_line(in, cube, row);
        put_json_line(json, cube);
        return VC_OK;
    }
    if (status != VC_NOT_FOUND && status != VC_BAD_INPUT && status != VC_IMPOSSIBLE) {
        *error = why;
        return status;
    }
    row[0] = name;
    row[1] = VC_STR("broken");
    row[2] = row[3] = VC_STR("");
    row[4] = vc_arena_str(&in->arena, vc_str_of(why.message));
    vc_buffer_put_text(json, "{\"name\":");
    vc_buffer_put_json(json, name);
    vc_buffer_put_text(json, ",\"kind\":\"broken\",\"error\":");
    vc_buffer_put_json(json, vc_str_of(why.message));
    vc_buffer_put_text(json, "}");
    return VC_OK;
}

static int run_ls(const vc_arguments *arguments)
{
    vc_browsing in;
    vc_error error = {0};
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_buffer json = {0};
    vc_status status = vc_browsing_open(arguments, &in, &error);
    if (status == VC_OK)
        status = vc_snapshot_list(vc_model_snapshot(in.model), VC_KIND_CUBE, &in.arena, &objects,
                                  &nobjects, &error);
    vc_str *texts = VC_ARENA_NEW(&in.arena, vc_str, (nobjects + 1) * 5);
    if (status == VC_OK && texts == NULL) status = vc_no_memory(&error);
    vc_buffer_put_text(&json, "{\"cubes\":[");
    for (size_t i = 0; i < nobjects && status == VC_OK; i++) {
        vc_buffer_put_text(&json, i > 0 ? "," : "");
        status = list_cube(&in, objects[i].name, texts + (i + 1) * 5, &json, &error);
    }
    vc_buffer_put_text(&json, "]}");
    if (status == VC_OK && vc_arguments_get(arguments, "json") != NULL) {
        puts(vc_buffer_text(&json));
    } else if (status == VC_OK && nobjects == 0) {
        vc_cli_say("the store has no cubes yet: vcube load -d DIR DEFINITION...");
    } else if (status == VC_OK) {
        static const char *const names[] = {"cube", "kind", "facts", "measures", "dimensions"};
        for (size_t i = 0; i < 5; i++)
            texts[i] = vc_str_of(names[i]);
        vc_cli_table(texts, nobjects + 1, 5, (bool[]){false, false, true, true, false});
    }
    vc_buffer_release(&json);
    return vc_browsing_close(&in, status, &error);
}

static const vc_option list_options[] = {VC_OPTION_DIR, VC_OPTION_JSON, VC_OPTION_END};

const vc_command vc_command_ls = {
    .name = "ls",
    .operands = "",
    .summary = "list the cubes of a store",
    .help = "Example:\n  vcube ls -d data",
    .options = list_options,
    .run = run_ls,
};

/* ---- describe ---- */

static vc_str level_names(vc_browsing *in, const vc_hierarchy *hierarchy)
{
    vc_str list = VC_STR("");
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        list = vc_arena_printf(&in->arena, "%.*s%s%.*s (%u)", VC_FMT(list), l > 0 ? " > " : "",
                               VC_FMT(hierarchy->levels[l].name),
                               vc_level_count(&hierarchy->levels[l]));
    return list;
}

/* "joined      cities.mayor, cities.river (several)" */
static void print_joined(vc_browsing *in, const vc_cube *cube, size_t number)
{
    const vc_property *properties;
    size_t nproperties;
    vc_str list = VC_STR("");
    if (vc_property_list(cube, number, &in->arena, &properties, &nproperties, NULL) != VC_OK)
        return;
    for (size_t i = 0; i < nproperties; i++) {
        bool is_multi = false;
        vc_str name = properties[i].asked;
        if (vc_property_is_multi(&properties[i], &is_multi, NULL) == VC_OK && is_multi)
            name = vc_arena_printf(&in->arena, "%.*s (several)", VC_FMT(name));
        list = join_names(&in->arena, list, name);
    }
    if (list.size > 0) printf("    joined      %.*s\n", VC_FMT(list));
}

/* "#late = year:2024-" */
static void print_sets(vc_browsing *in, const vc_cube *cube, size_t number)
{
    const vc_set_def **sets;
    size_t nsets = 0;
    if (vc_cube_list_sets(cube, &cube->dimensions[number], &in->arena, &sets, &nsets, NULL) !=
        VC_OK)
        return;
    for (size_t i = 0; i < nsets; i++)
        printf("    %-11s #%.*s = %.*s\n", i == 0 ? "sets" : "", VC_FMT(sets[i]->name),
               VC_FMT(sets[i]->cut));
}

static void print_dimension(vc_browsing *in, const vc_cube *cube, size_t number)
{
    const vc_cube_dimension *outer = &cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    printf("  %.*s", VC_FMT(outer->name));
    if (cube->is_virtual && outer->is_private)
        printf("  (private to %.*s)", VC_FMT(cube->sources[outer->owner].alias));
    if (!outer->is_aggregatable) printf("  (no All)");
    putchar('\n');
    for (unsigned h = 0; h < dimension->nhierarchies; h++) {
        const vc_hierarchy *hierarchy = &dimension->hierarchies[h];
        vc_str levels = level_names(in, hierarchy);
        if (h == 0)
            printf("    levels      %.*s\n", VC_FMT(levels));
        else
            printf("    @%-10.*s %.*s\n", VC_FMT(hierarchy->name), VC_FMT(levels));
    }
    vc_str indexes = VC_STR(""), attributes = VC_STR("");
    for (unsigned i = 0; i < dimension->nindexes; i++)
        if (!dimension->indexes[i].is_implicit)
            indexes = join_names(&in->arena, indexes, dimension->indexes[i].name);
    for (unsigned i = 0; i < dimension->nattributes; i++)
        attributes = join_names(&in->arena, attributes, dimension->attributes[i].name);
    if (indexes.size > 0) printf("    indexes     %.*s\n", VC_FMT(indexes));
    if (attributes.size > 0) printf("    attributes  %.*s\n", VC_FMT(attributes));
    print_joined(in, cube, number);
    print_sets(in, cube, number);
    for (size_t b = 0; b < outer->nbuckets; b++)
        printf("    bucket      %.*s\n", VC_FMT(outer->buckets[b].key));
}

/* One side of a pair. */
static void print_side(vc_str dimension, vc_str index, vc_str constant)
{
    if (constant.data != NULL)
        printf("\"%.*s\"", VC_FMT(constant));
    else
        printf("%.*s.%.*s", VC_FMT(dimension), VC_FMT(index));
}

/* ", stands at sex F": by the policy "fix". */
static void print_stands(const vc_cube *cube, const vc_cube_source *source)
{
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (source->bindings[d].kind == VC_BIND_NONE && source->unrelated[d] == VC_UNRELATED_FIX)
            printf(", stands at %.*s %.*s", VC_FMT(cube->dimensions[d].name),
                   VC_FMT(source->stands[d].member));
}

static void print_source(const vc_cube *cube, size_t number)
{
    const vc_cube_source *source = &cube->sources[number];
    printf("  %.*s = %.*s", VC_FMT(source->alias), VC_FMT(source->cube->name));
    if (number == 0) {
        printf("  (primary)");
        print_stands(cube, source);
        putchar('\n');
        return;
    }
    const vc_join_def *join = &source->definition->join;
    printf("  %s join", vc_join_kind_name(join->kind));
    for (size_t i = 0; i < join->non; i++) {
        const vc_on_def *on = &join->on[i];
        fputs(i > 0 ? ", " : " ", stdout);
        print_side(on->dim, on->index, on->constant);
        fputs(" = ", stdout);
        print_side(on->to_dim, on->to_index, on->to_constant);
    }
    for (size_t d = 0; join->expose.is_asked && d < cube->ndimensions; d++) {
        const vc_exposed *exposed = cube->dimensions[d].exposed;
        if (exposed != NULL && vc_str_equal(exposed->alias, source->alias))
            printf(", members are the level %.*s of %.*s", VC_FMT(exposed->level),
                   VC_FMT(cube->dimensions[d].name));
    }
    print_stands(cube, source);
    putchar('\n');
}

static void print_measures(vc_browsing *in, const vc_cube *cube)
{
    size_t nrows = 1;
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, (cube->nmeasures + 1) * 5);
    if (texts == NULL) return;
    texts[0] = VC_STR("  name");
    texts[1] = VC_STR("aggregator");
    texts[2] = VC_STR("source");
    texts[3] = VC_STR("unit");
    texts[4] = VC_STR("label");
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        if (measure->is_hidden) continue;
        vc_str *row = texts + nrows++ * 5;
        row[0] = vc_arena_printf(&in->arena, "  %.*s", VC_FMT(measure->name));
        row[1] = measure->expr != NULL ? VC_STR("calculated")
                                       : vc_str_of(vc_aggregator_name(measure->aggregator));
        row[2] = measure->expr != NULL || !cube->is_virtual ? VC_STR("")
                                                            : cube->sources[measure->source].alias;
        row[3] = measure->unit;
        row[4] = vc_str_equal(measure->label, measure->name) ? VC_STR("") : measure->label;
    }
    vc_cli_table(texts, nrows, 5, (bool[]){false, false, false, false, false});
}

static void print_calculated(vc_browsing *in, const vc_cube *cube)
{
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, (cube->ncalculated + 1) * 4);
    if (texts == NULL) return;
    texts[0] = VC_STR("  name");
    texts[1] = VC_STR("of");
    texts[2] = VC_STR("expression");
    texts[3] = VC_STR("label");
    for (size_t i = 0; i < cube->ncalculated; i++) {
        const vc_calculated *member = &cube->calculated[i];
        const vc_cube_dimension *outer = &cube->dimensions[member->dimension];
        vc_str *row = texts + (i + 1) * 4;
        row[0] = vc_arena_printf(&in->arena, "  %.*s", VC_FMT(member->name));
        row[1] = vc_arena_printf(
            &in->arena, "%.*s:%.*s", VC_FMT(outer->name),
            VC_FMT(outer->dimension->hierarchies[member->hierarchy].levels[member->level].name));
        row[2] = member->definition->expr;
        row[3] = vc_str_equal(member->label, member->name) ? VC_STR("") : member->label;
    }
    puts("\ncalculated members");
    vc_cli_table(texts, cube->ncalculated + 1, 4, (bool[]){false, false, false, false});
}

/* "facts are sorted by date, customer" */
static void print_cluster(vc_browsing *in, const vc_cube *cube)
{
    vc_str list = VC_STR("");
    if (cube->is_virtual || cube->sources[0].cube->ncluster == 0) return;
    for (size_t i = 0; i < cube->sources[0].cube->ncluster; i++)
        list = join_names(&in->arena, list, cube->sources[0].cube->cluster[i]);
    printf("facts are sorted by %.*s\n", VC_FMT(list));
}

static int run_describe(const vc_arguments *arguments)
{
    vc_browsing in;
    vc_error error = {0};
    vc_status status = vc_browsing_open(arguments, &in, &error);
    if (status == VC_OK && vc_arguments_get(arguments, "json") != NULL) {
        vc_buffer json = {0};
        put_json_line(&json, in.cube);
        puts(vc_buffer_text(&json));
        vc_buffer_release(&json);
    } else if (status == VC_OK) {
        const vc_cube *cube = in.cube;
        printf("%.*s: %s cube", VC_FMT(cube->name), cube->is_virtual ? "virtual" : "source");
        if (cube->label.size > 0) printf(", %.*s", VC_FMT(cube->label));
        if (!cube->is_virtual) {
            vc_str rows = vc_cli_count(&in.arena, cube_rows(cube));
            printf(", %.*s facts", VC_FMT(rows));
        }
        putchar('\n');
        print_cluster(&in, cube);
        if (cube->definition->info.source.size > 0)
            printf("source: %.*s\n", VC_FMT(cube->definition->info.source));
        if (cube->definition->info.licence.size > 0)
            printf("licence: %.*s\n", VC_FMT(cube->definition->info.licence));
        puts("\ndimensions");
        for (size_t d = 0; d < cube->ndimensions; d++)
            print_dimension(&in, cube, d);
        if (cube->is_virtual) {
            puts("\nsources");
            for (size_t s = 0; s < cube->nsources; s++)
                print_source(cube, s);
        }
        puts("\nmeasures");
        print_measures(&in, cube);
        if (cube->ncalculated > 0) print_calculated(&in, cube);
    }
    return vc_browsing_close(&in, status, &error);
}

const vc_command vc_command_describe = {
    .name = "describe",
    .operands = "CUBE",
    .summary = "show the dimensions, sources and measures of a cube",
    .help = "Example:\n  vcube describe -d data world",
    .options = list_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_describe,
};
