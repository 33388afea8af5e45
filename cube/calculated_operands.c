/* The brackets of a calculated member's expression: cuts -> the places at which measures are read.
 *
 * A single member is kept as such, so that all members of a level can be read in one scan; what is
 * more than one (`[BEL;NLD]`, a key of an index, All) is a selection, whose facts count together.
 * In an aggregate each bracket is a list, of which every entry is a place of its own.
 */
#include "cube/calculated_parts.h"

#include "base/bits.h"
#include "cube/cut.h"
#include "dimensions/members.h"
#include "dimensions/path.h"

#include <string.h>

enum { TARGETS_MAX = 10000, SET_DEPTH_MAX = 16 };

struct bracket {
    const struct vc_calculating *in;
    const vc_calculated *member;
    vc_list conditions;   /* vc_condition * */
    vc_list targets;      /* vc_member_target, of an aggregate */
    const vc_dimref *ref; /* of the list at hand */
    unsigned depth;       /* of sets in sets */
};

/* ---- text ---- */

/* A name as it stands in a cut. */
static vc_str escape(vc_arena *arena, vc_str name)
{
    char *text = vc_arena_alloc(arena, 2 * name.size + 1);
    size_t size = 0;
    if (text == NULL) return (vc_str){0};
    for (size_t i = 0; i < name.size; i++) {
        if (strchr(VC_CUT_RESERVED "\\", name.data[i]) != NULL) text[size++] = '\\';
        text[size++] = name.data[i];
    }
    return (vc_str){.data = text, .size = size};
}

/* Does a cut begin with a dimension? Then a ':' is the first of its delimiters, or one comes behind
 * the '@' or '.' of the dimension's reference. */
static bool names_dimension(vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (strchr("|;,-/#", text.data[i]) != NULL)
            return false;
        else if (text.data[i] == ':')
            return true;
    }
    return false;
}

/* "BEL" -> "geo:BEL", "@alt:West" -> "geo@alt:West", "!BEL" -> "!geo:BEL". */
static vc_str complete(const struct vc_calculating *in, const vc_calculated *member, vc_str text)
{
    const vc_calculated_def *definition = member->definition;
    bool is_negated = text.size > 0 && text.data[0] == '!';
    vc_str rest = {.data = text.data + is_negated, .size = text.size - is_negated};
    if (names_dimension(rest) && rest.data[0] != '@' && rest.data[0] != '.') return text;
    vc_str dim = escape(in->arena, definition->dim);
    if (names_dimension(rest))
        return vc_arena_printf(in->arena, "%s%.*s%.*s", is_negated ? "!" : "", VC_FMT(dim),
                               VC_FMT(rest));
    bool has_hierarchy = !vc_str_is_null(definition->hierarchy);
    vc_str hierarchy = has_hierarchy ? escape(in->arena, definition->hierarchy) : VC_STR("");
    return vc_arena_printf(in->arena, "%s%.*s%s%.*s:%.*s", is_negated ? "!" : "", VC_FMT(dim),
                           has_hierarchy ? "@" : "", VC_FMT(hierarchy), VC_FMT(rest));
}

/* What stands in the bracket that begins at `*at`; moves behind it. */
static vc_str take_bracket(vc_str text, size_t *at)
{
    size_t first = *at + 1, end = first;
    while (text.data[end] != ']')
        end += text.data[end] == '\\' ? 2 : 1;
    *at = end + 1;
    vc_str inner = {.data = text.data + first, .size = end - first};
    while (inner.size > 0 && strchr(" \t\r\n", inner.data[0]) != NULL) {
        inner.data++;
        inner.size--;
    }
    while (inner.size > 0 && strchr(" \t\r\n", inner.data[inner.size - 1]) != NULL)
        inner.size--;
    return inner;
}

/* ---- errors ---- */

