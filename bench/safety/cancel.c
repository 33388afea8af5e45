/* How long does a query run on when nobody wants it any more, and where?
 *
 *     cancel DIR [THREADS=2] [TRIES=40] [KIND]
 *
 * opens the store of bench/safety and asks dear queries of several kinds, the answers written in
 * several formats. Of each it tells
 *
 *   - the longest time between two looks whether the query is still wanted, of the processor in one
 *     thread, which does not depend on what else the machine does, and the functions in which the
 *     looks before and behind it are
 *   - the time from a random moment at which it is cancelled until all of it is over, its memory
 *     given back, of TRIES tries: the median, the longest and where that was, and how many took
 *     more than 20 and than 50 ms
 *
 * One line of JSON per kind.
 */
#include "base/memory.h"
#include "base/pool.h"
#include "base/spool.h"
#include "query/body.h"
#include "render/facts.h"
#include "render/lineage.h"
#include "render/query.h"
#include "slice/facts.h"
#include "slice/lineage.h"

#include <execinfo.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 12, PLACES = 3 };

static const struct kind {
    const char *name, *format, *body;
} kinds[] = {
    {"order by a measure", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"],"
     "\"order\":[\"quantity:desc\"],\"limit\":10}"},
    {"order by members, the last first", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"],"
     "\"order\":[\"place:desc\",\"item:desc\"],\"limit\":10}"},
    {"a top of members, and of pairs with many ties", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"facts\"],"
     "\"top\":[\"3000:item:facts\",\"900:place:facts\"]}"},
    {"a top with the row of the others", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"],"
     "\"top\":[\"500:place:quantity:desc:other\"]}"},
    {"having, and totals of what is left", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"],"
     "\"having\":[\"quantity:gt:5000\"],\"totals\":[\"item\",\"place\"],\"totals_scope\":"
     "\"visible\"}"},
    {"4 million rows in pieces, ndjson", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"4 million rows in pieces, csv", "csv",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"4 million rows, arrow", "arrow",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"4 million rows, columns", "columns",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"4 million rows, arrays", "arrays",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"4 million rows, jsonstat", "jsonstat",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"]"
     "}"},
    {"400,000 rows, table", "table",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],\"measures\":[\"quantity\"],"
     "\"limit\":400000}"},
    {"two totals of 4 million rows", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],"
     "\"measures\":[\"quantity\",\"price\"],\"totals\":[\"item\",\"place\"],\"limit\":10,"
     "\"order\":[\"price:desc\"]}"},
    {"distinct counts of many cells", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:group\"],"
     "\"measures\":[\"items\",\"places\",\"quantities\"]}"},
    {"a distinct count of all", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"place:group\"],\"measures\":[\"quantities\",\"items\"]}"},
    {"medians of 4 million values", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"place:place\"],\"measures\":[\"median\"]}"},
    {"the median of all", "ndjson", "{\"cube\":\"dear\",\"measures\":[\"median\"]}"},
    {"the last of a dimension, per combination", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:group\"],\"measures\":[\"mean_stock\"]}"},
    {"a join of two cubes", "ndjson",
     "{\"cube\":\"crossed\",\"drilldown\":[\"item:item\",\"place:place\"],"
     "\"measures\":[\"quantity\",\"wanted\",\"share\"],\"order\":[\"share:desc\"],\"limit\":10}"},
    {"shares of parents, running sums", "ndjson",
     "{\"cube\":\"dear\",\"drilldown\":[\"item:item\",\"place:place\"],"
     "\"measures\":[\"running\"],\"limit\":10}"},
    {"a grid of a million members", "ndjson",
     "{\"cube\":\"wide\",\"drilldown\":[\"a\"],\"measures\":[\"n\"],\"sparse\":false,"
     "\"order\":[\"n:desc\"]}"},
    {"three dimensions of a million, few rows", "ndjson",
     "{\"cube\":\"wide\",\"drilldown\":[\"a\",\"b\",\"c\"],\"measures\":[\"n\"],"
     "\"order\":[\"c:desc\"]}"},
    {"properties of a million members", "ndjson",
     "{\"cube\":\"wide\",\"drilldown\":[\"a\"],\"measures\":[\"n\"],\"sparse\":false,"
     "\"properties\":[\"a.colour\"]}"},
    {"facts behind a cut", "facts", "{\"cube\":\"dear\",\"cut\":[\"place:G07\"]}"},
    {"facts behind a cut, through a join", "facts",
     "{\"cube\":\"crossed\",\"cut\":[\"place:G07\"]}"},
    {"the lineage of a cell", "lineage",
     "{\"cube\":\"dear\",\"measures\":[\"median\"],\"cut\":[\"item:G07\"]}"},
    {"the lineage of a cell of a join", "lineage",
     "{\"cube\":\"crossed\",\"measures\":[\"share\"],\"cut\":[\"item:G07\"]}"},
};

