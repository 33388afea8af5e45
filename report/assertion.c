#include "report/assertion.h"

#include "base/buffer.h"
#include "base/nearest.h"
#include "cube/text_scan.h"
#include "render/people.h"
#include "report/try.h"

#include <math.h>
#include <string.h>

typedef struct operand {
    bool is_known;
    double value;
    vc_str text;  /* as written */
    vc_str shown; /* its value for people */
} operand;

typedef struct asserting {
    vc_scan scan;
    const vc_result *result;
    vc_arena *arena;
    vc_error *error;
} asserting;

/* ---- functions ---- */

static vc_status find_measure(asserting *in, vc_str name, size_t at, size_t *measure_out)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t m = 0; m < in->result->nmeasures; m++) {
        *measure_out = m;
        if (vc_str_equal(in->result->measures[m].name, name)) return VC_OK;
        vc_nearest_offer(&nearest, in->result->measures[m].name);
    }
    vc_fail(in->error, VC_NOT_FOUND, "unknown_measure", "the query has no measure '%.*s'",
            VC_FMT(name));
    vc_nearest_report(&nearest, in->error);
    return vc_error_at_place(in->error, VC_NOT_FOUND, vc_scan_place(&in->scan, at));
}

static vc_status show_number(asserting *in, operand *out)
{
    char text[VC_NUMBER_TEXT];
    out->shown =
        vc_arena_str(in->arena, (vc_str){.data = text, .size = vc_format_double(text, out->value)});
    return vc_str_is_null(out->shown) ? vc_no_memory(in->error) : VC_OK;
}

static vc_status ask_total(asserting *in, size_t measure, operand *out)
{
    const vc_cell *cell = &in->result->summary[measure];
    out->is_known = !cell->is_null;
    if (cell->is_null) return VC_OK;
    vc_buffer text = {0};
    out->value = vc_cell_double(&in->result->measures[measure], cell);
    vc_put_plain_number(&text, &in->result->measures[measure], cell);
    out->shown =
        text.failed ? (vc_str){0} : vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return vc_str_is_null(out->shown) ? vc_no_memory(in->error) : VC_OK;
}

static vc_status ask_rows_of(asserting *in, vc_str function, size_t measure, operand *out)
{
    const vc_result *result = in->result;
    double count = 0, nulls = 0, low = INFINITY, high = -INFINITY;
    for (size_t row = 0; row < result->ndetail_rows; row++) {
        const vc_cell *cell = &result->cells[row * result->nmeasures + measure];
        if (cell->is_null) {
            nulls++;
            continue;
        }
        double value = vc_cell_double(&result->measures[measure], cell);
        count++;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    bool is_counting = vc_str_is(function, "count") || vc_str_is(function, "nulls");
    out->is_known = is_counting || count > 0;
    if (!out->is_known) return VC_OK;
    out->value = vc_str_is(function, "count")   ? count
                 : vc_str_is(function, "nulls") ? nulls
                 : vc_str_is(function, "min")   ? low
                                                : high;
    return show_number(in, out);
}

static vc_status ask_coverage(asserting *in, vc_str source, size_t at, operand *out)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, source);
    bool is_found = source.size == 0;
    out->value = 1;
    for (size_t i = 0; i < in->result->ncoverage; i++) {
        const vc_result_coverage *item = &in->result->coverage[i];
        vc_nearest_offer(&nearest, item->source);
        if (source.size > 0 && !vc_str_equal(item->source, source)) continue;
        is_found = true;
        if (item->counts.keys > 0)
            out->value =
                fmin(out->value, (double)item->counts.keys_matched / (double)item->counts.keys);
    }
    out->is_known = is_found;
    if (is_found) return show_number(in, out);
    vc_fail(in->error, VC_NOT_FOUND, "unknown_source", "the query uses no join of a source '%.*s'",
            VC_FMT(source));
    vc_nearest_report(&nearest, in->error);
    return vc_error_at_place(in->error, VC_NOT_FOUND, vc_scan_place(&in->scan, at));
}

static vc_status ask(asserting *in, vc_str function, vc_str name, size_t at, operand *out)
{
    static const char *const of_measures[] = {"total", "min", "max", "count", "nulls", NULL};
    size_t measure = 0;
    bool is_of_measure = false;
    for (size_t i = 0; of_measures[i] != NULL; i++)
        is_of_measure |= vc_str_is(function, of_measures[i]);
    if (is_of_measure) TRY(find_measure(in, name, at, &measure));
    if (vc_str_is(function, "total")) return ask_total(in, measure, out);
    if (is_of_measure) return ask_rows_of(in, function, measure, out);
    if (vc_str_is(function, "coverage")) return ask_coverage(in, name, at, out);
    if (!vc_str_is(function, "rows"))
        return vc_scan_fail(&in->scan, at,
                            "total, min, max, count, nulls, rows, coverage or a number");
    out->is_known = true;
    out->value = (double)in->result->total_cell_count;
    return show_number(in, out);
}

