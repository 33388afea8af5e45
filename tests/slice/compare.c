#include "tests/slice/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_near(long double a, long double b)
{
    long double scale = fabsl(a) + fabsl(b);
    return a == b || fabsl(a - b) <= 1e-12L * scale + 1e-12L;
}

static bool same_cell(const struct oracle *oracle, const vc_result *result, size_t m,
                      const vc_cell *actual, const struct oracle_cell *expected)
{
    unsigned number = 0;
    while (!vc_str_is(result->measures[m].name, oracle_measure_name(oracle, number)))
        number++;
    expected = &expected[number];
    if (actual->is_null != expected->is_null || actual->reason != expected->reason) return false;
    if (actual->is_null) return true;
    vc_value_type type = oracle_measure_is_float(oracle, number)     ? VC_VALUE_FLOAT
                         : oracle_measure_is_decimal(oracle, number) ? VC_VALUE_DECIMAL
                                                                     : VC_VALUE_INT;
    if (result->measures[m].type != type) return false;
    if (type == VC_VALUE_FLOAT) return is_near(actual->as.f, expected->value);
    return (long double)actual->as.i == roundl(expected->value * (type == VC_VALUE_INT ? 1 : 100));
}

/* Say in `why` where the answers differ; true when they do not. */
static bool same_row(const struct oracle *oracle, const vc_query *query, const vc_result *result,
                     size_t row, const struct oracle_row *expected, vc_buffer *why)
{
    if (result->grouping[row] != (row < result->ndetail_rows ? 0 : expected->grouping)) {
        vc_buffer_printf(why, "row %zu: grouping %u, expected %u", row, result->grouping[row],
                         expected->grouping);
        return false;
    }
    for (size_t a = 0; a < result->naxes; a++) {
        uint32_t at = result->coords[row * result->naxes + a];
        vc_str keys[WORLD_LEVELS];
        bool is_synthetic;
        if ((at == VC_NONE) != (expected->groups[a] == UINT32_MAX)) {
            vc_buffer_printf(why, "row %zu, axis %zu: rolled up or not", row, a);
            return false;
        }
        if (at == VC_NONE) continue;
        unsigned nkeys =
            oracle_group_keys(oracle, query, (unsigned)a, expected->groups[a], keys, &is_synthetic);
        const vc_result_member *member = &result->axes[a].members[at];
        size_t nlevels = result->axes[a].nlevels;
        bool is_same = member->is_synthetic == is_synthetic;
        for (size_t l = 0; l < nlevels; l++)
            is_same &= vc_str_equal(member->keys[l], keys[nkeys - nlevels + l]);
        if (is_same) continue;
        vc_buffer_printf(why, "row %zu, axis %zu: member '%.*s', expected '%.*s'", row, a,
                         VC_FMT(member->keys[nlevels - 1]), VC_FMT(keys[nkeys - 1]));
        return false;
    }
    return true;
}

static bool same_cells(const struct oracle *oracle, const vc_result *result, const vc_cell *cells,
                       const struct oracle_cell *expected, const char *what, vc_buffer *why)
{
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (same_cell(oracle, result, m, &cells[m], expected)) continue;
        unsigned number = 0;
        while (!vc_str_is(result->measures[m].name, oracle_measure_name(oracle, number)))
            number++;
        double value =
            result->measures[m].type == VC_VALUE_FLOAT ? cells[m].as.f : (double)cells[m].as.i;
        vc_buffer_printf(why, "%s, measure %.*s: %s%.17g '%c', expected %s%.17Lg '%c'", what,
                         VC_FMT(result->measures[m].name), cells[m].is_null ? "null " : "", value,
                         cells[m].reason ? cells[m].reason : ' ',
                         expected[number].is_null ? "null " : "", expected[number].value,
                         expected[number].reason ? expected[number].reason : ' ');
        return false;
    }
    return true;
}

static bool same_coverage(const struct oracle *oracle, const vc_result *result,
                          enum compare_coverage coverage, vc_buffer *why)
{
    for (size_t i = 0; i < result->ncoverage; i++) {
        const vc_result_coverage *item = &result->coverage[i];
        vc_coverage expected;
        char alias[32];
        unsigned d = 0;
        while (!vc_str_is(item->dimension, oracle_dimension_name(oracle, d)))
            d++;
        snprintf(alias, sizeof alias, "%.*s", VC_FMT(item->source));
        bool is_there = oracle_coverage(oracle, alias, d, &expected);
        if (!is_there && coverage == COMPARE_KNOWN) continue; /* two versions of one dimension */
        if (is_there && memcmp(&expected, &item->counts, sizeof expected) == 0) continue;
        vc_buffer_printf(
            why,
            "coverage of %s over dimension %u: keys %llu/%llu, members %llu/%llu, primary "
            "%llu/%llu; expected %llu/%llu, %llu/%llu, %llu/%llu",
            alias, d, (unsigned long long)item->counts.keys_matched,
            (unsigned long long)item->counts.keys, (unsigned long long)item->counts.members_matched,
            (unsigned long long)item->counts.members,
            (unsigned long long)item->counts.primary_matched,
            (unsigned long long)item->counts.primary_members,
            (unsigned long long)expected.keys_matched, (unsigned long long)expected.keys,
            (unsigned long long)expected.members_matched, (unsigned long long)expected.members,
            (unsigned long long)expected.primary_matched,
            (unsigned long long)expected.primary_members);
        return false;
    }
    return true;
}

bool compare_answers(const struct oracle *oracle, const vc_query *query, const vc_result *result,
                     const struct oracle_answer *expected, enum compare_coverage coverage,
                     vc_buffer *why)
{
    char what[64];
    size_t nrows = result->nrows < expected->nrows ? result->nrows : expected->nrows;
    for (size_t row = 0; row < nrows; row++) {
        snprintf(what, sizeof what, "row %zu", row);
        if (!same_row(oracle, query, result, row, &expected->rows[row], why) ||
            !same_cells(oracle, result, &result->cells[row * result->nmeasures],
                        expected->rows[row].cells, what, why))
            return false;
    }
    if (result->nrows != expected->nrows || result->ndetail_rows != expected->ndetail ||
        result->total_cell_count != expected->nfound) {
        vc_buffer_printf(why, "%zu rows (%zu detail of %llu), expected %zu (%zu of %zu)",
                         result->nrows, result->ndetail_rows,
                         (unsigned long long)result->total_cell_count, expected->nrows,
                         expected->ndetail, expected->nfound);
        return false;
    }
    return same_cells(oracle, result, result->summary, expected->summary, "summary", why) &&
           (coverage == COMPARE_NONE || same_coverage(oracle, result, coverage, why));
}
