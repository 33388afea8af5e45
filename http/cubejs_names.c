/* What cubes, measures, levels and attributes are called in Cube's dialect.
 *
 * A member's name has one dot, between the cube and the rest, because clients take a second one for
 * a granularity. Different things get different names, whatever they are called: where two would
 * have the same, both get a suffix made of what they are. So no definition that is added later can
 * silently make a name mean something else: at worst it is not known any more.
 */
#include "http/cubejs.h"

#include "base/nearest.h"
#include "base/strmap.h"
#include "slice/naming.h"

#include <ctype.h>
#include <stdlib.h>
#include <xxhash.h>

void vc_cubejs_put_word(vc_buffer *buffer, vc_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        vc_buffer_put_char(buffer, byte >= 0x80 || isalnum(byte) ? (char)byte : '_');
    }
}

/* The text of a buffer in the arena, and an empty buffer. */
static vc_str take_text(vc_buffer *buffer, vc_arena *arena)
{
    vc_str text = {0};
    vc_buffer_text(buffer);
    if (!buffer->failed) text = vc_arena_str(arena, (vc_str){buffer->data, buffer->size});
    vc_buffer_clear(buffer);
    return text;
}

/* ---- names of cubes ---- */

static vc_str word_of(vc_str name, vc_arena *arena)
{
    vc_buffer buffer = {0};
    vc_cubejs_put_word(&buffer, name);
    vc_str word = take_text(&buffer, arena);
    vc_buffer_release(&buffer);
    return word;
}

/* "_1a2b3c4d" of what a thing is. */
static vc_str with_suffix(vc_str name, vc_str identity, vc_arena *arena)
{
    return vc_arena_printf(arena, "%.*s_%08x", VC_FMT(name),
                           (unsigned)XXH3_64bits(identity.data, identity.size));
}

vc_status vc_cubejs_list_cubes(vc_model *model, vc_arena *arena, const vc_cubejs_name **names_out,
                               size_t *nnames_out, vc_error *error)
{
    vc_object *objects = NULL;
    size_t count = 0;
    vc_strmap seen = {0};
    vc_status status = vc_model_list(model, arena, &objects, &count, error);
    if (status != VC_OK) return status;
    vc_cubejs_name *names = VC_ARENA_NEW(arena, vc_cubejs_name, count + 1);
    uint32_t *numbers = VC_ARENA_NEW(arena, uint32_t, count + 1);
    uint32_t *uses = VC_ARENA_NEW(arena, uint32_t, count + 1);
    if (names == NULL || numbers == NULL || uses == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < count && status == VC_OK; i++) {
        names[i] =
            (vc_cubejs_name){.name = word_of(objects[i].name, arena), .cube = objects[i].name};
        numbers[i] = vc_strmap_put(&seen, names[i].name, NULL);
        if (vc_str_is_null(names[i].name) || numbers[i] == VC_STRMAP_NONE)
            status = vc_no_memory(error);
        else
            uses[numbers[i]]++;
    }
    for (size_t i = 0; i < count && status == VC_OK; i++) {
        if (uses[numbers[i]] < 2) continue;
        names[i].name = with_suffix(names[i].name, names[i].cube, arena);
        if (vc_str_is_null(names[i].name)) status = vc_no_memory(error);
    }
    vc_strmap_release(&seen);
    *names_out = names;
    *nnames_out = count;
    return status;
}

/* ---- the catalog of one cube ---- */

typedef struct building {
    const vc_cube *cube;
    vc_cubejs_catalog *catalog;
    vc_arena *arena;
    vc_list members, identities, times;
    vc_buffer text;
} building;

static vc_str given(vc_str label, vc_str name)
{
    return label.size > 0 ? label : name;
}

/* Add a member of the name "dim_hierarchy_level_suffix"; parts may be absent. */
static vc_cubejs_member *add_member(building *in, const vc_cubejs_member *member,
                                    const vc_str *parts, size_t nparts)
{
    vc_cubejs_member *added = VC_LIST_NEW(&in->members, in->arena, vc_cubejs_member);
    vc_str *identity = VC_LIST_NEW(&in->identities, in->arena, vc_str);
    if (added == NULL || identity == NULL) return NULL;
    *added = *member;
    vc_buffer_put_str(&in->text, in->catalog->name);
    for (size_t i = 0; i < nparts; i++) {
        if (vc_str_is_null(parts[i])) continue;
        vc_buffer_put_char(&in->text, i == 0 ? '.' : '_');
        vc_cubejs_put_word(&in->text, parts[i]);
    }
    added->name = take_text(&in->text, in->arena);
    added->title = vc_arena_printf(in->arena, "%.*s %.*s", VC_FMT(in->catalog->title),
                                   VC_FMT(member->short_title));
    vc_buffer_printf(&in->text, "%d %zu", (int)member->kind, nparts);
    for (size_t i = 0; i < nparts; i++)
        vc_buffer_put_json(&in->text, parts[i]);
    *identity = take_text(&in->text, in->arena);
    bool has_all = added->name.data != NULL && added->title.data != NULL && identity->data != NULL;
    return has_all ? added : NULL;
}

