/* Frames and links, made before the first row: see frame.h. */
#include "slice/calculated.h"
#include "slice/position.h"

#include <string.h>

enum { FRAMES_MAX = 256 };

/* ---- frames ---- */

size_t vc_plan_find_axis(const vc_plan *plan, size_t dimension)
{
    for (size_t i = 0; i < plan->naxes; i++)
        if (plan->axes[i].dimension == dimension) return i;
    return SIZE_MAX;
}

static vc_status set_strides(vc_frame *frame, vc_error *error)
{
    uint64_t ncells = 1;
    for (size_t i = frame->plan->naxes; i-- > 0;) {
        uint32_t ngroups = frame->plan->axes[i].ngroups;
        if (!(frame->grain->kept >> i & 1)) continue;
        frame->strides[i] = ncells;
        if (__builtin_mul_overflow(ncells, (uint64_t)(ngroups > 0 ? ngroups : 1), &ncells) ||
            ncells > UINT64_MAX / 4)
            return vc_fail(error, VC_LIMIT, "limit_cells",
                           "a function over members looks into more than 4.6e18 cells");
    }
    return VC_OK;
}

/* At which calculated member the dimensions stand that are rolled up: the one that is cut to. */
static size_t fixed_of(const vc_plan *plan, size_t dimension)
{
    const vc_selection *selection = &plan->selections[dimension];
    size_t fixed = 0;
    for (size_t i = 0; selection->is_calculated && i < plan->ncalculated; i++)
        if (vc_bit_get(selection->calculated, i)) fixed = fixed == 0 ? i + 1 : VC_FIXED_SEVERAL;
    return fixed;
}

static vc_status init_calculated(vc_frame *frame, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    size_t ndimensions = plan->cube->ndimensions;
    if (plan->ncalculated == 0) return VC_OK;
    frame->fixed = VC_ARENA_NEW(plan->arena, size_t, ndimensions + 1);
    frame->is_replaced = VC_ARENA_NEW(plan->arena, bool, ndimensions + 1);
    frame->replaced = VC_ARENA_NEW(plan->arena, const uint64_t *, ndimensions + 1);
    if (frame->fixed == NULL || frame->is_replaced == NULL || frame->replaced == NULL)
        return vc_no_memory(error);
    for (size_t d = 0; d < ndimensions; d++) {
        size_t axis = vc_plan_find_axis(plan, d);
        if (axis == SIZE_MAX || !(frame->grain->kept >> axis & 1))
            frame->fixed[d] = fixed_of(plan, d);
    }
    return VC_OK;
}

static vc_status new_frame(vc_plan *plan, vc_grain *grain, vc_frame **frame_out, vc_error *error)
{
    size_t ndimensions = plan->cube->ndimensions;
    vc_frame *frame = VC_ARENA_NEW(plan->arena, vc_frame, 1);
    if (frame == NULL) return vc_no_memory(error);
    frame->base = frame->plan = plan;
    frame->grain = grain;
    frame->is_lifted = VC_ARENA_NEW(plan->arena, bool, ndimensions + 1);
    frame->needed = VC_ARENA_NEW(plan->arena, const uint64_t *, ndimensions + 1);
    frame->is_ready = VC_ARENA_NEW(plan->arena, bool, plan->nmeasures + 1);
    frame->links = VC_ARENA_NEW(plan->arena, vc_link *, plan->ncalls + 1);
    if (frame->is_lifted == NULL || frame->needed == NULL || frame->is_ready == NULL ||
        frame->links == NULL)
        return vc_no_memory(error);
    *frame_out = frame;
    return init_calculated(frame, error);
}

static bool same_axis(const vc_axis *a, const vc_axis *b)
{
    return a->dimension == b->dimension && a->stored == b->stored &&
           a->is_collapsed == b->is_collapsed;
}

static bool same_frame(const vc_frame *a, const vc_frame *b)
{
    const vc_plan *plan = a->plan;
    if (a->base != b->base || a->grain->kept != b->grain->kept || plan->naxes != b->plan->naxes)
        return false;
    for (size_t i = 0; i < plan->naxes; i++)
        if ((a->grain->kept >> i & 1) && !same_axis(&plan->axes[i], &b->plan->axes[i]))
            return false;
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        size_t axis = vc_plan_find_axis(plan, d);
        if (a->fixed != NULL &&
            (a->fixed[d] != b->fixed[d] || a->is_replaced[d] != b->is_replaced[d] ||
             a->replaced[d] != b->replaced[d]))
            return false;
        if (a->is_lifted[d] != b->is_lifted[d] || (a->needed[d] == NULL) != (b->needed[d] == NULL))
            return false;
        if (a->needed[d] != NULL &&
            memcmp(a->needed[d], b->needed[d],
                   vc_bits_words(plan->axes[axis].ngroups) * sizeof(uint64_t)) != 0)
            return false;
    }
    return true;
}