/* An error of a bracket says which one. */
static vc_status fail_bracket(vc_str text, vc_status status, const vc_error *why, vc_error *error)
{
    if (status == VC_NO_MEMORY) return vc_no_memory(error);
    vc_str shown = text;
    if (shown.size > 60) shown = vc_utf8_cut(shown, 60);
    vc_fail(error, status, why->code, "[%.*s]: %s", VC_FMT(shown), why->message);
    for (unsigned i = 0; error != NULL && i < why->ncandidates; i++)
        vc_error_add_candidate(error, why->candidates[i], strlen(why->candidates[i]));
    return status;
}

/* ---- one place ---- */

/* A single member, seen as such. */
static bool is_single_path(const vc_condition *condition)
{
    return condition->kind == VC_CONDITION_ITEMS && condition->nitems == 1 &&
           condition->items[0].kind == VC_ITEM_PATH && condition->items[0].nkeys > 0 &&
           vc_str_is_null(condition->dimref.level);
}

static vc_status find_selection(const struct vc_calculating *in, const vc_condition *condition,
                                vc_coordinate *out, vc_error *error)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[out->dimension];
    uint64_t *bits;
    out->kind = VC_AT_SELECTION;
    if (!vc_condition_restricts(condition)) return VC_OK;
    vc_status status = vc_condition_evaluate(in->cube, outer, condition, in->arena, &bits, error);
    if (status != VC_OK) return status;
    for (size_t w = 0; outer->visible != NULL && w < vc_bits_words(outer->nslots); w++)
        bits[w] &= outer->visible[w];
    out->slots = bits;
    return VC_OK;
}