static bool add_measures(building *in)
{
    for (size_t m = 0; m < in->cube->nmeasures; m++) {
        const vc_cube_measure *measure = &in->cube->measures[m];
        const vc_measure_def *definition = vc_cube_find_measure_def(in->cube, measure->name);
        if (measure->is_hidden) continue;
        vc_cubejs_member member = {.kind = VC_CUBEJS_MEASURE,
                                   .number = m,
                                   .short_title = given(measure->label, measure->name)};
        if (definition != NULL) member.description = definition->description;
        if (add_member(in, &member, &measure->name, 1) == NULL) return false;
    }
    return true;
}

/* Does no other member of the level have the same label, and has each one? Not looked at where
 * there are very many: nobody shows those by their labels alone. */
static bool has_unique_labels(const vc_level *level)
{
    enum { MAX_MEMBERS = 200000 };
    vc_strmap seen = {0};
    bool is_unique = level->nmembers <= MAX_MEMBERS;
    for (uint32_t m = 0; m < level->nmembers && is_unique; m++) {
        vc_str label = vc_texts_get(&level->labels, m);
        is_unique = label.data != NULL &&
                    vc_strmap_put(&seen, label, &is_unique) != VC_STRMAP_NONE && is_unique;
    }
    vc_strmap_release(&seen);
    return is_unique;
}

static bool add_level(building *in, size_t number, unsigned h, unsigned l)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[h];
    const vc_level *level = &hierarchy->levels[l];
    bool is_short = h == 0 && !dimension->is_time && vc_str_equal(level->name, outer->name);
    vc_str absent = {0};
    vc_cubejs_member member = {.kind = VC_CUBEJS_LEVEL,
                               .number = number,
                               .hierarchy = h,
                               .level = l,
                               .has_paths = !vc_level_has_unique_keys(level),
                               .short_title = given(level->label, level->name)};
    const vc_str parts[] = {outer->name, h == 0 ? absent : hierarchy->name,
                            is_short ? absent : level->name, VC_STR("label")};
    if (add_member(in, &member, parts, 3) == NULL) return false;
    if (!level->has_labels) return true;
    member.kind = VC_CUBEJS_LABEL;
    member.has_paths = false;
    member.is_unique = has_unique_labels(level);
    member.short_title =
        vc_arena_printf(in->arena, "%.*s (label)", VC_FMT(given(level->label, level->name)));
    return member.short_title.data != NULL && add_member(in, &member, parts, 4) != NULL;
}

/* Has each member a value that no other has? Where there are as many values as members, yes. */
static bool is_unique_attribute(const vc_dimension *dimension, const vc_attribute *attribute)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    if (attribute->hierarchy >= 0)
        return attribute->values.count ==
               dimension->hierarchies[attribute->hierarchy].levels[attribute->level].nmembers;
    return dimension->ndoubles == 0 && attribute->values.count == dimension->nleaves &&
           main->levels[main->nlevels - 1].nmembers == dimension->nleaves;
}

/* An attribute is filtered through its index, so one whose index is of something else is none here.
 * Values that only one member has tell members apart. */
static bool add_attribute(building *in, size_t number, const vc_attribute *attribute)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    unsigned level, main_levels = dimension->hierarchies[0].nlevels;
    const vc_index *index;
    if (vc_hierarchy_find_level(dimension, 0, attribute->name, &level, NULL) == VC_OK ||
        vc_dimension_find_index(dimension, attribute->name, &index, NULL) != VC_OK ||
        index->is_partial || index->hierarchy != attribute->hierarchy ||
        index->level != attribute->level)
        return true;
    vc_cubejs_member member = {
        .kind = VC_CUBEJS_ATTRIBUTE,
        .number = number,
        .hierarchy = attribute->hierarchy < 0 ? 0 : (unsigned)attribute->hierarchy,
        .level = attribute->level < 0 ? main_levels - 1 : (unsigned)attribute->level,
        .attribute = attribute,
        .is_unique = is_unique_attribute(dimension, attribute),
        .short_title = attribute->name};
    const vc_str parts[] = {outer->name, attribute->name};
    return add_member(in, &member, parts, 2) != NULL;
}

