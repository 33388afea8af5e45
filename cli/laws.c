#include "cli/laws.h"

#include "base/json.h"
#include "render/render.h"

#include <inttypes.h>

/* ---- asking ---- */

static vc_status take_text(void *context, const char *data, size_t size, vc_error *error)
{
    vc_buffer_put(context, data, size);
    return ((vc_buffer *)context)->failed ? vc_no_memory(error) : VC_OK;
}

/* The body of an answer as a server sends it. */
static vc_status write_records(void *context, const vc_result *result, vc_buffer *out,
                               vc_error *error)
{
    (void)context;
    return vc_render(result, VC_FORMAT_RECORDS, NULL,
                     (vc_render_sink){.write = take_text, .context = out}, error);
}

/* "world: L4, 37 of 100", at most ten times a second. */
static void show_progress(void *context, unsigned law, uint32_t round)
{
    vc_laws_run *run = context;
    if (!run->progress->is_terminal || vc_loading_seconds(&run->shown) < 0.1) return;
    clock_gettime(CLOCK_MONOTONIC, &run->shown);
    vc_loading_clear(run->progress);
    fprintf(stderr, "%s: L%u, %" PRIu32 " of %" PRIu32, run->cube, law, round, run->options.rounds);
    fflush(stderr);
    run->progress->has_line = true;
}

vc_status vc_laws_begin(const vc_arguments *arguments, vc_loading *progress, vc_laws_run *run,
                        vc_error *error)
{
    unsigned nthreads = 0;
    uint64_t rounds = 0, seed = 0;
    *run = (vc_laws_run){.progress = progress,
                         .is_json = vc_arguments_get(arguments, "json") != NULL,
                         .options = {.write_body = write_records, .progress = show_progress}};
    run->options.context = run;
    vc_status status = vc_arguments_number(arguments, "rounds", 1, 1000000, 100, &rounds, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "seed", 0, UINT64_MAX, 1, &seed, error);
    if (status == VC_OK) status = vc_arguments_threads(arguments, &nthreads, error);
    if (status == VC_OK)
        status = vc_arguments_bytes(arguments, "max-memory", 0,
                                    &run->options.engine.limits.max_memory_bytes, error);
    if (status == VC_OK) status = vc_pool_new(nthreads, &run->pool, error);
    run->options.rounds = (uint32_t)rounds;
    run->options.seed = seed;
    run->options.engine.pool = run->pool;
    return status;
}

vc_status vc_laws_ask(vc_laws_run *run, vc_model *model, const vc_str *cubes, size_t ncubes,
                      vc_error *error)
{
    vc_status status = VC_OK;
    run->cubes = VC_ARENA_NEW(&run->arena, vc_str, ncubes + 1);
    run->reports = vc_arena_calloc(&run->arena, ncubes + 1, sizeof *run->reports);
    if (run->cubes == NULL || run->reports == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < ncubes && status == VC_OK; i++) {
        run->cubes[i] = vc_arena_str(&run->arena, cubes[i]);
        run->cube = run->cubes[i].data;
        status = vc_laws_check(model, cubes[i], &run->options, &run->arena, run->reports[i], error);
        run->ncubes += status == VC_OK;
        for (size_t law = 0; law < VC_LAWS; law++)
            run->is_broken |= run->reports[i][law].breach != NULL;
    }
    vc_loading_clear(run->progress);
    return status;
}

void vc_laws_end(vc_laws_run *run)
{
    vc_pool_free(run->pool);
    vc_arena_release(&run->arena);
}

/* ---- as commands ---- */

/* Is this side's variant that of an earlier one? */
static bool is_repeated(const vc_law_breach *breach, size_t side)
{
    for (size_t i = 0; i < side; i++)
        if (vc_str_equal(breach->sides[i].variant, breach->sides[side].variant)) return true;
    return false;
}

/* What has to be loaded before the queries can be asked: lines of a shell. */
static void put_setup(const vc_laws_run *run, const vc_law_breach *breach, vc_buffer *out)
{
    if (run->loaded != NULL) {
        vc_buffer_printf(out, "vcube load -d %s", run->directory);
        for (size_t i = 0; i < run->loaded->noperands; i++)
            vc_buffer_printf(out, " '%s'", run->loaded->operands[i]);
        vc_buffer_put_char(out, '\n');
    }
    for (size_t i = 0; i < breach->nsides; i++) {
        vc_str variant = breach->sides[i].variant;
        if (variant.data == NULL || is_repeated(breach, i)) continue;
        vc_buffer_printf(out,
                         "cat > laws-variant-%zu.json <<'END'\n%.*s\nEND\n"
                         "vcube load -d %s laws-variant-%zu.json\n",
                         i + 1, VC_FMT(variant), run->directory, i + 1);
    }
}

/* ---- for people ---- */

enum { NOTES_SHOWN = 3 };