/* ---- grammar ---- */

static void skip_blanks(vc_scan *scan)
{
    while (vc_scan_take(scan, ' ') || vc_scan_take(scan, '\t') || vc_scan_take(scan, '\n'))
        continue;
}

static vc_status read_operand(asserting *in, operand *out)
{
    vc_scan *scan = &in->scan;
    vc_str word, name;
    skip_blanks(scan);
    size_t at = scan->at;
    *out = (operand){0};
    TRY(vc_scan_name(scan, " \t\n(<>=!", "a number or a function", &word));
    if (!vc_scan_take(scan, '(')) {
        out->text = word;
        out->shown = word;
        out->is_known = vc_parse_double(word, '.', &out->value) == VC_PARSE_OK;
        return out->is_known ? VC_OK
                             : vc_scan_fail(scan, at, "a number, or a function as total(pop)");
    }
    TRY(vc_scan_word(scan, ")", &name));
    if (!vc_scan_take(scan, ')')) return vc_scan_fail(scan, scan->at, "')'");
    TRY(ask(in, word, vc_str_trim(name), at, out));
    out->text = vc_arena_str(in->arena,
                             (vc_str){.data = scan->source.text.data + at, .size = scan->at - at});
    return vc_str_is_null(out->text) ? vc_no_memory(in->error) : VC_OK;
}

static vc_status read_operator(asserting *in, vc_str *sign_out)
{
    static const char *const signs[] = {"<=", ">=", "!=", "==", "=", "<", ">"};
    skip_blanks(&in->scan);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (vc_scan_take_text(&in->scan, signs[i])) {
            *sign_out = vc_str_of(signs[i]);
            return VC_OK;
        }
    return vc_scan_fail(&in->scan, in->scan.at, "<, <=, >, >=, = or !=");
}

static bool compare(const operand *left, vc_str sign, const operand *right)
{
    if (!left->is_known || !right->is_known) return false;
    if (vc_str_is(sign, "<")) return left->value < right->value;
    if (vc_str_is(sign, "<=")) return left->value <= right->value;
    if (vc_str_is(sign, ">")) return left->value > right->value;
    if (vc_str_is(sign, ">=")) return left->value >= right->value;
    if (vc_str_is(sign, "!=")) return left->value != right->value;
    return left->value == right->value;
}

static vc_status explain(asserting *in, const operand *left, vc_str sign, const operand *right,
                         vc_str *why_out)
{
    vc_str found = left->is_known ? left->shown : VC_STR("null");
    bool is_plain = vc_str_equal(right->text, right->shown);
    vc_str limit = right->is_known ? right->shown : VC_STR("null");
    *why_out =
        is_plain
            ? vc_arena_printf(in->arena, "%.*s is %.*s, expected %.*s %.*s", VC_FMT(left->text),
                              VC_FMT(found), VC_FMT(sign), VC_FMT(right->text))
            : vc_arena_printf(in->arena, "%.*s is %.*s, expected %.*s %.*s, which is %.*s",
                              VC_FMT(left->text), VC_FMT(found), VC_FMT(sign), VC_FMT(right->text),
                              VC_FMT(limit));
    return vc_str_is_null(*why_out) ? vc_no_memory(in->error) : VC_OK;
}

vc_status vc_assertion_check(vc_str text, const vc_result *result, vc_arena *arena, bool *holds_out,
                             vc_str *why_out, vc_error *error)
{
    asserting in = {
        .scan = {.source = {.text = text, .where = "assert"}, .arena = arena, .error = error},
        .result = result,
        .arena = arena,
        .error = error};
    *holds_out = true;
    for (;;) {
        operand left, right;
        vc_str sign;
        TRY(read_operand(&in, &left));
        TRY(read_operator(&in, &sign));
        TRY(read_operand(&in, &right));
        if (*holds_out && !compare(&left, sign, &right)) {
            *holds_out = false;
            TRY(explain(&in, &left, sign, &right, why_out));
        }
        skip_blanks(&in.scan);
        if (vc_scan_is_end(&in.scan)) return VC_OK;
        if (!vc_scan_take_text(&in.scan, "and "))
            return vc_scan_fail(&in.scan, in.scan.at, "'and', or the end");
    }
}