/* Lift the cut on a kept axis, and where only some groups are needed, select these. */
static vc_status lift(vc_plan *plan, vc_axis *axis, const uint64_t *needed, vc_error *error)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[axis->dimension];
    vc_selection *selection = &plan->selections[axis->dimension];
    *selection = (vc_selection){.slots = outer->visible};
    vc_selection_measure(outer, selection);
    vc_status status = vc_axis_make(plan, axis, error);
    if (status != VC_OK || needed == NULL) return status;
    uint64_t *slots = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(outer->nslots) + 1);
    if (slots == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < outer->nslots; slot++) {
        uint32_t group = vc_axis_group(axis, slot);
        if ((outer->visible == NULL || vc_bit_get(outer->visible, slot)) && group != VC_NONE &&
            vc_bit_get(needed, group))
            vc_bit_set(slots, slot);
    }
    *selection = (vc_selection){.slots = slots};
    vc_selection_measure(outer, selection);
    return vc_axis_make(plan, axis, error);
}

/* The plan of `from` with one dimension changed. */
static vc_status change_plan(const vc_frame *from, const vc_frame_change *change,
                             vc_plan **plan_out, uint32_t *kept_out, vc_error *error)
{
    size_t ndimensions = from->plan->cube->ndimensions,
           i = vc_plan_find_axis(from->plan, change->dimension);
    vc_plan *plan = VC_ARENA_NEW(from->plan->arena, vc_plan, 1);
    if (plan == NULL) return vc_no_memory(error);
    *plan = *from->plan;
    plan->selections = VC_ARENA_NEW(plan->arena, vc_selection, ndimensions + 1);
    if (plan->selections == NULL) return vc_no_memory(error);
    memcpy(plan->selections, from->plan->selections, ndimensions * sizeof *plan->selections);
    plan->rows_name = vc_arena_printf(plan->arena, "%.*s%.*s", VC_FMT(from->plan->rows_name),
                                      VC_FMT(change->name));
    if (plan->rows_name.data == NULL) return vc_no_memory(error);
    if (i == SIZE_MAX) {
        if (plan->naxes == VC_MAX_AXES)
            return vc_fail(error, VC_LIMIT, "limit_axes",
                           "a function over members of '%.*s' would need one more than the %d "
                           "dimensions that can be drilled",
                           VC_FMT(plan->cube->dimensions[change->dimension].name), VC_MAX_AXES);
        i = plan->naxes++;
    }
    const vc_cube_dimension *outer = &plan->cube->dimensions[change->dimension];
    vc_axis *axis = &plan->axes[i];
    *axis =
        (vc_axis){.dimension = change->dimension,
                  .hierarchy = change->hierarchy,
                  .level = change->level,
                  .is_collapsed = change->is_collapsed,
                  .stored = &outer->dimension->hierarchies[change->hierarchy].levels[change->level],
                  .ref = {.dimension = outer->name}};
    *plan_out = plan;
    *kept_out = from->grain->kept | 1u << i;
    vc_status status = change->is_lifted ? lift(plan, axis, change->needed, error)
                                         : vc_axis_make(plan, axis, error);
    return status == VC_OK ? vc_plan_reallocate(plan, error) : status;
}

/* The plan of `from` with one dimension cut otherwise. It counts as cut, for policies, unless all
 * of it is selected. */
