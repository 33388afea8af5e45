/* Lineage for people: the value, what each source was asked, and of what it is made. */
#include "render/lineage.h"

#include "render/facts.h"
#include "render/notices.h"
#include "render/parts.h"

struct telling {
    vc_buffer *out;
    bool is_coloured;
};

static void put_bold(const struct telling *in, vc_str text)
{
    vc_buffer_put_text(in->out, in->is_coloured ? "\x1b[1m" : "");
    vc_put_safe(in->out, text);
    vc_buffer_put_text(in->out, in->is_coloured ? "\x1b[0m" : "");
}

static void put_number(const struct telling *in, vc_value_type type, unsigned scale,
                       const vc_cell *cell)
{
    vc_result_measure measure = {.type = type, .scale = scale};
    if (cell->is_null)
        vc_buffer_put_text(in->out, "\xE2\x80\x93"); /* an en dash */
    else
        vc_put_plain_number(in->out, &measure, cell);
}

static void put_double(const struct telling *in, double value)
{
    put_number(in, VC_VALUE_FLOAT, 0, &(vc_cell){.as.f = value});
}

static void put_count(const struct telling *in, uint64_t count, const char *one, const char *many)
{
    char text[VC_NUMBER_TEXT];
    size_t size = vc_format_count(text, count);
    vc_buffer_printf(in->out, "%.*s %s", (int)size, text, count == 1 ? one : many);
}

static void put_value(const struct telling *in, vc_value_type type, unsigned scale, vc_str unit,
                      const vc_cell *cell)
{
    put_number(in, type, scale, cell);
    if (unit.size > 0 && !cell->is_null) {
        vc_buffer_put_char(in->out, ' ');
        vc_put_safe(in->out, unit);
    }
    if (cell->reason != 0)
        vc_buffer_printf(in->out, "  (%c: %s)", cell->reason, vc_reason_words(cell->reason));
}

static void put_member(const struct telling *in, vc_str key, vc_str label)
{
    if (vc_str_is_null(key))
        vc_buffer_put_text(in->out, "(null)");
    else
        vc_put_safe(in->out, key);
    if (label.size == 0 || vc_str_equal(key, label)) return;
    vc_buffer_put_text(in->out, " (");
    vc_put_safe(in->out, label);
    vc_buffer_put_char(in->out, ')');
}

static void put_rest(const struct telling *in, uint64_t rest, const char *between)
{
    if (rest == 0) return;
    vc_buffer_put_text(in->out, between);
    vc_buffer_put_text(in->out, "and ");
    put_count(in, rest, "more", "more");
}

/* "FRA (France), DEU (Germany), and 3 more"; of tuples "SK, 1992; SK, 1993; and 3 more" */
static void put_members(const struct telling *in, const vc_lineage_members *members)
{
    enum { MOST = 5 };
    size_t n = members->nitems < MOST ? members->nitems : MOST;
    const char *between = ", ";
    for (size_t i = 0; i < n; i++)
        if (vc_str_contains(members->items[i].key, VC_STR(", "))) between = "; ";
    for (size_t i = 0; i < n; i++) {
        if (i > 0) vc_buffer_put_text(in->out, between);
        put_member(in, members->items[i].key, members->items[i].label);
    }
    if (n > 0)
        put_rest(in, members->count - n, between);
    else
        put_count(in, members->count, "member", "members");
}

/* ---- a dimension ---- */

static void put_links(const struct telling *in, const vc_lineage_dimension *dimension)
{
    enum { MOST = 3 };
    size_t n = dimension->nlisted < MOST ? dimension->nlisted : MOST;
    for (size_t i = 0; i < n; i++) {
        const vc_lineage_link *link = &dimension->links[i];
        vc_buffer_put_text(in->out, "        ");
        put_member(in, link->from, (vc_str){0});
        if (link->from_key.size > 0) {
            vc_buffer_put_text(in->out, " \"");
            vc_put_safe(in->out, link->from_key);
            vc_buffer_put_char(in->out, '"');
        }
        vc_buffer_put_text(in->out, " -> ");
        if (link->to_key.size > 0) {
            vc_buffer_put_char(in->out, '"');
            vc_put_safe(in->out, link->to_key);
            vc_buffer_put_text(in->out, "\" ");
        }
        put_member(in, link->to, (vc_str){0});
        if (link->weight != 1) {
            vc_buffer_put_text(in->out, "  weight ");
            vc_buffer_put_double(in->out, link->weight);
        }
        vc_buffer_put_char(in->out, '\n');
    }
    if (dimension->nlinks <= n) return;
    vc_buffer_put_text(in->out, "        ... and ");
    put_count(in, dimension->nlinks - n, "more row of the mapping\n", "more rows of the mapping\n");
}

