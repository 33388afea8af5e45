/* T of the groups of each dimension as SQL, and why it is empty. */
#include "tests/slice/sql_parts.h"

#include <stdio.h>

enum sql_form sql_form_of(const struct sql *sql, const struct sql_node *node, unsigned d)
{
    const struct sql_place *place = &sql->sources[node->source].places[d];
    const struct world_measure *stored = node->stored;
    bool is_over = stored->over != VC_OVER_NONE && stored->over_dimension == place->of;
    if (!place->is_relation) return FORM_SET;
    bool has_mode = place->mode == VC_MODE_WEIGHTED ? !node->is_mode_set
                    : place->mode == VC_MODE_LOOKUP ? !is_over
                                                    : false;
    if (has_mode) return FORM_MODE;
    /* Whole facts of a weighted join have no parts. */
    if (place->finer == VC_FINER_ALLOCATE && place->mode == VC_MODE_WEIGHTED) return FORM_SET;
    return place->finer != VC_FINER_NULL ? FORM_FINER : FORM_SET;
}

struct translating {
    struct sql_question *in;
    unsigned s, d;
    int axis;
    const struct sql_place *place;
    char group[16]; /* of a row of x */
};

/* The source has the dimension itself. */
static void translate_own(const struct translating *at)
{
    unsigned s = at->s, d = at->d;
    if (at->place->is_united) { /* nothing is unmatched there */
        RUN(at->in,
            "INSERT INTO t(s, d, k, q, g) SELECT %u, %u, 0, leaf, %s FROM x%u x JOIN pick p USING "
            "(slot) JOIN m%u_%u USING (slot) WHERE p.d = %u",
            s, d, at->group, d, s, d, d);
        return;
    }
    bool has_place =
        at->in->is_cut[d] || at->axis >= 0 || at->in->sql->dimensions[d].stored->nleaves > 0;
    RUN(at->in,
        "INSERT INTO t(s, d, k, q, g) SELECT %u, %u, 0, slot, %s FROM x%u x JOIN pick p USING "
        "(slot) WHERE p.d = %u AND NOT syn",
        s, d, at->group, d, d);
    RUN(at->in,
        "INSERT INTO why(s, d, k, g, r) SELECT %u, %u, 0, %s, CASE WHEN sum(NOT syn) = 0 AND %d "
        "THEN 'u' ELSE '' END FROM x%u x JOIN pick p USING (slot) WHERE p.d = %u GROUP BY 4",
        s, d, at->group, has_place, d, d);
}

/* Units that a group has, in part where leaves are missing or rows are below the unit. Of a unit in
 * parts a group has nothing, all, or the share of its leaves. */
static void put_units(const struct translating *at, vc_finer finer, vc_buffer *out)
{
    unsigned s = at->s, d = at->d;
    unsigned level = at->axis >= 0 ? at->in->levels[at->axis] : 0;
    bool is_below = level < WORLD_LEVELS && level > at->place->level; /* not right below All */
    vc_buffer_printf(
        out,
        "WITH have AS (SELECT %s AS g, u.unit, count(*) AS n, sum(u.part) AS part FROM "
        "x%u x JOIN pick p USING (slot) JOIN u%u_%u u ON u.p = x.slot WHERE p.d = %u "
        "AND NOT syn GROUP BY 1, 2), part AS (SELECT h.g, h.unit, h.n < n.n OR %d AS "
        "is_part, CASE WHEN NOT (h.n < n.n OR %d) THEN 1.0 WHEN %d THEN 1.0 WHEN "
        "n.part > 0 THEN h.part / n.part ELSE 0.0 END AS share FROM have h JOIN "
        "n%u_%u n USING (unit))",
        at->group, d, s, d, d, is_below, is_below, finer != VC_FINER_ALLOCATE, s, d);
}