static vc_status replace_cut(const vc_frame *from, const vc_frame_change *change,
                             vc_plan **plan_out, vc_error *error)
{
    const vc_plan *old = from->plan;
    const vc_cube_dimension *outer = &old->cube->dimensions[change->dimension];
    size_t ndimensions = old->cube->ndimensions;
    vc_plan *plan = VC_ARENA_NEW(old->arena, vc_plan, 1);
    vc_selection *selections = VC_ARENA_NEW(old->arena, vc_selection, ndimensions + 1);
    if (plan == NULL || selections == NULL) return vc_no_memory(error);
    *plan = *old;
    memcpy(selections, old->selections, ndimensions * sizeof *selections);
    plan->selections = selections;
    selections[change->dimension] =
        (vc_selection){.is_cut = change->slots != NULL,
                       .slots = change->slots != NULL ? change->slots : outer->visible};
    vc_selection_measure(outer, &selections[change->dimension]);
    plan->rows_name =
        vc_arena_printf(plan->arena, "%.*s%.*s", VC_FMT(old->rows_name), VC_FMT(change->name));
    if (plan->rows_name.data == NULL) return vc_no_memory(error);
    *plan_out = plan;
    return vc_plan_reallocate(plan, error);
}

static void inherit_calculated(const vc_frame *from, const vc_frame_change *change, vc_frame *frame)
{
    size_t ndimensions = frame->plan->cube->ndimensions, d = change->dimension;
    if (frame->fixed == NULL) return;
    size_t all = change->is_kept || change->is_replaced ? 0 : fixed_of(frame->plan, d);
    memcpy(frame->fixed, from->fixed, ndimensions * sizeof *frame->fixed);
    memcpy(frame->is_replaced, from->is_replaced, ndimensions * sizeof *frame->is_replaced);
    memcpy(frame->replaced, from->replaced, ndimensions * sizeof *frame->replaced);
    frame->fixed[d] = change->fixed > 0 ? change->fixed : all;
    frame->is_replaced[d] = change->is_replaced;
    frame->replaced[d] = change->is_replaced ? change->slots : NULL;
}

/* The frame that differs from another one by one dimension; itself when it does not. */
vc_status vc_frame_find(vc_frame *from, const vc_frame_change *change, vc_frame **frame_out,
                        vc_error *error)
{
    vc_plan *root = from->plan->root, *plan = from->plan;
    size_t axis = vc_plan_find_axis(plan, change->dimension), nframes = 0;
    uint32_t kept = from->grain->kept;
    bool is_kept = axis != SIZE_MAX && (kept >> axis & 1);
    vc_status status = VC_OK;
    bool is_moved = change->is_replaced || change->fixed > 0;
    if (!change->is_kept && !is_kept && !is_moved) {
        *frame_out = from;
        return VC_OK;
    }
    if (is_kept && change->is_kept && !change->is_lifted &&
        plan->axes[axis].hierarchy == change->hierarchy &&
        plan->axes[axis].level == change->level &&
        plan->axes[axis].is_collapsed == change->is_collapsed) {
        *frame_out = from;
        return VC_OK;
    }
    if (change->is_kept)
        status = change_plan(from, change, &plan, &kept, error);
    else if (axis != SIZE_MAX)
        kept &= ~(1u << axis);
    if (change->is_replaced) status = replace_cut(from, change, &plan, error);
    vc_frame *frame;
    vc_grain *grain;
    if (status == VC_OK) status = vc_grain_new(plan, kept, &grain, error);
    if (status == VC_OK) status = new_frame(plan, grain, &frame, error);
    if (status != VC_OK) return status;
    bool *is_lifted = VC_ARENA_NEW(root->arena, bool, plan->cube->ndimensions + 1);
    if (is_lifted == NULL) return vc_no_memory(error);
    memcpy(is_lifted, from->is_lifted, plan->cube->ndimensions * sizeof *is_lifted);
    memcpy(frame->needed, from->needed, plan->cube->ndimensions * sizeof *frame->needed);
    is_lifted[change->dimension] |= change->is_lifted;
    frame->needed[change->dimension] = change->needed;
    frame->is_lifted = is_lifted;
    frame->base = from->base;
    inherit_calculated(from, change, frame);
    if (plan == from->plan) frame->finer = from->grain;
    for (vc_frame *known = root->frames; known != NULL; known = known->next, nframes++)
        if (same_frame(known, frame)) {
            *frame_out = known;
            return VC_OK;
        }
    if (nframes == FRAMES_MAX)
        return vc_fail(error, VC_LIMIT, "limit_measures",
                       "the functions over members look into more than %d groupings", FRAMES_MAX);
    frame->next = root->frames;
    root->frames = frame;
    *frame_out = frame;
    return set_strides(frame, error);
}

/* ---- what a call looks into ---- */

/* Does what an expression is computed from go along a dimension? Then no member of it may be left
 * out of the frame. */