/* ---- levels of time ---- */

/* The part whose keys all keys of a level are; VC_TIME_NONE: of none. */
static vc_time_part part_of(const vc_level *level)
{
    vc_cubejs_range range;
    vc_time_part part = VC_TIME_NONE;
    for (uint32_t m = 0; m < level->nmembers; m++) {
        vc_str key = vc_texts_get(&level->keys, m);
        if (key.data == NULL) continue;
        for (vc_time_part p = VC_TIME_YEAR; part == VC_TIME_NONE && p <= VC_TIME_DAY; p++)
            if (vc_cubejs_period(key, p, &range)) part = p;
        if (!vc_cubejs_period(key, part, &range)) return VC_TIME_NONE;
    }
    return part;
}

static bool get_period(const vc_level *level, vc_time_part part, uint32_t leaf,
                       vc_cubejs_range *range)
{
    vc_str key = vc_texts_get(&level->keys, vc_numbers_get(level->leaf_members, leaf));
    return key.data != NULL && vc_cubejs_period(key, part, range);
}

/* Do the periods of a level hold those of a finer one? Fiscal years have the keys of years, too,
 * but their months lie elsewhere. */
static bool agrees(const vc_dimension *dimension, const vc_cubejs_time_level *coarse,
                   const vc_cubejs_time_level *fine)
{
    const vc_level *above = &dimension->hierarchies[coarse->hierarchy].levels[coarse->level];
    const vc_level *below = &dimension->hierarchies[fine->hierarchy].levels[fine->level];
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        vc_cubejs_range outer, inner;
        if (get_period(above, coarse->part, leaf, &outer) &&
            get_period(below, fine->part, leaf, &inner) &&
            (inner.end <= outer.first || inner.first >= outer.end))
            return false;
    }
    return true;
}

/* The levels of a time dimension whose keys are periods, the finest being the one to believe. A
 * level with an order of its own is no calendar, nor is one where a period stands twice. */
static bool find_times(building *in, size_t number, size_t *ntimes_out)
{
    const vc_dimension *dimension = in->cube->dimensions[number].dimension;
    vc_cubejs_time_level found[VC_MAX_HIERARCHIES * VC_MAX_NAMED_LEVELS];
    size_t nfound = 0, finest = 0;
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            const vc_level *level = &dimension->hierarchies[h].levels[l];
            vc_time_part part = level->is_ordered_by_column ? VC_TIME_NONE : part_of(level);
            if (part == VC_TIME_NONE || !vc_level_has_unique_keys(level)) continue;
            if (nfound == sizeof found / sizeof found[0]) break;
            found[nfound] = (vc_cubejs_time_level){number, h, l, part};
            if (part > found[finest].part) finest = nfound;
            nfound++;
        }
    *ntimes_out = 0;
    for (size_t i = 0; i < nfound; i++) {
        if (!agrees(dimension, &found[i], &found[finest])) continue;
        vc_cubejs_time_level *time = VC_LIST_NEW(&in->times, in->arena, vc_cubejs_time_level);
        if (time == NULL) return false;
        *time = found[i];
        ++*ntimes_out;
    }
    return true;
}

static bool add_dimension(building *in, size_t number)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    size_t ntimes = 0;
    if (dimension->is_time && !find_times(in, number, &ntimes)) return false;
    vc_cubejs_member time = {
        .kind = VC_CUBEJS_TIME, .number = number, .short_title = given(outer->label, outer->name)};
    if (ntimes > 0 && add_member(in, &time, &outer->name, 1) == NULL) return false;
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            if (!add_level(in, number, h, l)) return false;
    for (unsigned a = 0; a < dimension->nattributes; a++)
        if (!add_attribute(in, number, &dimension->attributes[a])) return false;
    return true;
}

/* ---- names that are taken twice ---- */

