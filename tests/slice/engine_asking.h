/* For tests of the engine: questions of plain texts, answers as text, and a few small cubes. */
#ifndef TESTS_SLICE_ENGINE_ASKING_H
#define TESTS_SLICE_ENGINE_ASKING_H

#include "tests/slice/fixture.h"

enum { NAMES = 8 };

struct question { /* a query of plain texts; what is not given is absent */
    const char *cube;
    const char *axes[NAMES]; /* "geo" or "geo.country" */
    const char *measures[NAMES];
    const char *cut, *keys[NAMES]; /* one dimension, its members */
    bool is_negated;
    const char *total; /* one dimension that stays, "" for none */
};

vc_query engine_query(const struct question *question, vc_arena *arena);
vc_status engine_try(struct fixture *fixture, const struct question *question,
                     const vc_engine_options *options, const vc_result **result, vc_error *error);
/* The same, and it must succeed. */
const vc_result *engine_ask(struct fixture *fixture, const struct question *question,
                            const vc_engine_options *options);

#define ASK(...) engine_ask(&fixture, &(struct question){__VA_ARGS__}, NULL)

/* "FR 68 2.6; DE 84 5.6; * 611.8 16.7": rows, and behind "=" the summary. */
const char *engine_text(struct fixture *fixture, const vc_result *result);

#define EXPECT(text, ...) cr_assert_str_eq(engine_text(&fixture, ASK(__VA_ARGS__)), text)

/* NULL: there is none. */
const vc_notice *engine_notice(const vc_result *result, const char *code);

/* Countries and cities: section 17 of the semantics. */
void engine_write_world(struct fixture *fixture, const char *join, const char *more);
void engine_open_world(struct fixture *fixture, const char *join);
/* 30 members of the primary have the key A, one has B. */
void engine_open_fanout(struct fixture *fixture);
/* One cube of a dimension `k` and measures over the column x. */
void engine_open_numbers(struct fixture *fixture, const char *measures, const char *facts);

#endif