static bool goes_along(const vc_plan *plan, size_t measure, const vc_expr *expr, size_t dimension,
                       bool *is_seen)
{
    const vc_plan_measure *of = &plan->measures[measure];
    size_t nnames, ncalls;
    const size_t *names = vc_expr_used_names(expr, &nnames);
    const size_t *used = vc_expr_used_calls(expr, &ncalls), *operands = of->operands;
    const vc_member_call *calls;
    for (size_t i = 0; i < ncalls; i++) {
        size_t n;
        calls = vc_expr_calls(expr, &n);
        if (of->call_dimensions[used[i]] == dimension ||
            goes_along(plan, measure, calls[used[i]].argument, dimension, is_seen))
            return true;
    }
    for (size_t i = 0; i < nnames; i++) {
        size_t operand = operands[names[i]];
        if (plan->measures[operand].expr == NULL || is_seen[operand]) continue;
        is_seen[operand] = true;
        if (goes_along(plan, operand, plan->measures[operand].expr, dimension, is_seen))
            return true;
    }
    return false;
}

/* The hierarchy of a call in a frame: what it names, else what is drilled, else the main one, or
 * the first that has its level. Where that is not the one drilled, members of the two need not be
 * parts of each other, so the call has no value there. */
static vc_status find_hierarchy(const vc_frame *frame, vc_link *link, vc_error *error)
{
    const vc_dimension *dimension = frame->plan->cube->dimensions[link->dimension].dimension;
    const vc_member_call *call = link->call;
    const vc_axis *axis = link->axis == SIZE_MAX ? NULL : &frame->plan->axes[link->axis];
    vc_status status =
        vc_dimension_find_hierarchy(dimension, call->hierarchy, &link->hierarchy, error);
    if (status != VC_OK) return status;
    if (axis != NULL && call->hierarchy.data == NULL) link->hierarchy = axis->hierarchy;
    bool is_found =
        call->level.data == NULL || vc_hierarchy_find_level(dimension, link->hierarchy, call->level,
                                                            &link->level, NULL) == VC_OK;
    for (unsigned h = 0; h < dimension->nhierarchies && !is_found; h++)
        if (vc_hierarchy_find_level(dimension, h, call->level, &link->level, NULL) == VC_OK) {
            link->hierarchy = h;
            is_found = true;
        }
    link->is_foreign = axis != NULL && axis->hierarchy != link->hierarchy;
    return VC_OK;
}

static uint32_t *new_targets(const vc_frame *frame, size_t ntargets, vc_error *error)
{
    uint32_t *targets = vc_arena_alloc(frame->plan->arena, (ntargets + 1) * sizeof *targets);
    if (targets == NULL)
        vc_no_memory(error);
    else
        memset(targets, 0xFF, (ntargets + 1) * sizeof *targets);
    return targets;
}

/* The bucket that a synthetic group of an axis is in; is_itself_out: or is. */
static size_t bucket_of(const vc_plan *plan, const vc_axis *axis, uint32_t group,
                        bool *is_itself_out)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[axis->dimension];
    for (size_t b = 0; b < outer->nbuckets; b++) {
        const vc_bucket *bucket = &outer->buckets[b];
        if (bucket->first == bucket->end) continue;
        uint32_t first = vc_axis_group(axis, bucket->first);
        uint32_t last = vc_axis_group(axis, bucket->end - 1);
        if (group < first || group > last) continue;
        *is_itself_out =
            !bucket->has_members ||
            vc_str_equal(axis->synthetic_keys[first - axis->stored->nmembers], bucket->key);
        return b;
    }
    *is_itself_out = true;
    return 0;
}

static vc_str describe(const vc_frame *frame, const vc_link *link, const char *what, vc_str level)
{
    return vc_arena_printf(frame->plan->arena, ", %s %.*s%s%.*s", what,
                           VC_FMT(frame->plan->cube->dimensions[link->dimension].name),
                           level.size > 0 ? ":" : "", VC_FMT(level));
}

/* ---- parent and share ---- */