/* A calculated member is nothing that counts together with others. */
static vc_status check_items(const struct vc_calculating *in, const vc_condition *condition,
                             size_t dimension, vc_error *error)
{
    for (size_t i = 0; i < condition->nitems; i++) {
        const vc_item *item = &condition->items[i];
        if (item->kind == VC_ITEM_PATH && item->nkeys == 1 &&
            vc_calculated_find(in->members, in->nmembers, dimension, item->keys[0]) != SIZE_MAX)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "the calculated member '%.*s' stands in a bracket of its own",
                           VC_FMT(item->keys[0]));
    }
    for (size_t i = 0; i < condition->nchildren; i++) {
        vc_status status = check_items(in, condition->children[i], dimension, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

static vc_status find_coordinate(const struct vc_calculating *in, const vc_condition *condition,
                                 vc_coordinate *out, vc_error *error)
{
    vc_status status =
        vc_calculating_dimension(in, condition->dimref.dimension, &out->dimension, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = in->cube->dimensions[out->dimension].dimension;
    status =
        vc_dimension_find_hierarchy(dimension, condition->dimref.hierarchy, &out->hierarchy, error);
    if (status != VC_OK) return status;
    if (is_single_path(condition)) {
        const vc_item *item = &condition->items[0];
        out->calculated =
            vc_calculated_find_path(in->cube, in->members, in->nmembers, out->dimension,
                                    out->hierarchy, item->keys, item->nkeys, in->arena);
        out->kind = VC_AT_CALCULATED;
        if (out->calculated != SIZE_MAX) return VC_OK;
        out->kind = VC_AT_MEMBER;
        if (vc_hierarchy_find_member(dimension, out->hierarchy, item->keys, item->nkeys, in->arena,
                                     &out->member, NULL) == VC_OK) {
            const vc_level *level =
                &dimension->hierarchies[out->hierarchy].levels[out->member.level];
            if (!vc_member_is_hidden(level, out->member.member)) return VC_OK;
        }
    }
    status = is_single_path(condition) ? VC_OK : check_items(in, condition, out->dimension, error);
    return status == VC_OK ? find_selection(in, condition, out, error) : status;
}

/* A place from all conditions of a bracket. One of them is of the member's own dimension: it would
 * be read at itself otherwise. */
static vc_status find_target(const struct bracket *in, vc_str text, vc_member_target *out,
                             vc_error *error)
{
    size_t count = in->conditions.count;
    vc_condition *const *conditions = in->conditions.items;
    vc_coordinate *coordinates = VC_ARENA_NEW(in->in->arena, vc_coordinate, count + 1);
    bool is_own = false;
    if (coordinates == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        vc_status status = find_coordinate(in->in, conditions[i], &coordinates[i], error);
        if (status != VC_OK) return status;
        for (size_t j = 0; j < i; j++)
            if (coordinates[j].dimension == coordinates[i].dimension)
                return vc_fail(error, VC_BAD_INPUT, "syntax", "it names dimension '%.*s' twice",
                               VC_FMT(conditions[i]->dimref.dimension));
        is_own |= coordinates[i].dimension == in->member->dimension;
    }
    *out = (vc_member_target){.text = text, .coordinates = coordinates, .ncoordinates = count};
    vc_str own = in->member->definition->dim;
    if (is_own) return VC_OK;
    return vc_fail(
        error, VC_BAD_INPUT, "definition_cycle",
        "it leaves '%.*s' at the calculated member itself; add the member of '%.*s' that "
        "is meant, %.*s:() for All",
        VC_FMT(own), VC_FMT(own), VC_FMT(own));
}

static vc_status parse_bracket(struct bracket *in, vc_str inner, vc_str *text_out, vc_error *error)
{
    *text_out = complete(in->in, in->member, inner);
    if (vc_str_is_null(*text_out)) return vc_no_memory(error);
    in->conditions = (vc_list){0};
    vc_source_text source = {.text = *text_out};
    return vc_cut_parse(source, in->in->arena, &in->conditions, error);
}

/* ---- lists ---- */

static vc_status add_target(struct bracket *in, vc_member_target target, vc_error *error)
{
    if (in->targets.count == TARGETS_MAX)
        return vc_fail(error, VC_LIMIT, "limit_cells", "it stands for more than %d members",
                       TARGETS_MAX);
    vc_member_target *place = VC_LIST_NEW(&in->targets, in->in->arena, vc_member_target);
    if (place == NULL) return vc_no_memory(error);
    *place = target;
    return VC_OK;
}

/* Is a place in the list already? */
static bool is_listed(const struct bracket *in, const vc_coordinate *wanted)
{
    const vc_member_target *known = in->targets.items;
    for (size_t i = 0; i < in->targets.count; i++) {
        const vc_coordinate *at = &known[i].coordinates[0];
        if (known[i].ncoordinates != 1 || at->kind != wanted->kind ||
            at->dimension != wanted->dimension)
            continue;
        if (at->kind == VC_AT_MEMBER &&
            (at->hierarchy != wanted->hierarchy || at->member.level != wanted->member.level ||
             at->member.member != wanted->member.member))
            continue;
        if (at->kind == VC_AT_CALCULATED && at->calculated != wanted->calculated) continue;
        if (at->kind == VC_AT_SELECTION && at->slots != wanted->slots) continue; /* All is NULL */
        return true;
    }
    return false;
}

/* Each member once, and none that the cube does not have. */
static vc_status add_member(struct bracket *in, unsigned hierarchy, vc_member_ref member,
                            vc_error *error)
{
    const vc_cube_dimension *outer = &in->in->cube->dimensions[in->member->dimension];
    const vc_hierarchy *of = &outer->dimension->hierarchies[hierarchy];
    const vc_coordinate wanted = {.dimension = in->member->dimension,
                                  .kind = VC_AT_MEMBER,
                                  .hierarchy = hierarchy,
                                  .member = member};
    if (vc_member_is_hidden(&of->levels[member.level], member.member)) return VC_OK;
    if (is_listed(in, &wanted)) return VC_OK;
    if (outer->visible != NULL) {
        uint64_t *leaves = VC_ARENA_NEW(in->in->arena, uint64_t, vc_bits_words(outer->nslots) + 1);
        bool is_there = false;
        if (leaves == NULL) return vc_no_memory(error);
        vc_level_mark_leaves(outer->dimension, &of->levels[member.level], member.member, leaves);
        for (size_t w = 0; w < vc_bits_words(outer->nslots); w++)
            is_there |= (leaves[w] & outer->visible[w]) != 0;
        if (!is_there) return VC_OK;
    }
    vc_coordinate *coordinate = VC_ARENA_NEW(in->in->arena, vc_coordinate, 1);
    vc_str path = vc_member_path(of, member.level, member.member, in->in->arena);
    if (coordinate == NULL || vc_str_is_null(path)) return vc_no_memory(error);
    *coordinate = wanted;
    vc_str text = vc_arena_printf(
        in->in->arena, "%.*s%s%.*s:%.*s", VC_FMT(escape(in->in->arena, outer->name)),
        hierarchy > 0 ? "@" : "", VC_FMT(hierarchy > 0 ? of->name : VC_STR("")), VC_FMT(path));
    vc_member_target target = {.text = text, .coordinates = coordinate, .ncoordinates = 1};
    return vc_str_is_null(text) ? vc_no_memory(error) : add_target(in, target, error);
}

/* The members of a level that have a leaf in the selection. */
static vc_status add_selected(struct bracket *in, const vc_condition *condition, vc_error *error)
{
    vc_coordinate at = {.dimension = in->member->dimension};
    const vc_cube_dimension *outer = &in->in->cube->dimensions[at.dimension];
    const vc_level *levels = outer->dimension->hierarchies[in->member->hierarchy].levels;
    vc_status status = vc_calculated_check_level(in->member, error);
    if (status == VC_OK) status = check_items(in->in, condition, at.dimension, error);
    if (status == VC_OK) status = find_selection(in->in, condition, &at, error);
    if (status != VC_OK) return status;
    const vc_level *level = &levels[in->member->level];
    uint64_t *has = VC_ARENA_NEW(in->in->arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    if (has == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < outer->dimension->nleaves; leaf++)
        if (at.slots == NULL || vc_bit_get(at.slots, leaf))
            vc_bit_set(has, vc_numbers_get(level->leaf_members, leaf));
    for (uint32_t member = 0; member < level->nmembers && status == VC_OK; member++)
        if (vc_bit_get(has, member))
            status =
                add_member(in, in->member->hierarchy,
                           (vc_member_ref){.level = in->member->level, .member = member}, error);
    return status;
}

/* "/children" and "/descendants:level" name their members. */
static vc_status add_relatives(struct bracket *in, unsigned hierarchy, const vc_item *item,
                               vc_error *error)
{
    vc_arena *arena = in->in->arena;
    const vc_dimension *dimension = in->in->cube->dimensions[in->member->dimension].dimension;
    const vc_hierarchy *of = &dimension->hierarchies[hierarchy];
    vc_member_ref start, *found;
    size_t nfound;
    unsigned level = 0;
    bool is_all = item->nkeys == 0;
    vc_status status = is_all ? VC_OK
                              : vc_hierarchy_find_member(dimension, hierarchy, item->keys,
                                                         item->nkeys, arena, &start, error);
    if (status == VC_OK && item->kind == VC_ITEM_CHILDREN) {
        status = vc_member_children(of, is_all ? NULL : &start, arena, &found, &nfound, error);
        for (size_t i = 0; status == VC_OK && i < nfound; i++)
            status = add_member(in, hierarchy, found[i], error);
        return status;
    }
    if (status == VC_OK)
        status = vc_hierarchy_find_level(dimension, hierarchy, item->level, &level, error);
    if (status != VC_OK) return status;
    uint32_t first = 0, end = of->levels[level].nmembers;
    if (!is_all && level <= start.level)
        return vc_fail(error, VC_IMPOSSIBLE, "bad_level", "level '%.*s' is not below '%.*s'",
                       VC_FMT(item->level), VC_FMT(item->keys[item->nkeys - 1]));
    if (!is_all) vc_member_descendants(of, start, level, &first, &end);
    for (uint32_t member = first; member < end && status == VC_OK; member++)
        status =
            add_member(in, hierarchy, (vc_member_ref){.level = level, .member = member}, error);
    return status;
}

static vc_status add_list(struct bracket *in, const vc_condition *condition, vc_str text,
                          vc_error *error);

/* The members of a set are those of its cut. */
static vc_status add_set(struct bracket *in, const vc_item *item, vc_str text, vc_error *error)
{
    const vc_cube_dimension *outer = &in->in->cube->dimensions[in->member->dimension];
    const vc_set_def *set;
    vc_status status = vc_cube_find_set(in->in->cube, outer, item->keys[0], &set, error);
    if (status != VC_OK) return status;
    if (in->depth == SET_DEPTH_MAX)
        return vc_fail(error, VC_BAD_INPUT, "definition_cycle", "member set '#%.*s' needs itself",
                       VC_FMT(set->name));
    if (set->nconditions == 1) {
        in->depth++;
        status = add_list(in, set->conditions[0], text, error);
        in->depth--;
        return status;
    }
    vc_condition both = {.kind = VC_CONDITION_AND,
                         .dimref = set->conditions[0]->dimref,
                         .children = set->conditions,
                         .nchildren = set->nconditions};
    return add_selected(in, &both, error);
}

static vc_status add_item(struct bracket *in, const vc_condition *condition, const vc_item *item,
                          vc_str text, vc_error *error)
{
    vc_condition alone = *condition;
    alone.items = item;
    alone.nitems = 1;
    bool has_level = !vc_str_is_null(condition->dimref.level);
    bool is_relative = item->kind == VC_ITEM_CHILDREN ||
                       (item->kind == VC_ITEM_DESCENDANTS && !vc_str_is_null(item->level));
    unsigned hierarchy;
    const vc_dimension *dimension = in->in->cube->dimensions[in->member->dimension].dimension;
    vc_status status =
        vc_dimension_find_hierarchy(dimension, condition->dimref.hierarchy, &hierarchy, error);
    if (status != VC_OK) return status;
    if (item->kind == VC_ITEM_MEMBER_SET) return add_set(in, item, text, error);
    if (is_relative && !has_level) return add_relatives(in, hierarchy, item, error);
    if (item->kind != VC_ITEM_ALL && !is_single_path(&alone))
        return add_selected(in, &alone, error);
    vc_coordinate at = {0}, *coordinate = VC_ARENA_NEW(in->in->arena, vc_coordinate, 1);
    if (coordinate == NULL) return vc_no_memory(error);
    alone.dimref.dimension = in->member->definition->dim;
    status = find_coordinate(in->in, &alone, &at, error);
    if (status == VC_OK && at.kind == VC_AT_MEMBER)
        return add_member(in, at.hierarchy, at.member, error);
    if (status != VC_OK || is_listed(in, &at)) return status;
    *coordinate = at;
    vc_str own = escape(in->in->arena, in->member->definition->dim);
    vc_str key =
        escape(in->in->arena,
               at.kind == VC_AT_CALCULATED ? in->in->members[at.calculated].name : VC_STR(""));
    if (at.kind == VC_AT_CALCULATED || item->kind == VC_ITEM_ALL)
        text = vc_arena_printf(in->in->arena, "%.*s:%.*s", VC_FMT(own),
                               VC_FMT(item->kind == VC_ITEM_ALL ? VC_STR("()") : key));
    if (vc_str_is_null(text)) return vc_no_memory(error);
    vc_member_target target = {.text = text, .coordinates = coordinate, .ncoordinates = 1};
    return add_target(in, target, error);
}

/* What a condition on the member's own dimension names, one by one. */
static vc_status add_list(struct bracket *in, const vc_condition *condition, vc_str text,
                          vc_error *error)
{
    vc_status status = VC_OK;
    if (condition->kind != VC_CONDITION_ITEMS) return add_selected(in, condition, error);
    for (size_t i = 0; i < condition->nitems && status == VC_OK; i++)
        status = add_item(in, condition, &condition->items[i], text, error);
    return status;
}

static vc_status add_bracket(struct bracket *in, vc_str inner, vc_error *error)
{
    vc_error why = {0};
    vc_str text;
    vc_member_target target;
    size_t own = SIZE_MAX;
    vc_status status = parse_bracket(in, inner, &text, &why);
    vc_condition *const *conditions = in->conditions.items;
    if (status == VC_OK)
        status = vc_calculating_dimension(in->in, conditions[0]->dimref.dimension, &own, &why);
    if (status == VC_OK && in->conditions.count == 1 && own == in->member->dimension) {
        status = add_list(in, conditions[0], text, &why);
    } else if (status == VC_OK) {
        status = find_target(in, text, &target, &why);
        if (status == VC_OK) status = add_target(in, target, &why);
    }
    return status == VC_OK ? VC_OK : fail_bracket(inner, status, &why, error);
}

/* ---- operands ---- */

static vc_status find_aggregate(struct bracket *in, vc_member_operand *out, vc_error *error)
{
    static const char *const names[] = {"avg", "min", "max", "sum", "count"};
    vc_status status = VC_OK;
    size_t at = 0;
    while (at < out->text.size && strchr(" \t\r\n(", out->text.data[at]) == NULL)
        at++;
    vc_str name = {.data = out->text.data, .size = at};
    for (int i = 0; i < 5; i++)
        if (vc_str_is(name, names[i])) out->aggregate = (vc_member_aggregate)i;
    out->is_aggregate = true;
    in->targets = (vc_list){0};
    while (at < out->text.size && status == VC_OK)
        if (out->text.data[at] == '[')
            status = add_bracket(in, take_bracket(out->text, &at), error);
        else
            at++;
    out->targets = in->targets.items;
    out->ntargets = in->targets.count;
    return status;
}

static vc_status find_operand(const struct vc_calculating *calculating, const vc_calculated *member,
                              vc_member_operand *out, vc_error *error)
{
    struct bracket in = {.in = calculating, .member = member};
    if (out->text.data[0] != '[') return find_aggregate(&in, out, error);
    vc_error why = {0};
    size_t at = 0;
    vc_str inner = take_bracket(out->text, &at), text;
    vc_member_target *target = VC_ARENA_NEW(calculating->arena, vc_member_target, 1);
    if (target == NULL) return vc_no_memory(error);
    vc_status status = parse_bracket(&in, inner, &text, &why);
    if (status == VC_OK) status = find_target(&in, text, target, &why);
    out->targets = target;
    out->ntargets = 1;
    return status == VC_OK ? VC_OK : fail_bracket(inner, status, &why, error);
}

vc_status vc_calculated_find_operands(const struct vc_calculating *in, vc_calculated *member,
                                      vc_error *error)
{
    size_t nnames;
    const vc_str *names = vc_expr_names(member->expr, &nnames);
    vc_member_operand *operands = VC_ARENA_NEW(in->arena, vc_member_operand, nnames + 1);
    if (operands == NULL) return vc_no_memory(error);
    member->operands = operands;
    member->noperands = nnames;
    for (size_t i = 0; i < nnames; i++) {
        operands[i].text = names[i];
        vc_status status = find_operand(in, member, &operands[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- the level ---- */

/* The level that an item of the member's hierarchy names; false where it names none. */
static bool level_of_item(const struct bracket *in, const vc_condition *condition,
                          const vc_item *item, unsigned *level_out)
{
    const vc_dimension *dimension = in->in->cube->dimensions[in->member->dimension].dimension;
    unsigned hierarchy = in->member->hierarchy, of;
    vc_member_ref found = {0};
    if (vc_dimension_find_hierarchy(dimension, condition->dimref.hierarchy, &of, NULL) != VC_OK ||
        of != hierarchy)
        return false;
    if (!vc_str_is_null(condition->dimref.level))
        return vc_hierarchy_find_level(dimension, hierarchy, condition->dimref.level, level_out,
                                       NULL) == VC_OK;
    if (item->kind == VC_ITEM_DESCENDANTS && !vc_str_is_null(item->level))
        return vc_hierarchy_find_level(dimension, hierarchy, item->level, level_out, NULL) == VC_OK;
    if (item->kind == VC_ITEM_CHILDREN && item->nkeys == 0) {
        *level_out = 0;
        return true;
    }
    if ((item->kind != VC_ITEM_PATH && item->kind != VC_ITEM_CHILDREN) || item->nkeys == 0 ||
        vc_hierarchy_find_member(dimension, hierarchy, item->keys, item->nkeys, in->in->arena,
                                 &found, NULL) != VC_OK)
        return false;
    *level_out = found.level + (item->kind == VC_ITEM_CHILDREN);
    return *level_out < dimension->hierarchies[hierarchy].nlevels;
}

static bool level_of_condition(struct bracket *in, const vc_condition *condition,
                               unsigned *level_out)
{
    size_t dimension;
    if (vc_calculating_dimension(in->in, condition->dimref.dimension, &dimension, NULL) != VC_OK ||
        dimension != in->member->dimension || condition->kind != VC_CONDITION_ITEMS)
        return false;
    for (size_t i = 0; i < condition->nitems; i++) {
        const vc_item *item = &condition->items[i];
        const vc_cube_dimension *outer = &in->in->cube->dimensions[dimension];
        const vc_set_def *set;
        if (level_of_item(in, condition, item, level_out)) return true;
        if (item->kind != VC_ITEM_MEMBER_SET || in->depth == SET_DEPTH_MAX ||
            vc_cube_find_set(in->in->cube, outer, item->keys[0], &set, NULL) != VC_OK)
            continue;
        for (size_t c = 0; c < set->nconditions; c++) {
            vc_condition of_set = *set->conditions[c];
            of_set.dimref.dimension = condition->dimref.dimension; /* as it is called here */
            in->depth++;
            bool is_found = level_of_condition(in, &of_set, level_out);
            in->depth--;
            if (is_found) return true;
        }
    }
    return false;
}

void vc_calculated_find_level(const struct vc_calculating *calculating, vc_calculated *member)
{
    struct bracket in = {.in = calculating, .member = member};
    size_t nnames;
    const vc_str *names = vc_expr_names(member->expr, &nnames);
    if (!vc_str_is_null(member->definition->level) || member->has_parent) return;
    if (calculating->cube->dimensions[member->dimension]
            .dimension->hierarchies[member->hierarchy]
            .nlevels == 1)
        return;
    for (size_t i = 0; i < nnames; i++)
        for (size_t at = 0; at < names[i].size;) {
            vc_str text;
            if (names[i].data[at] != '[') {
                at++;
                continue;
            }
            if (parse_bracket(&in, take_bracket(names[i], &at), &text, NULL) != VC_OK) continue;
            vc_condition *const *conditions = in.conditions.items;
            for (size_t c = 0; c < in.conditions.count; c++)
                if (level_of_condition(&in, conditions[c], &member->level)) return;
        }
    member->level = VC_NO_LEVEL;
}

vc_status vc_calculated_check_level(const vc_calculated *member, vc_error *error)
{
    if (member->level != VC_NO_LEVEL) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "missing_field",
                   "no member in the expression says at which level '%.*s' stands; give it a "
                   "\"level\" or a \"parent\"",
                   VC_FMT(member->name));
}