static void put_dimension(const struct telling *in, const vc_lineage_dimension *dimension)
{
    bool is_mapped = dimension->links != NULL;
    if (!is_mapped && !dimension->is_cut && dimension->reason == 0) return;
    vc_buffer_put_text(in->out, "    ");
    vc_put_safe(in->out, dimension->name);
    vc_buffer_put_text(in->out, ": ");
    if (dimension->is_cut)
        put_members(in, &dimension->selected);
    else
        vc_buffer_put_text(in->out, "all");
    if (dimension->policy != NULL)
        vc_buffer_printf(in->out, "; the source does not have it, policy %s%s%.*s",
                         dimension->policy, dimension->stands.size > 0 ? " at " : "",
                         VC_FMT(dimension->stands));
    if (is_mapped) {
        vc_buffer_put_text(in->out, " -> ");
        vc_put_safe(in->out, dimension->to_name);
        vc_buffer_put_text(in->out, ": ");
        put_members(in, &dimension->translated);
        if (dimension->through.size > 0) {
            vc_buffer_put_text(in->out, ", by ");
            vc_put_safe(in->out, dimension->through);
        }
        if (dimension->level.size > 0) {
            vc_buffer_put_text(in->out, ", at ");
            vc_put_safe(in->out, dimension->level);
        }
    }
    if (dimension->reason != 0) vc_buffer_printf(in->out, " (%c)", dimension->reason);
    vc_buffer_put_char(in->out, '\n');
    if (is_mapped) put_links(in, dimension);
}

/* ---- parts ---- */

static void put_part_value(const struct telling *in, const vc_lineage_source *source,
                           const vc_lineage_part *part, bool is_rest)
{
    bool is_weighed = source->has_weights && !part->value.is_null && part->weight != 1;
    if (!source->has_weights || !is_rest)
        put_number(in, source->part_type, source->part_scale, &part->value);
    else
        put_double(in, part->counts_for);
    if (is_weighed) {
        vc_buffer_put_text(in->out, " x ");
        vc_buffer_put_double(in->out, part->weight);
        vc_buffer_put_text(in->out, " = ");
        put_double(in, part->counts_for);
    }
    vc_buffer_put_text(in->out, "  from ");
    put_count(in, part->facts, "fact", "facts");
    vc_buffer_put_char(in->out, '\n');
}

static void put_parts(const struct telling *in, const vc_lineage_source *source)
{
    if (source->nparts > 0) {
        vc_buffer_put_text(in->out, "    made of ");
        put_count(in, source->nparts, "part", "parts");
        for (size_t i = 0; i < source->nby; i++) {
            vc_buffer_put_text(in->out, i == 0 ? ", by " : ", ");
            vc_put_safe(in->out, source->by[i]);
        }
        vc_buffer_put_text(in->out, ":\n");
    }
    for (size_t p = 0; p < source->nlisted; p++) {
        const vc_lineage_part *part = &source->parts[p];
        vc_buffer_put_text(in->out, "        ");
        for (size_t i = 0; i < source->nby; i++) {
            vc_buffer_put_text(in->out, i == 0 ? "" : ", ");
            put_member(in, part->keys[i], part->labels[i]);
        }
        vc_buffer_put_text(in->out, source->nby == 0 ? "all: " : ": ");
        put_part_value(in, source, part, false);
    }
    if (source->nparts > source->nlisted) {
        vc_buffer_put_text(in->out, "        ");
        put_count(in, source->nparts - source->nlisted, "other: ", "others: ");
        put_part_value(in, source, &source->rest, true);
    }
    if (source->nparts == 0) return;
    vc_buffer_printf(in->out, "    %s", source->putting);
    if (source->is_checked && source->from_facts)
        vc_buffer_put_text(in->out, "; computed again, fact by fact");
    if (source->is_checked)
        vc_buffer_put_text(in->out, source->adds_up ? ": that is the value, checked"
                                                    : ": that is NOT the value");
    else if (source->nfacts > VC_LINEAGE_FACTS)
        vc_buffer_put_text(in->out, "; not checked: too many facts");
    else
        vc_buffer_put_text(in->out, "; not checked");
    vc_buffer_put_char(in->out, '\n');
}