/* The frame one or more levels up, or of All. Made when a group first needs it. */
static vc_status find_above(vc_frame *frame, const vc_link *link, vc_position parent,
                            vc_frame **frames, vc_frame **frame_out, vc_error *error)
{
    const vc_axis *axis = &frame->plan->axes[link->axis];
    vc_frame_change change = {.dimension = link->dimension, .hierarchy = axis->hierarchy};
    if (parent.member != VC_NONE) {
        const vc_level *levels = frame->plan->cube->dimensions[link->dimension]
                                     .dimension->hierarchies[axis->hierarchy]
                                     .levels;
        change.is_kept = change.is_collapsed = true;
        change.level = parent.level;
        change.name = describe(frame, link, "parents in", levels[parent.level].name);
    }
    vc_frame **known = &frames[parent.member == VC_NONE ? VC_MAX_LEVELS : parent.level];
    vc_status status = *known == NULL ? vc_frame_find(frame, &change, known, error) : VC_OK;
    *frame_out = *known;
    return status;
}

/* The parent of a group: a member above that is not hidden, a bucket, or All (VC_NONE). */
static vc_position parent_of(const vc_frame *frame, const vc_axis *axis, uint32_t group)
{
    const vc_hierarchy *hierarchy =
        &frame->plan->cube->dimensions[axis->dimension].dimension->hierarchies[axis->hierarchy];
    vc_member_ref member = {.level = axis->level, .member = group}, above;
    vc_position parent = {.hierarchy = axis->hierarchy, .member = VC_NONE};
    bool is_itself;
    if (group < axis->stored->nmembers && vc_member_parent(hierarchy, member, &above)) {
        parent.level = above.level;
        parent.member = above.member;
    } else if (group >= axis->stored->nmembers) {
        size_t bucket = bucket_of(frame->plan, axis, group, &is_itself);
        parent.level = 0; /* on which a bucket stands, wherever its members are shown */
        if (!is_itself) parent.member = (uint32_t)bucket; /* its group depends on the frame */
    }
    return parent;
}

static vc_status link_parent(vc_frame *frame, vc_link *link, vc_error *error)
{
    if (link->axis == SIZE_MAX) return VC_OK;
    const vc_axis *axis = &frame->plan->axes[link->axis];
    const vc_bucket *buckets = frame->plan->cube->dimensions[link->dimension].buckets;
    vc_frame *known[VC_MAX_LEVELS + 1] = {NULL};
    uint32_t *targets = new_targets(frame, axis->ngroups, error);
    vc_frame **frames = VC_ARENA_NEW(frame->plan->arena, vc_frame *, axis->ngroups + 1);
    vc_status status = VC_OK;
    if (targets == NULL || frames == NULL) return vc_no_memory(error);
    for (uint32_t group = axis->first_visible; group < axis->end_visible && status == VC_OK;
         group++) {
        if (!vc_bit_get(axis->visible, group)) continue;
        vc_position parent = parent_of(frame, axis, group);
        status = find_above(frame, link, parent, known, &frames[group], error);
        targets[group] = parent.member;
        if (status == VC_OK && parent.member != VC_NONE && group >= axis->stored->nmembers)
            targets[group] =
                vc_axis_group(&frames[group]->plan->axes[link->axis], buckets[parent.member].first);
    }
    for (size_t i = 0; axis->is_shown != NULL && i < axis->ncalculated && status == VC_OK; i++) {
        const vc_calculated *member = &frame->plan->calculated[axis->calculated[i]];
        vc_position parent = {.hierarchy = axis->hierarchy, .member = VC_NONE};
        if (member->has_parent) parent.level = member->parent.level;
        if (member->has_parent) parent.member = member->parent.member;
        if (!axis->is_shown[i]) continue;
        status = find_above(frame, link, parent, known, &frames[axis->first_calculated + i], error);
        targets[axis->first_calculated + i] = parent.member;
    }
    link->targets = targets;
    link->parents = (vc_frame *const *)frames;
    for (unsigned i = 0; i <= VC_MAX_LEVELS && status == VC_OK; i++)
        if (known[i] != NULL)
            status = vc_frame_need_expr(known[i], link->measure, link->call->argument, error);
    return status;
}

/* ---- previous and growth ---- */