static vc_str join_notes(vc_laws_run *run, const vc_law_report *report)
{
    vc_buffer text = {0};
    for (size_t n = 0; n < report->nnotes && n < NOTES_SHOWN; n++)
        vc_buffer_printf(&text, "%s%.*s", n > 0 ? "; " : "", VC_FMT(report->notes[n].text));
    if (report->nnotes > NOTES_SHOWN) vc_buffer_put_text(&text, "; ...");
    vc_str joined = vc_arena_str(&run->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return joined;
}

static const char *verdict_of(const vc_law_report *report)
{
    return report->breach != NULL ? "BROKEN" : report->ncases > 0 ? "holds" : "not asked";
}

static void print_table(vc_laws_run *run, size_t cube)
{
    enum { COLUMNS = 5 };
    vc_str texts[(VC_LAWS + 1) * COLUMNS] = {VC_STR("law"), VC_STR(""), VC_STR("cases"), VC_STR(""),
                                             VC_STR("not asked of")};
    for (size_t law = 0; law < VC_LAWS; law++) {
        const vc_law_report *report = &run->reports[cube][law];
        vc_str *row = texts + (law + 1) * COLUMNS;
        row[0] = vc_arena_printf(&run->arena, "L%u", report->law);
        row[1] = vc_str_of(vc_law_name(report->law));
        row[2] = vc_cli_count(&run->arena, report->ncases);
        row[3] = vc_str_of(verdict_of(report));
        row[4] = join_notes(run, report);
    }
    printf("%.*s\n", VC_FMT(run->cubes[cube]));
    vc_cli_table(texts, VC_LAWS + 1, COLUMNS, (bool[]){false, false, true, false, false});
}

static void print_breach(const vc_laws_run *run, vc_str cube, const vc_law_report *report)
{
    const vc_law_breach *breach = report->breach;
    vc_buffer setup = {0};
    printf("\nL%u is broken in '%.*s': %s.\n", report->law, VC_FMT(cube),
           vc_law_sentence(report->law));
    if (breach->measure.size > 0) printf("Measure '%.*s', ", VC_FMT(breach->measure));
    printf("%.*s: %.*s.\n", VC_FMT(breach->place), VC_FMT(breach->claim));
    put_setup(run, breach, &setup);
    if (setup.size > 0) printf("\n%s", vc_buffer_text(&setup));
    vc_buffer_release(&setup);
    for (size_t i = 0; i < breach->nsides; i++) {
        vc_buffer command = {0};
        vc_law_side_command(&breach->sides[i], run->directory, &command);
        printf("\n# %.*s: %.*s\n%s\n", VC_FMT(breach->sides[i].what),
               VC_FMT(breach->sides[i].found), vc_buffer_text(&command));
        vc_buffer_release(&command);
    }
}

/* ---- for programs ---- */

static json_t *text_of(vc_str text)
{
    return text.data == NULL ? json_null() : json_stringn(text.data, text.size);
}

static json_t *breach_json(const vc_laws_run *run, const vc_law_breach *breach)
{
    json_t *sides = json_array();
    vc_buffer text = {0};
    for (size_t i = 0; i < breach->nsides; i++) {
        vc_buffer_clear(&text);
        vc_law_side_command(&breach->sides[i], run->directory, &text);
        json_array_append_new(
            sides, json_pack("{s:o,s:s,s:o}", "what", text_of(breach->sides[i].what), "command",
                             vc_buffer_text(&text), "found", text_of(breach->sides[i].found)));
    }
    vc_buffer_clear(&text);
    put_setup(run, breach, &text);
    json_t *json = json_pack("{s:o,s:o,s:o,s:s,s:o}", "claim", text_of(breach->claim), "measure",
                             text_of(breach->measure), "place", text_of(breach->place), "setup",
                             vc_buffer_text(&text), "queries", sides);
    vc_buffer_release(&text);
    return json;
}

static json_t *report_json(const vc_laws_run *run, vc_str cube, const vc_law_report *report)
{
    json_t *notes = json_array();
    char number[16];
    snprintf(number, sizeof number, "L%u", report->law);
    for (size_t n = 0; n < report->nnotes; n++)
        json_array_append_new(notes, json_pack("{s:o,s:I}", "why", text_of(report->notes[n].text),
                                               "count", (json_int_t)report->notes[n].count));
    json_t *json =
        json_pack("{s:o,s:s,s:s,s:s,s:I,s:o}", "cube", text_of(cube), "law", number, "name",
                  vc_law_name(report->law), "sentence", vc_law_sentence(report->law), "cases",
                  (json_int_t)report->ncases, "not_asked", notes);
    json_object_set_new(json, "holds",
                        report->breach != NULL ? json_false()
                        : report->ncases > 0   ? json_true()
                                               : json_null());
    if (report->breach != NULL)
        json_object_set_new(json, "counterexample", breach_json(run, report->breach));
    return json;
}

static void print_json(const vc_laws_run *run)
{
    json_t *laws = json_array();
    for (size_t i = 0; i < run->ncubes; i++)
        for (size_t law = 0; law < VC_LAWS; law++)
            json_array_append_new(laws, report_json(run, run->cubes[i], &run->reports[i][law]));
    json_t *json = json_pack("{s:I,s:I,s:o}", "seed", (json_int_t)run->options.seed, "rounds",
                             (json_int_t)run->options.rounds, "laws", laws);
    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
}

void vc_laws_show(vc_laws_run *run)
{
    if (run->is_json) {
        print_json(run);
        return;
    }
    for (size_t i = 0; i < run->ncubes; i++) {
        if (i > 0) putchar('\n');
        print_table(run, i);
    }
    for (size_t i = 0; i < run->ncubes; i++)
        for (size_t law = 0; law < VC_LAWS; law++)
            if (run->reports[i][law].breach != NULL)
                print_breach(run, run->cubes[i], &run->reports[i][law]);
}
