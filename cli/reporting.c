#include "cli/reporting.h"

#include "cli/asking.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- the specification ---- */

vc_status vc_reporting_read_spec(vc_reporting *in, vc_str text, const char *file, vc_error *error)
{
    return vc_spec_read(text, file, &in->arena, &in->json, &in->spec, error);
}

vc_status vc_reporting_read_parameters(const vc_arguments *arguments, vc_arena *arena,
                                       vc_given_parameter **given_out, size_t *ngiven_out,
                                       vc_error *error)
{
    vc_given_parameter *given = VC_ARENA_NEW(arena, vc_given_parameter, arguments->ngiven + 1);
    size_t ngiven = 0;
    if (given == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->ngiven; i++) {
        if (strcmp(arguments->given[i].option->name, "param") != 0) continue;
        vc_str value = vc_str_of(arguments->given[i].value);
        vc_str name = vc_str_split(&value, '=');
        size_t place = 0;
        if (value.data == NULL || name.size == 0 || !vc_utf8_check(value, NULL))
            return vc_fail(error, VC_BAD_INPUT, "usage", "--param takes NAME=VALUE, not '%s'",
                           arguments->given[i].value);
        while (place < ngiven && !vc_str_equal(given[place].name, name))
            place++;
        given[place] = (vc_given_parameter){name, value};
        ngiven += place == ngiven;
    }
    *given_out = given;
    *ngiven_out = ngiven;
    return VC_OK;
}

/* ---- the store and the plan ---- */

static bool is_cancelled(void *context)
{
    (void)context;
    return vc_reporting_has_signal();
}

static vc_status open_model(vc_reporting *in, vc_str at, vc_error *error)
{
    vc_snapshot *snapshot;
    vc_status status = vc_cli_open_store(in->arguments, VC_TO_READ, &in->store, error);
    if (status == VC_OK)
        status = at.data != NULL ? vc_snapshot_open_at(in->store, at, &snapshot, error)
                                 : vc_snapshot_open(in->store, &snapshot, error);
    if (status == VC_OK) {
        status = vc_model_new(snapshot, true, &in->model, error);
        if (status != VC_OK) vc_snapshot_close(snapshot);
    }
    return status;
}

static vc_status read_limits(const vc_arguments *arguments, vc_engine_limits *limits,
                             vc_error *error)
{
    vc_status status =
        vc_arguments_bytes(arguments, "max-memory", 0, &limits->max_memory_bytes, error);
    if (status == VC_OK)
        status =
            vc_arguments_number(arguments, "max-cells", 1, INT64_MAX, 0, &limits->max_cells, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "max-time-ms", 1, 86400000, 0, &limits->max_time_ms,
                                     error);
    return status;
}

vc_status vc_reporting_open(vc_reporting *in, vc_str at, const vc_given_parameter *parameters,
                            size_t nparameters, vc_error *error)
{
    uint64_t njobs;
    vc_engine_options options = {.is_cancelled = is_cancelled};
    vc_status status = vc_arguments_number(in->arguments, "jobs", 1, 256, 0, &njobs, error);
    if (status == VC_OK) status = read_limits(in->arguments, &options.limits, error);
    if (status == VC_OK) status = open_model(in, at, error);
    if (status == VC_OK) status = vc_pool_new((unsigned)njobs, &in->pool, error);
    in->plan = (vc_run_plan){.report = in->spec.name,
                             .specification = in->spec.text,
                             .sweep = &in->sweep,
                             .parameters = parameters,
                             .nparameters = nparameters,
                             .pool = in->pool,
                             .options = options};
    memcpy(in->plan.formats, in->spec.formats, sizeof in->plan.formats);
    if (status == VC_OK) {
        in->maker = (vc_maker){&in->spec, in->model};
        in->plan.maker = vc_maker_of(&in->maker);
        in->plan.snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(in->model)));
        options.pool = in->pool; /* members are asked for before documents are made */
        status = vc_sweep_make(&in->spec, parameters, nparameters, in->model, &options, &in->arena,
                               &in->sweep, error);
    }
    in->is_terminal = isatty(STDERR_FILENO) != 0;
    in->started_ns = in->shown_ns = vc_clock_ns();
    return status;
}

void vc_reporting_close(vc_reporting *in)
{
    vc_model_free(in->model);
    vc_store_close(in->store);
    vc_pool_free(in->pool);
    json_decref(in->json);
    vc_arena_release(&in->arena);
}

/* ---- signals ---- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { NSIGNALS = sizeof signals / sizeof signals[0] };
static volatile sig_atomic_t signal_that_came;
static struct sigaction actions_before[NSIGNALS];

static void note_signal(int number)
{
    signal_that_came = number;
}

void vc_reporting_begin_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal,
                               .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < NSIGNALS; i++) {
        sigaction(signals[i], NULL, &actions_before[i]);
        if (actions_before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL); /* nohup */
    }
}