/* The groups of an axis in order, of members that the cube has, cut or not. */
static vc_status find_order(const vc_frame *frame, const vc_axis *axis, uint32_t **order_out,
                            uint32_t *norder_out, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    const vc_cube_dimension *outer = &plan->cube->dimensions[axis->dimension];
    uint64_t *has = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    uint32_t *order = new_targets(frame, axis->ngroups, error), norder = 0;
    if (order == NULL || has == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < outer->nslots; slot++) {
        uint32_t group = vc_axis_group(axis, slot);
        if (group != VC_NONE && (outer->visible == NULL || vc_bit_get(outer->visible, slot)))
            vc_bit_set(has, group);
    }
    for (uint32_t group = 0; group < axis->ngroups; group++)
        if (vc_bit_get(has, group)) order[norder++] = group;
    *order_out = order;
    *norder_out = norder;
    return VC_OK;
}

/* An axis at the one member that the cut leaves of a dimension which is rolled up. */
static vc_status axis_at_position(vc_frame *frame, const vc_link *link, vc_axis *axis,
                                  uint32_t *member_out, bool *is_found_out, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    const vc_dimension *dimension = plan->cube->dimensions[link->dimension].dimension;
    int wanted = link->call->hierarchy.data == NULL ? -1 : (int)link->hierarchy;
    vc_position position;
    *is_found_out = vc_plan_position(plan, link->dimension, wanted, &position);
    if (!*is_found_out) return VC_OK;
    *axis = (vc_axis){.dimension = link->dimension,
                      .hierarchy = position.hierarchy,
                      .level = position.level,
                      .stored = &dimension->hierarchies[position.hierarchy].levels[position.level],
                      .ref = {.dimension = plan->cube->dimensions[link->dimension].name}};
    *member_out = position.member;
    return vc_axis_make(frame->plan, axis, error);
}

static vc_status link_previous(vc_frame *frame, vc_link *link, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    vc_axis at;
    const vc_axis *axis = &at;
    uint32_t member = 0, norder, *order, back = link->call->count;
    bool is_drilled = link->axis != SIZE_MAX, is_found = true;
    vc_status status = VC_OK;
    if (is_drilled)
        axis = &plan->axes[link->axis];
    else
        status = axis_at_position(frame, link, &at, &member, &is_found, error);
    if (status == VC_OK && is_found) status = find_order(frame, axis, &order, &norder, error);
    uint32_t *targets = new_targets(frame, is_drilled ? axis->ngroups : 1, error);
    if (targets == NULL) return VC_NO_MEMORY;
    link->targets = targets;
    if (status != VC_OK || !is_found) return status;
    uint64_t *needed = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    bool *is_seen = VC_ARENA_NEW(plan->arena, bool, plan->nmeasures + 1);
    if (needed == NULL || is_seen == NULL) return vc_no_memory(error);
    for (uint32_t place = back; place < norder; place++) {
        uint32_t group = order[place], before = order[place - back];
        bool is_asked = is_drilled ? vc_bit_get(axis->visible, group) : group == member;
        if (!is_asked) continue;
        targets[is_drilled ? group : 0] = before;
        vc_bit_set(needed, before);
    }
    vc_frame_change change = {.dimension = link->dimension,
                              .is_kept = true,
                              .hierarchy = axis->hierarchy,
                              .level = axis->level,
                              .is_collapsed = axis->is_collapsed,
                              .is_lifted = true,
                              .name = describe(frame, link, "previous in", axis->stored->name)};
    if (!goes_along(plan, link->measure, link->call->argument, link->dimension, is_seen))
        change.needed = needed;
    status = vc_frame_find(frame, &change, &link->other, error);
    if (status == VC_OK) link->other_axis = vc_plan_find_axis(link->other->plan, link->dimension);
    return status;
}

/* ---- windows ---- */

/* The window of each group: all in one, or those under one member of a level. At that level and
 * above it each group is alone. */
static vc_status link_running(vc_frame *frame, vc_link *link, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    unsigned level = link->level;
    if (link->axis == SIZE_MAX) return VC_OK;
    const vc_axis *axis = &plan->axes[link->axis];
    uint32_t *windows = new_targets(frame, axis->ngroups, error);
    if (windows == NULL) return VC_NO_MEMORY;
    link->targets = windows;
    const vc_level *levels =
        plan->cube->dimensions[link->dimension].dimension->hierarchies[axis->hierarchy].levels;
    for (uint32_t group = 0; group < axis->ngroups; group++) {
        bool is_itself;
        windows[group] = 0;
        if (link->call->level.data == NULL) continue;
        windows[group] = group;
        if (group >= axis->stored->nmembers) /* behind all members: by bucket */
            windows[group] = levels[level].nmembers + axis->stored->nmembers +
                             (uint32_t)bucket_of(plan, axis, group, &is_itself);
        else
            for (unsigned l = axis->level; l > level; l--)
                windows[group] = vc_numbers_get(levels[l].parents, windows[group]);
    }
    return VC_OK;
}

