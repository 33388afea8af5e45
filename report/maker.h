/* The maker of documents that the program has: report/compose.h and report/writers.h. */
#ifndef REPORT_MAKER_H
#define REPORT_MAKER_H

#include "report/run.h"

typedef struct vc_maker { /* borrowed as long as it is used */
    const vc_spec *spec;
    vc_model *model;
} vc_maker;

vc_run_maker vc_maker_of(vc_maker *maker);

#endif