bool vc_reporting_has_signal(void)
{
    return signal_that_came != 0;
}

void vc_reporting_end_signals(void)
{
    int number = signal_that_came;
    for (size_t i = 0; i < NSIGNALS; i++)
        sigaction(signals[i], &actions_before[i], NULL);
    if (number == 0) return;
    fflush(NULL);
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- progress ---- */

double vc_reporting_seconds(const vc_reporting *in)
{
    return (double)(vc_clock_ns() - in->started_ns) / 1e9;
}

void vc_reporting_clear(vc_reporting *in)
{
    if (in->has_line) fputs("\r\033[K", stderr);
    in->has_line = false;
}

static void put_time_left(vc_buffer *out, double seconds)
{
    uint64_t left = (uint64_t)(seconds + 0.5);
    if (left >= 3600)
        vc_buffer_printf(out, "%llu h %llu min left", (unsigned long long)(left / 3600),
                         (unsigned long long)(left / 60 % 60));
    else if (left >= 120)
        vc_buffer_printf(out, "%llu min left", (unsigned long long)(left / 60));
    else
        vc_buffer_printf(out, "%llu s left", (unsigned long long)left);
}

/* "132 of 217, 210/s, 1 s left". What was there already took no time worth speaking of. */
static void put_numbers(vc_buffer *out, const vc_reporting *in, const vc_run_progress *progress)
{
    char done[VC_NUMBER_TEXT], total[VC_NUMBER_TEXT];
    size_t nmade = progress->ndone - progress->nkept;
    double seconds = vc_reporting_seconds(in), rate = seconds > 0 ? (double)nmade / seconds : 0;
    vc_format_count(done, progress->ndone);
    vc_format_count(total, progress->ntotal);
    vc_buffer_printf(out, "%s of %s", done, total);
    if (nmade == 0 || rate <= 0) return;
    vc_buffer_printf(out, rate < 10 ? ", %.1f/s, " : ", %.0f/s, ", rate);
    put_time_left(out, (double)(progress->ntotal - progress->ndone) / rate);
}

static unsigned width_of_terminal(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "[########------------] 132 of 217, 210/s, 1 s left  Europe/FRA" */
static void show_bar(vc_reporting *in, const vc_run_progress *progress)
{
    enum { BAR = 24 };
    vc_buffer line = {0};
    vc_arena arena = {0};
    unsigned width = width_of_terminal();
    size_t filled = progress->ntotal > 0 ? progress->ndone * BAR / progress->ntotal : BAR;
    if (width > BAR + 45) {
        vc_buffer_put_char(&line, '[');
        for (size_t i = 0; i < BAR; i++)
            vc_buffer_put_char(&line, i < filled ? '#' : '-');
        vc_buffer_put_text(&line, "] ");
    }
    put_numbers(&line, in, progress);
    vc_buffer_put_text(&line, "  ");
    vc_buffer_put_str(&line, vc_cli_safe(&arena, progress->file));
    vc_str shown = vc_utf8_cut((vc_str){vc_buffer_text(&line), line.size}, width - 1);
    vc_reporting_clear(in);
    fprintf(stderr, "%.*s", VC_FMT(shown));
    fflush(stderr);
    in->has_line = true;
    vc_buffer_release(&line);
    vc_arena_release(&arena);
}

void vc_reporting_show(vc_reporting *in, const vc_run_progress *progress)
{
    static const int64_t bar_ns = 100000000, line_ns = 5000000000;
    int64_t now_ns = vc_clock_ns();
    if (vc_cli_is_quiet()) return;
    bool is_due = now_ns - in->shown_ns >= (in->is_terminal ? bar_ns : line_ns);
    if (in->is_terminal && (is_due || !in->has_line) && progress->ndone < progress->ntotal) {
        show_bar(in, progress);
        in->shown_ns = now_ns;
    } else if (!in->is_terminal && is_due && progress->ndone < progress->ntotal) {
        vc_buffer line = {0};
        put_numbers(&line, in, progress);
        vc_cli_say("%s", vc_buffer_text(&line));
        vc_buffer_release(&line);
        in->shown_ns = now_ns;
    }
}

void vc_reporting_show_problem(void *context, const vc_sweep_item *item, const vc_problem *problem,
                               bool is_published)
{
    vc_arena arena = {0};
    vc_str file = vc_cli_safe(&arena, item->file), section = vc_cli_safe(&arena, problem->section),
           message = vc_cli_safe(&arena, problem->message),
           query = vc_cli_safe(&arena, problem->query);
    vc_reporting_clear(context);
    fflush(stdout);
    fprintf(stderr, "%.*s%s%.*s: %.*s%s\n", VC_FMT(file), section.size > 0 ? ", section " : "",
            VC_FMT(section), VC_FMT(message), is_published ? "" : " (not published)");
    if (query.size > 0) fprintf(stderr, "    query: %.*s\n", VC_FMT(query));
    vc_arena_release(&arena);
}