enum { NKINDS = sizeof kinds / sizeof kinds[0] };

struct stack {
    void *frames[FRAMES];
    int nframes;
};

/* What one thread, the longest gap of which is looked for, knows. */
static _Thread_local struct {
    unsigned run; /* whose */
    uint64_t looked_ns;
    struct stack stack;
} mine;

struct asking {
    vc_model *model;
    vc_pool *pool;
    const struct kind *kind;
    unsigned run;
    bool watches;       /* the gaps */
    uint64_t cancel_ns; /* the moment; 0: never */
    atomic_bool is_cancelled;
    atomic_flag lock;
    uint64_t longest_ns, nlooks;
    struct stack before, behind;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void take_stack(struct stack *stack)
{
    stack->nframes = backtrace(stack->frames, FRAMES);
}

static void watch(struct asking *in)
{
    uint64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    struct stack here;
    take_stack(&here);
    while (atomic_flag_test_and_set(&in->lock)) {}
    in->nlooks++;
    if (mine.run == in->run && now - mine.looked_ns > in->longest_ns) {
        in->longest_ns = now - mine.looked_ns;
        in->before = mine.stack;
        in->behind = here;
    }
    atomic_flag_clear(&in->lock);
    mine.run = in->run;
    mine.stack = here;
    mine.looked_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static bool is_cancelled(void *context)
{
    struct asking *in = context;
    if (in->watches) watch(in);
    if (in->cancel_ns == 0 || clock_ns(CLOCK_MONOTONIC) < in->cancel_ns) return false;
    if (!atomic_exchange(&in->is_cancelled, true)) take_stack(&in->behind);
    return true;
}

/* ---- asking ---- */

static vc_status put_facts(struct asking *in, const vc_query *query,
                           const vc_engine_options *options, vc_arena *arena, vc_error *error)
{
    const vc_facts *facts;
    vc_buffer text = {0};
    vc_facts_query asked = {.query = query, .limit = 10000, .offset = 50000};
    vc_status status = vc_facts_run(in->model, &asked, options, arena, &facts, error);
    if (status == VC_OK) vc_facts_put_json(&text, facts);
    vc_buffer_release(&text);
    return status;
}

static vc_status put_lineage(struct asking *in, const vc_query *query,
                             const vc_engine_options *options, vc_arena *arena, vc_error *error)
{
    const vc_lineage *lineage;
    vc_buffer text = {0};
    vc_lineage_query asked = {.query = query, .limit = 20};
    vc_status status = vc_lineage_run(in->model, &asked, options, arena, &lineage, error);
    if (status == VC_OK) vc_lineage_put_json(&text, lineage);
    vc_buffer_release(&text);
    return status;
}

static vc_status put_answer(struct asking *in, const vc_query *query,
                            const vc_engine_options *options, vc_arena *arena, vc_error *error)
{
    vc_render_query_options how = {0};
    const vc_result *result;
    vc_spool spool;
    vc_status status = vc_format_find(vc_str_of(in->kind->format), &how.format, error);
    if (status != VC_OK) return status;
    vc_spool_open(&spool, NULL, 8 << 20);
    status = vc_render_query(in->model, query, options, &how, arena, &spool, &result, NULL, error);
    vc_spool_close(&spool);
    return status;
}

static vc_status ask(struct asking *in, vc_error *error)
{
    vc_arena arena = {0};
    vc_query query;
    vc_engine_options options = {.pool = in->pool,
                                 .limits = {.max_memory_bytes = UINT64_C(8000000000),
                                            .max_cells = 40000000,
                                            .max_time_ms = 600000},
                                 .is_cancelled = is_cancelled,
                                 .context = in};
    if (in->watches) watch(in);
    vc_status status = vc_body_parse(vc_str_of(in->kind->body), 0, &arena, &query, error);
    if (status == VC_OK && strcmp(in->kind->format, "facts") == 0)
        status = put_facts(in, &query, &options, &arena, error);
    else if (status == VC_OK && strcmp(in->kind->format, "lineage") == 0)
        status = put_lineage(in, &query, &options, &arena, error);
    else if (status == VC_OK)
        status = put_answer(in, &query, &options, &arena, error);
    vc_arena_release(&arena);
    vc_memory_give_back();
    if (in->watches) watch(in);
    return status;
}

/* ---- telling ---- */

/* The innermost functions of a stack that are not of this program's own file. */
static void put_place(const char *label, const struct stack *stack)
{
    char **names = backtrace_symbols(stack->frames, stack->nframes), line[512], command[600];
    printf(",\"%s\":\"", label);
    for (int i = 1, nput = 0; names != NULL && i < stack->nframes && nput < PLACES; i++) {
        const char *at = strstr(names[i], "(+0x");
        if (at == NULL) continue;
        unsigned long address = strtoul(at + 2, NULL, 16) - 1;
        snprintf(command, sizeof command, "addr2line -f -i -s -e /proc/%d/exe 0x%lx", (int)getpid(),
                 address);
        FILE *pipe = popen(command, "r");
        while (pipe != NULL && nput < PLACES && fgets(line, sizeof line, pipe) != NULL) {
            char file[256] = "";
            line[strcspn(line, "\n")] = '\0';
            if (fgets(file, sizeof file, pipe) == NULL) break;
            file[strcspn(file, " \n")] = '\0';
            if (strncmp(file, "cancel.c", 8) == 0 || strcmp(line, "vc_plan_check") == 0) continue;
            printf("%s%s %s", nput++ > 0 ? " < " : "", line, file);
        }
        if (pipe != NULL) pclose(pipe);
    }
    printf("\"");
    free(names);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void die(const char *what, const vc_error *error)
{
    fprintf(stderr, "cancel: %s: %s: %s\n", what, error->code, error->message);
    exit(1);
}

static void cancel_often(struct asking *in, uint64_t total_ns, size_t tries)
{
    uint64_t *late = calloc(tries + 1, sizeof *late), longest = 0;
    size_t nlate = 0, n20 = 0, n50 = 0;
    struct stack where = {0};
    if (late == NULL) exit(1);
    for (size_t i = 0; i < tries; i++) {
        vc_error error = {0};
        double part = (double)random() / (double)RAND_MAX;
        in->cancel_ns = clock_ns(CLOCK_MONOTONIC) + (uint64_t)(part * (double)total_ns);
        atomic_store(&in->is_cancelled, false);
        in->behind.nframes = 0;
        (void)ask(in, &error);
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (now <= in->cancel_ns) continue; /* it was over before */
        late[nlate] = now - in->cancel_ns;
        n20 += late[nlate] > 20000000;
        n50 += late[nlate] > 50000000;
        if (late[nlate] > longest) {
            longest = late[nlate];
            where = in->behind;
        }
        nlate++;
    }
    qsort(late, nlate, sizeof *late, compare);
    printf(",\"tries\":%zu,\"median_ms\":%.1f,\"longest_ms\":%.1f,\"over_20\":%zu,\"over_50\":%zu",
           nlate, (double)late[nlate / 2] / 1e6, (double)longest / 1e6, n20, n50);
    put_place("longest_at", &where);
    free(late);
}

static void measure(vc_model *model, vc_pool *pool, const struct kind *kind, size_t tries)
{
    static unsigned run;
    struct asking in = {.model = model, .pool = pool, .kind = kind, .lock = ATOMIC_FLAG_INIT};
    vc_error error = {0};
    if (ask(&in, &error) != VC_OK) die(kind->name, &error); /* read, mapped, checked */
    in.watches = true;
    in.run = ++run;
    if (ask(&in, &error) != VC_OK) die(kind->name, &error);
    in.watches = false;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    if (ask(&in, &error) != VC_OK) die(kind->name, &error);
    uint64_t total_ns = clock_ns(CLOCK_MONOTONIC) - begin;
    printf("{\"kind\":\"%s\",\"total_ms\":%.0f,\"looks\":%llu,\"longest_gap_ms\":%.1f", kind->name,
           (double)total_ns / 1e6, (unsigned long long)in.nlooks, (double)in.longest_ns / 1e6);
    put_place("from", &in.before);
    put_place("to", &in.behind);
    if (tries > 0) cancel_often(&in, total_ns, tries);
    printf("}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    vc_error error = {0};
    vc_store *store;
    vc_snapshot *snapshot;
    vc_model *model;
    size_t tries = argc > 3 ? strtoul(argv[3], NULL, 10) : 40;
    if (argc < 2) {
        fprintf(stderr, "usage: cancel DIR [THREADS=2] [TRIES=40] [KIND]\n");
        return 2;
    }
    vc_pool *pool;
    srandom(7);
    vc_status status =
        vc_pool_new(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2, &pool, &error);
    if (status == VC_OK) status = vc_store_open(argv[1], NULL, &store, &error);
    if (status == VC_OK) status = vc_snapshot_open(store, &snapshot, &error);
    if (status == VC_OK) status = vc_model_new(snapshot, true, &model, &error);
    if (status != VC_OK) die(argv[1], &error);
    for (size_t i = 0; i < NKINDS; i++)
        if (argc <= 4 || strstr(kinds[i].name, argv[4]) != NULL)
            measure(model, pool, &kinds[i], tries);
    vc_model_free(model);
    vc_store_close(store);
    vc_pool_free(pool);
    return 0;
}