static vc_status link_moving(vc_frame *frame, vc_link *link, vc_error *error)
{
    if (link->axis == SIZE_MAX) return VC_OK;
    const vc_axis *axis = &frame->plan->axes[link->axis];
    uint32_t *places = new_targets(frame, axis->ngroups, error), *order;
    if (places == NULL) return VC_NO_MEMORY;
    vc_status status = find_order(frame, axis, &order, &link->norder, error);
    if (status != VC_OK) return status;
    for (uint32_t place = 0; place < link->norder; place++)
        places[order[place]] = place;
    link->targets = places;
    link->order = order;
    return VC_OK;
}

/* ---- agg_over ---- */

/* The group of the frame's axis that a group of a lower level is part of. */
static void find_wholes(const vc_plan *plan, const vc_axis *axis, const vc_axis *lower,
                        uint32_t *wholes)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[axis->dimension];
    const vc_level *levels = outer->dimension->hierarchies[axis->hierarchy].levels;
    for (uint32_t group = 0; group < lower->stored->nmembers; group++) {
        wholes[group] = group;
        for (unsigned l = lower->level; l > axis->level; l--)
            wholes[group] = vc_numbers_get(levels[l].parents, wholes[group]);
    }
    for (uint32_t slot = outer->dimension->nleaves; slot < outer->nslots; slot++)
        wholes[vc_axis_group(lower, slot)] = vc_axis_group(axis, slot);
}

static vc_status link_aggregate(vc_frame *frame, vc_link *link, vc_error *error)
{
    const vc_axis *axis = link->axis == SIZE_MAX ? NULL : &frame->plan->axes[link->axis];
    if (axis != NULL && axis->level > link->level)
        return VC_OK; /* nothing below: `other` stays NULL */
    vc_frame_change change = {.dimension = link->dimension,
                              .is_kept = true,
                              .hierarchy = link->hierarchy,
                              .level = link->level,
                              .is_collapsed = axis != NULL && axis->is_collapsed,
                              .name = describe(frame, link, "members of", link->call->level)};
    vc_status status = vc_frame_find(frame, &change, &link->other, error);
    if (status != VC_OK) return status;
    link->other_axis = vc_plan_find_axis(link->other->plan, link->dimension);
    const vc_axis *lower = &link->other->plan->axes[link->other_axis];
    uint32_t *wholes = new_targets(frame, lower->ngroups, error);
    if (wholes == NULL) return VC_NO_MEMORY;
    if (axis != NULL)
        find_wholes(frame->plan, axis, lower, wholes);
    else
        memset(wholes, 0, lower->ngroups * sizeof *wholes);
    link->targets = wholes;
    return VC_OK;
}

/* ---- links ---- */

/* Is the argument read at cells of the frame itself? */
static bool reads_itself(const vc_link *link)
{
    switch (link->call->function) {
    case VC_MEMBER_PARENT:
    case VC_MEMBER_PREVIOUS:
    case VC_MEMBER_AGG_OVER: return false;
    default: return true;
    }
}

static vc_status make_link(vc_frame *frame, size_t measure, size_t number, vc_error *error)
{
    const vc_plan_measure *of = &frame->plan->measures[measure];
    vc_link **place = &frame->links[of->first_call + number];
    size_t ncalls;
    if (*place != NULL) return VC_OK;
    vc_link *link = VC_ARENA_NEW(frame->plan->arena, vc_link, 1);
    if (link == NULL) return vc_no_memory(error);
    *place = link;
    *link = (vc_link){.call = &vc_expr_calls(of->expr, &ncalls)[number],
                      .measure = measure,
                      .dimension = of->call_dimensions[number]};
    link->axis = vc_plan_find_axis(frame->plan, link->dimension);
    if (link->axis != SIZE_MAX && !(frame->grain->kept >> link->axis & 1)) link->axis = SIZE_MAX;
    vc_status status = find_hierarchy(frame, link, error);
    if (status != VC_OK || link->is_foreign) return status;
    switch (link->call->function) {
    case VC_MEMBER_PARENT:
    case VC_MEMBER_SHARE: status = link_parent(frame, link, error); break;
    case VC_MEMBER_PREVIOUS:
    case VC_MEMBER_GROWTH: status = link_previous(frame, link, error); break;
    case VC_MEMBER_RUNNING: status = link_running(frame, link, error); break;
    case VC_MEMBER_MOVING_AVG: status = link_moving(frame, link, error); break;
    case VC_MEMBER_RANK: break;
    case VC_MEMBER_AGG_OVER: status = link_aggregate(frame, link, error); break;
    }
    const vc_expr *argument = link->call->argument;
    if (status == VC_OK && reads_itself(link))
        status = vc_frame_need_expr(frame, measure, argument, error);
    if (status == VC_OK && link->other != NULL)
        status = vc_frame_need_expr(link->other, measure, argument, error);
    return status;
}

