/* The rows of a result, and what its measures are. */
#include "slice/answer.h"

#include <string.h>

struct table { /* what is being filled */
    uint32_t *coords;
    vc_cell *cells;
    uint32_t *grouping;
    size_t nrows;
};

static void add_row(vc_answering *in, struct table *table, const vc_rows *rows, size_t row,
                    uint32_t grouping)
{
    const vc_plan *plan = in->plan;
    for (size_t axis = 0; axis < plan->naxes; axis++)
        table->coords[table->nrows * plan->naxes + axis] =
            (rows->kept >> axis & 1)
                ? in->member_of[axis][vc_rows_group(plan, rows, rows->keys[row], axis)]
                : VC_NONE;
    memcpy(&table->cells[table->nrows * plan->nasked], &rows->cells[row * plan->nmeasures],
           plan->nasked * sizeof *table->cells);
    table->grouping[table->nrows++] = grouping;
}

/* The bit mask of a grouping: the first axis is the highest bit, 1 is rolled up. */
static uint32_t grouping_of(const vc_plan *plan, uint32_t kept)
{
    uint32_t grouping = 0;
    for (size_t axis = 0; axis < plan->naxes; axis++)
        grouping = grouping << 1 | !(kept >> axis & 1);
    return grouping;
}

static vc_status fill_table(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_result *result = in->result;
    size_t nrows = in->nshown;
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->ntotals; i++)
        nrows += in->totals[i]->nrows;
    struct table table = {.coords = VC_ARENA_NEW(in->arena, uint32_t, nrows * plan->naxes + 1),
                          .cells = VC_ARENA_NEW(in->arena, vc_cell, nrows * plan->nasked + 1),
                          .grouping = VC_ARENA_NEW(in->arena, uint32_t, nrows + 1)};
    if (table.coords == NULL || table.cells == NULL || table.grouping == NULL)
        return vc_no_memory(error);
    for (size_t i = 0; i < in->nshown && status == VC_OK; i++) {
        status = vc_plan_look(plan, i, error);
        add_row(in, &table, in->detail, in->order[i], 0);
    }
    result->ndetail_rows = in->nshown;
    for (size_t i = 0; i < in->ntotals; i++)
        for (size_t row = 0; row < in->totals[i]->nrows && status == VC_OK; row++) {
            status = vc_plan_look(plan, row, error);
            add_row(in, &table, in->totals[i], row, grouping_of(plan, in->totals[i]->kept));
        }
    result->nrows = nrows;
    result->coords = table.coords;
    result->cells = table.cells;
    result->grouping = table.grouping;
    result->summary = in->summary->cells;
    result->total_cell_count = in->nfound;
    result->is_truncated = plan->query->offset + in->nshown < in->nfound;
    return status;
}

static vc_status describe_measures(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_result_measure *measures = VC_ARENA_NEW(in->arena, vc_result_measure, plan->nasked + 1);
    if (measures == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nasked; i++) {
        const vc_plan_measure *from = &plan->measures[i];
        measures[i] = (vc_result_measure){
            .name = from->name,
            .label = from->label,
            .unit = from->unit,
            .format = from->format,
            .type = from->type,
            .scale = from->scale,
            .source = from->source_alias,
            .aggregator = from->expr != NULL ? VC_AGG_NONE : from->measure->aggregator,
            .is_calculated = from->expr != NULL};
    }
    in->result->measures = measures;
    in->result->nmeasures = plan->nasked;
    return VC_OK;
}

vc_status vc_answer_table(vc_answering *in, vc_error *error)
{
    vc_status status = describe_measures(in, error);
    return status == VC_OK ? fill_table(in, error) : status;
}