static void translate_relation(const struct translating *at, enum sql_form form)
{
    const struct sql_place *place = at->place;
    unsigned s = at->s, d = at->d;
    vc_finer finer = form == FORM_SET ? VC_FINER_NULL : place->finer;
    vc_join_mode mode = form == FORM_MODE ? place->mode : VC_MODE_SET;
    vc_buffer units = {0};
    put_units(at, finer, &units);
    const char *have = vc_buffer_text(&units);
    const char *taken = finer == VC_FINER_NULL ? "WHERE NOT is_part" : "";
    bool has_members = at->in->sql->sources[s].definition->unmatched == VC_UNMATCHED_MEMBERS;
    const char *bucket = has_members ? "slot" : "g0";
    if (mode == VC_MODE_LOOKUP)
        RUN(at->in,
            "%s INSERT INTO t(s, d, k, q, g, u) SELECT %u, %u, %d, q, g, unit FROM part JOIN "
            "ru%u_%u USING (unit) %s",
            have, s, d, form, s, d, taken);
    else
        RUN(at->in,
            "%s INSERT INTO t(s, d, k, q, g, w, e) SELECT %u, %u, %d, q, g, CASE WHEN abs(w - 1) "
            "<= 1e-9 THEN 1.0 ELSE w END, e OR abs(w - 1) > 1e-9 FROM (SELECT q, g, %s AS w, "
            "max(is_part AND %d) AS e FROM part JOIN ru%u_%u USING (unit) %s GROUP BY q, g)",
            have, s, d, form,
            mode == VC_MODE_WEIGHTED     ? "sum(w * share)"
            : finer == VC_FINER_ALLOCATE ? "sum(share)"
                                         : "1.0",
            finer == VC_FINER_ALLOCATE, s, d, taken);
    RUN(at->in,
        "INSERT OR IGNORE INTO t(s, d, k, q, g, u) SELECT %u, %u, %d, q, %s, %s FROM x%u x JOIN "
        "pick p USING "
        "(slot) WHERE p.d = %u AND syn AND src = %u",
        s, d, form, at->group, mode == VC_MODE_LOOKUP ? bucket : "0", d, d, s);
    RUN(at->in,
        "%s INSERT INTO why SELECT %u, %u, %d, g, CASE WHEN max(is_mapped) = 0 THEN 'u' WHEN "
        "max(is_part) AND %d THEN 'g' ELSE '' END, max(is_part) AND %d FROM (SELECT g, unit IN "
        "(SELECT unit FROM ru%u_%u) AS is_mapped, is_part AND unit IN (SELECT unit FROM ru%u_%u) "
        "AS "
        "is_part FROM part UNION ALL SELECT %s, src = %u, 0 FROM x%u x JOIN pick p USING (slot) "
        "WHERE p.d = %u AND syn%s) GROUP BY g",
        have, s, d, form, finer == VC_FINER_NULL, finer == VC_FINER_REPEAT, s, d, s, d, at->group,
        s, d, d, at->axis < 0 ? " UNION ALL SELECT 0, 0, 0" : "");
    if (mode == VC_MODE_LOOKUP) /* all leaves that a cell has; m: those that find something */
        RUN(at->in,
            "%s INSERT INTO un SELECT %u, %u, g, unit, unit IN (SELECT unit FROM ru%u_%u) FROM "
            "part "
            "%s UNION SELECT %u, %u, %s, CASE WHEN g1 %% 1000000 = 0 THEN g0 ELSE slot END, src = "
            "%u FROM x%u x JOIN pick p USING (slot) WHERE p.d = %u AND syn AND src = %u",
            have, s, d, s, d, taken, s, d, at->group, s, d, d, s);
    vc_buffer_release(&units);
}

void sql_translate(struct sql_question *in, uint32_t kept)
{
    const struct sql *sql = in->sql;
    RUN(in, "DELETE FROM t");
    RUN(in, "DELETE FROM why");
    RUN(in, "DELETE FROM un");
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        bool is_done[WORLD_CUBES][NFORMS] = {{false}};
        for (unsigned m = 0; m < sql->nnodes; m++) {
            const struct sql_node *node = &sql->nodes[m];
            if (!in->is_wanted[m] || node->formula != FORMULA_NONE) continue;
            unsigned s = node->source;
            struct translating at = {.in = in,
                                     .s = s,
                                     .d = d,
                                     .axis = sql_axis_of(in, kept, d),
                                     .place = &sql->sources[s].places[d],
                                     .group = "0"};
            enum sql_form form = sql_form_of(sql, node, d);
            if (!at.place->is_there || is_done[s][form]) continue;
            is_done[s][form] = true;
            if (at.axis >= 0) snprintf(at.group, sizeof at.group, "x.g%u", in->levels[at.axis]);
            if (at.place->is_relation)
                translate_relation(&at, form);
            else
                translate_own(&at);
        }
    }
}