/* Are all cells of the frame at calculated members? Then none is read. */
static bool is_fixed(const vc_frame *frame)
{
    for (size_t d = 0; frame->fixed != NULL && d < frame->plan->cube->ndimensions; d++)
        if (frame->fixed[d] > 0) return true;
    return false;
}

vc_status vc_frame_need_measure(vc_frame *frame, size_t measure, vc_error *error)
{
    const vc_plan_measure *of = &frame->plan->measures[measure];
    if (frame->is_ready[measure]) return VC_OK;
    frame->is_ready[measure] = true;
    if (of->expr == NULL && frame->plan->ncalculated > 0) {
        vc_status status = vc_calculated_need(frame, measure, NULL, error);
        if (status != VC_OK || is_fixed(frame)) return status;
    }
    if (of->expr == NULL) {
        vc_status status = vc_plan_check_parts(frame->plan, measure, error);
        if (status != VC_OK) return status;
        return vc_grain_need(frame->grain, measure, frame->finer, error);
    }
    return vc_frame_need_expr(frame, measure, of->expr, error);
}

struct vc_ready {
    struct vc_ready *next;
    size_t measure; /* several may have one expression, with operands of their own */
    const vc_expr *expr;
};

/* Remember that an expression is ready; is it already? */
static vc_status get_ready(vc_frame *frame, size_t measure, const vc_expr *expr, bool *was_ready,
                           vc_error *error)
{
    for (const struct vc_ready *ready = frame->ready; ready != NULL; ready = ready->next)
        if (ready->expr == expr && ready->measure == measure) {
            *was_ready = true;
            return VC_OK;
        }
    struct vc_ready *ready = VC_ARENA_NEW(frame->plan->arena, struct vc_ready, 1);
    if (ready == NULL) return vc_no_memory(error);
    *ready = (struct vc_ready){.next = frame->ready, .measure = measure, .expr = expr};
    frame->ready = ready;
    *was_ready = false;
    return VC_OK;
}

/* Scan and link what an expression reads at cells of the frame. */
vc_status vc_frame_need_expr(vc_frame *frame, size_t measure, const vc_expr *expr, vc_error *error)
{
    const vc_plan_measure *of = &frame->plan->measures[measure];
    size_t nnames, ncalls;
    const size_t *names = vc_expr_used_names(expr, &nnames);
    const size_t *calls = vc_expr_used_calls(expr, &ncalls);
    bool was_ready;
    vc_status status = get_ready(frame, measure, expr, &was_ready, error);
    if (status != VC_OK || was_ready) return status;
    for (size_t i = 0; i < nnames && status == VC_OK; i++)
        status = vc_frame_need_measure(frame, of->operands[names[i]], error);
    for (size_t i = 0; i < ncalls && status == VC_OK; i++)
        status = make_link(frame, measure, calls[i], error);
    if (status == VC_OK && frame->plan->ncalculated > 0)
        status = vc_calculated_need(frame, measure, expr, error);
    return status;
}

vc_status vc_frame_of_rows(vc_plan *plan, vc_grain *grain, vc_frame **frame_out, vc_error *error)
{
    vc_status status = new_frame(plan, grain, frame_out, error);
    if (status == VC_OK) status = set_strides(*frame_out, error);
    for (size_t m = 0; m < plan->nmeasures && status == VC_OK; m++)
        status = vc_frame_need_measure(*frame_out, m, error);
    return status;
}

void vc_frames_release(vc_plan *plan)
{
    for (vc_frame *frame = plan->frames; frame != NULL; frame = frame->next)
        vc_grain_release(frame->grain);
    plan->frames = NULL;
}