static void put_source(const struct telling *in, const vc_lineage_source *source)
{
    vc_buffer_put_text(in->out, "\n  ");
    put_bold(in, source->measure);
    vc_buffer_put_text(in->out, " = ");
    put_value(in, source->type, source->scale, source->unit, &source->cell);
    vc_buffer_printf(in->out, "\n    %s of ", vc_aggregator_name(source->aggregator));
    put_count(in, source->nfacts, "fact of ", "facts of ");
    vc_put_safe(in->out, source->source);
    if (!vc_str_equal(source->source, source->cube)) {
        vc_buffer_put_text(in->out, " (");
        vc_put_safe(in->out, source->cube);
        vc_buffer_put_char(in->out, ')');
    }
    if (source->over_word != NULL) {
        vc_buffer_printf(in->out, "; over %.*s: %s", VC_FMT(source->over), source->over_word);
    }
    vc_buffer_put_char(in->out, '\n');
    if (source->where.size > 0) {
        vc_buffer_put_text(in->out, "    only facts where ");
        vc_put_safe(in->out, source->where);
        vc_buffer_put_char(in->out, '\n');
    }
    for (size_t i = 0; i < source->nfixes; i++) {
        vc_buffer_put_text(in->out, "    fixed: ");
        vc_put_safe(in->out, source->fixes[i].name);
        vc_buffer_put_text(in->out, ": ");
        put_members(in, &source->fixes[i].members);
        vc_buffer_put_char(in->out, '\n');
    }
    for (size_t i = 0; i < source->ndimensions; i++)
        put_dimension(in, &source->dimensions[i]);
    put_parts(in, source);
}

static void put_calculated(struct telling *in, const vc_lineage *lineage)
{
    const vc_lineage_calculated *calculated = lineage->calculated;
    vc_buffer_put_text(in->out, "  ");
    vc_put_safe(in->out, calculated->dimension);
    vc_buffer_put_char(in->out, ':');
    vc_put_safe(in->out, calculated->name);
    vc_buffer_put_text(in->out, " is calculated: ");
    vc_put_safe(in->out, calculated->expr);
    vc_buffer_put_char(in->out, '\n');
    for (size_t i = 0; i < calculated->nlisted; i++) {
        vc_buffer_put_text(in->out, "    ");
        vc_put_safe(in->out, calculated->places[i].cut);
        vc_buffer_put_text(in->out, " = ");
        put_value(in, lineage->type, lineage->scale, calculated->unit, &calculated->places[i].cell);
        vc_buffer_put_char(in->out, '\n');
    }
    if (calculated->nplaces > calculated->nlisted)
        vc_buffer_printf(in->out, "    and %llu more\n",
                         (unsigned long long)(calculated->nplaces - calculated->nlisted));
    vc_buffer_put_text(in->out, calculated->adds_up
                                    ? "    asked by themselves they are the same\n"
                                    : "    asked by themselves they are NOT the same\n");
}

void vc_lineage_put_text(vc_buffer *out, const vc_lineage *lineage, bool is_coloured)
{
    struct telling in = {.out = out, .is_coloured = is_coloured};
    put_bold(&in, lineage->measure);
    vc_buffer_put_text(out, " = ");
    put_value(&in, lineage->type, lineage->scale, lineage->unit, &lineage->cell);
    vc_buffer_put_char(out, '\n');
    if (lineage->expr.size > 0) {
        vc_buffer_put_text(out, "  ");
        vc_put_safe(out, lineage->expr);
        vc_buffer_put_char(out, '\n');
    }
    if (lineage->calculated != NULL) put_calculated(&in, lineage);
    for (size_t i = 0; i < lineage->noperands; i++) {
        const vc_lineage_operand *operand = &lineage->operands[i];
        vc_buffer_put_text(out, "  ");
        vc_put_safe(out, operand->name);
        vc_buffer_put_text(out, " = ");
        put_value(&in, operand->type, operand->scale, (vc_str){0}, &operand->cell);
        vc_buffer_put_char(out, '\n');
    }
    for (size_t i = 0; i < lineage->nsources; i++)
        put_source(&in, &lineage->sources[i]);
    for (size_t i = 0; i < lineage->nnotices; i++) {
        vc_buffer_put_text(out, i == 0 ? "\nnote: " : "note: ");
        vc_notice_put_text(out, &lineage->notices[i]);
        vc_buffer_put_char(out, '\n');
    }
}