static bool part_names(building *in)
{
    vc_cubejs_member *members = in->members.items;
    vc_strmap seen = {0};
    uint32_t *numbers = VC_ARENA_NEW(in->arena, uint32_t, in->members.count + 1);
    uint32_t *uses = VC_ARENA_NEW(in->arena, uint32_t, in->members.count + 1);
    bool is_well = numbers != NULL && uses != NULL;
    for (size_t i = 0; i < in->members.count && is_well; i++) {
        numbers[i] = vc_strmap_put(&seen, members[i].name, NULL);
        is_well = numbers[i] != VC_STRMAP_NONE;
        if (is_well) uses[numbers[i]]++;
    }
    for (size_t i = 0; i < in->members.count && is_well; i++) {
        if (uses[numbers[i]] < 2) continue;
        members[i].name =
            with_suffix(members[i].name, ((const vc_str *)in->identities.items)[i], in->arena);
        is_well = members[i].name.data != NULL;
    }
    vc_strmap_release(&seen);
    return is_well;
}

typedef struct wanted_catalog {
    const vc_cube *cube;
    vc_str name;
} wanted_catalog;

static vc_status make_catalog(void *context, vc_arena *arena, const void **value_out,
                              vc_error *error)
{
    const wanted_catalog *wanted = context;
    vc_cubejs_catalog *catalog = VC_ARENA_NEW(arena, vc_cubejs_catalog, 1);
    if (catalog == NULL) return vc_no_memory(error);
    building in = {.cube = wanted->cube, .catalog = catalog, .arena = arena};
    catalog->cube = wanted->cube;
    catalog->name = vc_arena_str(arena, wanted->name);
    catalog->title = given(wanted->cube->label, wanted->cube->name);
    bool is_well = catalog->name.data != NULL && add_measures(&in);
    for (size_t d = 0; d < wanted->cube->ndimensions && is_well; d++)
        is_well = add_dimension(&in, d);
    is_well = is_well && part_names(&in);
    vc_buffer_release(&in.text);
    if (!is_well) return vc_no_memory(error);
    catalog->members = in.members.items;
    catalog->nmembers = in.members.count;
    catalog->times = in.times.items;
    catalog->ntimes = in.times.count;
    *value_out = catalog;
    return VC_OK;
}

vc_status vc_cubejs_catalog_get(vc_model *model, const vc_cubejs_name *name,
                                const vc_cubejs_catalog **catalog_out, vc_error *error)
{
    static const uint64_t variant = 0xC0BE;
    wanted_catalog wanted = {.name = name->name};
    const void *value;
    vc_status status = vc_model_cube(model, name->cube, &wanted.cube, error);
    if (status == VC_OK)
        status = vc_model_memo(model, wanted.cube, variant, make_catalog, &wanted, &value, error);
    if (status == VC_OK) *catalog_out = value;
    return status;
}

/* ---- look-up ---- */

const vc_cubejs_member *vc_cubejs_find_member(const vc_cubejs_catalog *catalog, vc_str name)
{
    for (size_t i = 0; i < catalog->nmembers; i++)
        if (vc_str_equal(catalog->members[i].name, name)) return &catalog->members[i];
    return NULL;
}

vc_status vc_cubejs_need_member(const vc_cubejs_catalog *catalog, vc_str name, vc_place place,
                                const vc_cubejs_member **member_out, vc_error *error)
{
    vc_nearest nearest;
    *member_out = vc_cubejs_find_member(catalog, name);
    if (*member_out != NULL) return VC_OK;
    vc_fail(error, VC_NOT_FOUND, "unknown_member", "there is no member '%.*s'", VC_FMT(name));
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < catalog->nmembers; i++)
        vc_nearest_offer(&nearest, catalog->members[i].name);
    vc_nearest_report(&nearest, error);
    return vc_error_at_place(error, VC_NOT_FOUND, place);
}

const vc_cubejs_time_level *vc_cubejs_find_time(const vc_cubejs_catalog *catalog, size_t dimension,
                                                vc_time_part part)
{
    for (size_t i = 0; i < catalog->ntimes; i++)
        if (catalog->times[i].dimension == dimension && catalog->times[i].part == part)
            return &catalog->times[i];
    return NULL;
}

const vc_cubejs_time_level *vc_cubejs_finest_time(const vc_cubejs_catalog *catalog,
                                                  size_t dimension)
{
    const vc_cubejs_time_level *finest = NULL;
    for (size_t i = 0; i < catalog->ntimes; i++) {
        const vc_cubejs_time_level *time = &catalog->times[i];
        if (time->dimension == dimension && (finest == NULL || time->part > finest->part))
            finest = time;
    }
    return finest;
}
